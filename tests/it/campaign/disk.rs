//! A full disk, made of a small one: needs root, since it is mounted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::moment::life;
use super::{Case, Dice, Fate, NAME, Operation, Party, campaign};
use crate::playground::Answer;

const FEW: u64 = 3;

/// A disk of its own, unmounted with the value.
pub(crate) struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    /// Mounts a disk of this size, where this user may.
    fn mount(size: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = duct::cmd!("mount", "-t", "tmpfs", "-o", options, "tmpfs", directory.path())
            .stdout_null()
            .stderr_capture()
            .unchecked()
            .run();
        match mounted {
            Ok(output) if output.status.success() => Ok(Self { directory }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Fills it but for this many pages, which are what it counts in.
    fn fill(&self, free: u64) {
        const PAGE: usize = 4096;
        self.make_room();
        let mut file = File::create(self.filler()).unwrap();
        // Big writes first; then small ones, since one that does not fit as a whole may write nothing.
        for pages in [256, 1] {
            while file.write_all(&vec![0; PAGE * pages]).is_ok() {}
        }
        let pages = file.metadata().unwrap().len().div_ceil(PAGE as u64);
        file.set_len(pages.saturating_sub(free) * PAGE as u64).unwrap();
    }

    fn make_room(&self) {
        let _ = fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.directory.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = duct::cmd!("umount", "--lazy", self.directory.path()).run();
        if let Err(error) = unmounted {
            eprintln!("failed to unmount `{}`: {error}", self.directory.path().display());
        }
    }
}

/// Returns whether a disk can be mounted here; where not, it says so.
fn can_mount() -> bool {
    Disk::mount("64k")
        .map_err(|reason| eprintln!("skipped: no disk can be mounted: {reason}"))
        .is_ok()
}

#[test]
fn in_new() {
    if can_mount() {
        campaign("full disk in new", FEW, generate);
    }
}

#[test]
fn in_up_then_up() {
    if can_mount() {
        campaign("full disk in up, then up", FEW, |dice| up(dice, true));
    }
}

#[test]
fn in_up_then_destroy() {
    if can_mount() {
        campaign("full disk in up, then destroy", FEW, |dice| up(dice, false));
    }
}

#[test]
fn in_destroy() {
    if can_mount() {
        campaign("full disk in destroy", FEW, destroy);
    }
}

/// Generates one environment after another with ever more room, so that each kind of file is the one that there is none for.
fn generate(dice: &mut Dice) -> Case {
    let mut case = Case::on(Disk::mount("8m").unwrap());
    case.must(&["list"]);
    let root = case.playground.root();
    let (environments, home) = (root.join("tf/envs"), root.join(".git/menagerie"));
    fs::create_dir(&environments).unwrap();

    let mut made = BTreeSet::new();
    let mut failed = 0;
    for _ in 0..5 {
        fill(&case, dice.below(20));
        let answer = case.run(&["new", "--format", "json"]);
        if answer.code == Some(0) {
            let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
            made.insert(answer["name"].as_str().unwrap().to_owned());
        } else {
            failed += 1;
            check_names_the_file(&mut case, &answer, &[&environments, &home]);
        }
        let left = entries(&environments);
        if left != made {
            case.wrong(format!("made {made:?}, but there is {left:?}: {}", answer.stderr));
        }
    }
    make_room(&case);
    let answer = case.must(&["new", "--format", "json"]);
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    made.insert(answer["name"].as_str().unwrap().to_owned());
    case.tell(format!(" {failed} failed, {} made", made.len()));
    case.fate = Some(if failed == 0 { Fate::Undisturbed } else { Fate::Finished });

    let list = case.list().unwrap_or_default();
    let listed: BTreeSet<_> =
        list.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
    if listed != made {
        case.lost(format!("made {made:?}, but listed is {listed:?}"));
    }
    for entry in list.iter().filter(|entry| entry["notes"] != serde_json::json!([])) {
        case.wrong(format!("it is not as it should be: {entry}"));
    }
    let files: BTreeSet<_> = made.iter().map(|name| entries(&environments.join(name))).collect();
    if files.len() != 1 {
        case.wrong(format!("not all have the same files: {files:?}"));
    }
    case
}

/// Has the disk full before an `up` or at some moment of it, makes room, and goes on.
fn up(dice: &mut Dice, up: bool) -> Case {
    let mut case = Case::on(Disk::mount("160m").unwrap());
    // What is big is copied with the first plan.
    case.must(&["new", NAME]);
    case.must(&["plan", NAME]);
    let answer = disturb(&mut case, dice, Operation::Up);
    case.check_list();
    case.check_listed(NAME);
    make_room(&case);
    let failed = answer.code != Some(0);
    if up {
        case.fate = Some(case.next(&["up", NAME], failed, &answer).0);
        if case.fate == Some(Fate::Said) {
            case.wrong("with room, it does not come up".to_owned());
        }
    } else {
        case.fate = Some(if failed { Fate::Finished } else { Fate::Undisturbed });
    }
    case.end(NAME);
    case
}

/// Has the disk full before a `destroy` or at some moment of it, makes room, and goes on.
fn destroy(dice: &mut Dice) -> Case {
    let mut case = Case::on(Disk::mount("160m").unwrap());
    case.prepare(Operation::Destroy);
    let answer = disturb(&mut case, dice, Operation::Destroy);
    if answer.code == Some(0) {
        case.fate = Some(Fate::Undisturbed);
    } else {
        case.fate = Some(Fate::Finished);
        case.check_list();
        case.check_listed(NAME);
    }
    make_room(&case);
    case.end(NAME);
    case
}

/// Runs something that may find the disk full, which it must say then.
fn disturb(case: &mut Case, dice: &mut Dice, operation: Operation) -> Answer {
    let free = dice.below(if operation == Operation::Up { 50 } else { 4 });
    let arguments = operation.arguments();
    let is_later = dice.below(3) == 0;
    let answer = if is_later {
        let moment = dice.moment(&life(Party::Xtask, operation, "sqlite"));
        let handle = case.start(arguments);
        case.reach(moment, operation, &handle);
        fill(case, free);
        case.finish(&handle, arguments)
    } else {
        fill(case, free);
        case.run(arguments)
    };
    case.tell(format!(
        " {free} pages free {} `{}`, which gave {:?}",
        if is_later { "during" } else { "before" },
        arguments[0],
        answer.code
    ));
    if answer.code != Some(0) {
        let text = answer.stderr.to_lowercase();
        let reasons = ["no space left on device", "disk is full"];
        if !reasons.iter().any(|reason| text.contains(reason)) {
            case.wrong(format!("it does not say that the disk is full: {}", answer.stderr));
        }
    }
    answer
}

fn check_names_the_file(case: &mut Case, answer: &Answer, directories: &[&Path]) {
    let is_named = directories
        .iter()
        .any(|directory| answer.stderr.contains(&format!("`{}/", directory.display())));
    let is_told = ["error: failed to ", "No space left on device"]
        .iter()
        .all(|expected| answer.stderr.contains(expected));
    if answer.code != Some(1) || !answer.stdout.is_empty() || !is_named || !is_told {
        case.wrong(format!("it does not say which file: {answer:?}"));
    }
}

fn fill(case: &Case, free: u64) {
    case.disk.as_ref().expect("it is mounted").fill(free);
}

fn make_room(case: &Case) {
    case.disk.as_ref().expect("it is mounted").make_room();
}

fn entries(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
