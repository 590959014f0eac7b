//! A full disk, made of a small one: needs root, since it is mounted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::playground::{Answer, Playground, has};

/// A disk of its own, unmounted with the value. Declare it before what has files on it.
struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    /// Mounts a disk of this size, where this user may.
    fn mount(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = duct::cmd!("mount", "-t", "tmpfs", "-o", options, "tmpfs", directory.path())
            .stdout_null()
            .stderr_capture()
            .unchecked()
            .run();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { directory }),
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stderr);
                eprintln!("skipped: no disk can be mounted: {}", reason.trim());
                None
            }
            Err(error) => {
                eprintln!("skipped: no disk can be mounted: {error}");
                None
            }
        }
    }

    /// Returns a directory on it.
    fn directory(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// Fills it but for this many pages, which are what it counts in.
    fn fill(&self, free: u64) {
        const PAGE: usize = 4096;
        self.make_room();
        let mut file = File::create(self.filler()).unwrap();
        let mut pages = 0;
        // Small writes, since one that does not fit as a whole may write nothing.
        while file.write_all(&[0; PAGE]).is_ok() {
            pages += 1;
        }
        assert!(pages >= free, "only {pages} of {free} pages are free");
        file.set_len((pages - free) * PAGE as u64).unwrap();
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

#[test]
fn full_while_generating() {
    let Some(disk) = Disk::mount("1m") else { return };
    let playground = Playground::new();
    let environments = playground.root().join("tf/envs");
    symlink(disk.directory("envs"), &environments).unwrap();
    symlink(disk.directory("menagerie"), playground.root().join(".git/menagerie")).unwrap();
    playground.ok(&["list"]);

    let mut made = BTreeSet::new();
    let mut failed = 0;
    for free in 0..20 {
        disk.fill(free);
        let answer = playground.env(&["new", "--format", "json"]);
        if answer.code == Some(0) {
            let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
            made.insert(answer["name"].as_str().unwrap().to_owned());
        } else {
            failed += 1;
            names_the_file(&answer, &[&environments, &playground.root().join(".git/menagerie")]);
        }
        assert_eq!(entries(&environments), made, "with {free} pages free:\n{}", answer.stderr);
    }
    assert!(failed > 5 && made.len() > 2, "the disk was full at times: {failed}, {}", made.len());

    disk.make_room();
    made.insert(playground.json(&["new"])["name"].as_str().unwrap().to_owned());
    let list = playground.json(&["list"]);
    let listed = list["environments"].as_array().unwrap();
    let names: BTreeSet<_> =
        listed.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, made);
    for entry in listed {
        assert_eq!(entry["notes"], serde_json::json!([]), "{entry}");
    }
    let files: BTreeSet<_> = made.iter().map(|name| entries(&environments.join(name))).collect();
    assert_eq!(files.len(), 1, "all have the same files: {files:?}");
}

#[test]
fn full_while_applying_then_up() {
    full_while_applying(true);
}

#[test]
fn full_while_applying_then_destroy() {
    full_while_applying(false);
}

/// Applies with more and more room, so that each kind of file is the one that there is none for; then makes room.
fn full_while_applying(up: bool) {
    if !has("terraform") {
        return;
    }
    let Some(disk) = Disk::mount("128m") else { return };
    let playground = Playground::new();
    symlink(disk.directory("menagerie"), playground.root().join(".git/menagerie")).unwrap();

    let mut failed = 0;
    for free in (0..=48).step_by(6) {
        let new = playground.json(&["new"]);
        let name = new["name"].as_str().unwrap();
        // What is big is copied with the first plan.
        playground.ok(&["plan", name]);
        disk.fill(free);
        let answer = playground.env(&["up", name]);
        if answer.code != Some(0) {
            failed += 1;
            assert_eq!(answer.code, Some(1), "{}", answer.stderr);
            let text = answer.stderr.to_lowercase();
            let is_told = ["no space left on device", "disk is full"]
                .iter()
                .any(|reason| text.contains(reason));
            assert!(is_told, "with {free} pages free:\n{}", answer.stderr);
        }
        assert!(playground.ok(&["list"]).contains(name));

        disk.make_room();
        if up {
            let up = playground.json(&["up", name]);
            assert_eq!(up["health"], "healthy", "{up}");
        }
        playground.ok(&["destroy", name, "--confirm", name]);
        playground.assert_nothing_left(name);
    }
    assert!(failed > 4, "the disk was full only {failed} times");
}

fn names_the_file(answer: &Answer, directories: &[&Path]) {
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert_eq!(answer.stdout, "");
    for expected in ["error: failed to ", "No space left on device"] {
        assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
    }
    let is_named = directories
        .iter()
        .any(|directory| answer.stderr.contains(&format!("`{}/", directory.display())));
    assert!(is_named, "no file is named:\n{}", answer.stderr);
}

fn entries(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
