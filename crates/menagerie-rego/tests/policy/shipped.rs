//! The rules in Rego that ship, with their tests: what a rule finds, and whether a change of what it looks at is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use menagerie_compliance::{Policy, PolicyFile, test_program};
use menagerie_rego::{Options, RegoPolicy};

fn read(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            read(&path, files);
        } else {
            files.push((path.clone(), fs::read_to_string(&path).expect("it can be read")));
        }
    }
}

#[test]
fn rules_that_ship_do_what_their_tests_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tf/compliance");
    let mut files = Vec::new();
    read(&root, &mut files);
    let files: Vec<PolicyFile<'_>> =
        files.iter().map(|(path, text)| PolicyFile { path, text }).collect();
    let policy = Policy::parse(&files).unwrap();
    let mut wrong = Vec::new();
    let rules = RegoPolicy::parse(&files, Options::default()).unwrap().rules();
    assert!(rules.len() >= 10, "there are {} rules", rules.len());
    for about in rules {
        // The others have nothing to say of its cases.
        let own = |file: &&PolicyFile<'_>| {
            let is_rule = file.path.extension().is_some_and(|extension| extension == "rego")
                && file.path.parent().is_some_and(|parent| parent.ends_with("rules"));
            !is_rule || file.path.file_stem().is_some_and(|stem| stem == about.id.as_str())
        };
        let files: Vec<PolicyFile<'_>> = files.iter().filter(own).copied().collect();
        let rego = RegoPolicy::parse(&files, Options::default()).unwrap();
        let only = rego.only(&about.id);
        let test = test_program(&policy, &about.id, &|input| only.judge(input));
        if !test.is_right() {
            wrong.push(format!("{test:#?}"));
        }
        assert!(!about.rationale.is_empty() && !about.remediation.is_empty(), "{}", about.id);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
