//! How many Terraforms at once are sensible on this machine.

use std::fs;
use std::num::NonZeroUsize;
use std::thread;

/// What most of a job's time goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Computing, as a plan does: more at once than there are cores gain little.
    Computing,
    /// Waiting for a cloud, as an apply or a destroy does.
    Waiting,
}

/// What the system, a desktop or the runner of a CI keep for themselves.
const RESERVED_MIB: u64 = 1024;

/// What one Terraform and its provider take at their peak, of the `aws` provider of 2021 (measured: 215 to 250); a little more, as
/// later ones are larger.
const ONE_MIB: u64 = 300;

/// Returns how many jobs at once are sensible on this machine: by its cores, and by the memory that is free now where the system
/// says it, which only Linux does.
pub fn default_limit(load: Load) -> NonZeroUsize {
    limit(load, thread::available_parallelism().unwrap_or(NonZeroUsize::MIN), free_mib())
}

fn limit(load: Load, cores: NonZeroUsize, free_mib: Option<u64>) -> NonZeroUsize {
    let per_core = match load {
        Load::Computing => 2,
        Load::Waiting => 4,
    };
    let by_cores = cores.get().saturating_mul(per_core);
    let by_memory = free_mib.map(|free| free.saturating_sub(RESERVED_MIB) / ONE_MIB);
    let by_memory =
        by_memory.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    NonZeroUsize::new(by_cores.min(by_memory)).unwrap_or(NonZeroUsize::MIN)
}

/// Returns how much memory is free, also by the limit that a container has (control groups, version 2).
fn free_mib() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| value(&text, "MemAvailable:"))? / 1024;
    let container = (|| {
        let limit: u64 = read("/sys/fs/cgroup/memory.max")?.trim().parse().ok()?;
        let used: u64 = read("/sys/fs/cgroup/memory.current")?.trim().parse().ok()?;
        // Files that are only kept because nobody needs the room.
        let cached = value(&read("/sys/fs/cgroup/memory.stat")?, "inactive_file").unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cached)) / (1024 * 1024))
    })();
    Some(container.map_or(machine, |container| container.min(machine)))
}

/// Finds `NAME  VALUE …` in a list of them.
fn value(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(load: Load, cores: usize, free_mib: Option<u64>, expected: usize) {
        assert_eq!(limit(load, NonZeroUsize::new(cores).unwrap(), free_mib).get(), expected);
    }

    #[test]
    fn cores_and_memory_bound_it() {
        check(Load::Computing, 2, Some(16_000), 4);
        check(Load::Waiting, 2, Some(16_000), 8);
        check(Load::Waiting, 16, Some(7_000), 19);
        check(Load::Waiting, 16, None, 64);
        check(Load::Computing, 2, Some(500), 1);
        check(Load::Computing, 2, Some(1_400), 1);
    }

    #[test]
    fn a_value_is_found_by_its_name() {
        let text = "MemTotal:       24684032 kB\nMemAvailable:   21000192 kB\nActive: 1 kB\n";
        assert_eq!(value(text, "MemAvailable:"), Some(21_000_192));
        assert_eq!(value("anon 5\ninactive_file 7\n", "inactive_file"), Some(7));
        assert_eq!(value(text, "Missing:"), None);
    }
}
