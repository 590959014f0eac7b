//! [`Replica`]: what a size means in numbers.

use menagerie_config::Size;

/// What an environment of some size has: how much each replica gets, and how many there are.
///
/// | size | CPU units | memory | replicas |
/// |---|---|---|---|
/// | small | 256 | 512 MiB | 1 |
/// | medium | 512 | 1024 MiB | 2 |
/// | large | 1024 | 2048 MiB | 3 |
///
/// Each pair of CPU and memory is one that AWS Fargate takes ("Task CPU and memory" in the Amazon ECS Developer Guide),
/// so that a size means the same wherever the environment runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replica {
    /// CPU in units of 1/1024 vCPU.
    pub(crate) cpu: u32,
    /// Memory in MiB.
    pub(crate) memory: u32,
    /// How many replicas run, where the settings do not say.
    pub(crate) desired_count: u32,
}

impl Replica {
    /// Returns what this size means.
    pub(crate) const fn of(size: Size) -> Self {
        match size {
            Size::Small => Self { cpu: 256, memory: 512, desired_count: 1 },
            Size::Medium => Self { cpu: 512, memory: 1024, desired_count: 2 },
            Size::Large => Self { cpu: 1024, memory: 2048, desired_count: 3 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_size_has_more_of_everything() {
        for pair in Size::ALL.windows(2) {
            let [smaller, larger] = [Replica::of(pair[0]), Replica::of(pair[1])];
            assert!(smaller.cpu < larger.cpu, "{pair:?}");
            assert!(smaller.memory < larger.memory, "{pair:?}");
            assert!(smaller.desired_count < larger.desired_count, "{pair:?}");
        }
    }
}
