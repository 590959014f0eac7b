//! A state that Terraform could not write, and kept beside the root module.

use std::fs;

use crate::playground::{Playground, has};

#[test]
fn what_only_the_kept_state_knows_is_not_made_twice() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let up = playground.json(&["up"]);
    let name = up["name"].as_str().unwrap();
    let state = playground.records(name).join("terraform.tfstate");
    let kept = playground.root().join("tf/envs").join(name).join("errored.tfstate");
    let whole = fs::read_to_string(&state).unwrap();

    // The backend has what it had before the apply, and what the apply did is only in the file that Terraform kept.
    let mut before: serde_json::Value = serde_json::from_str(&whole).unwrap();
    before["serial"] = 0.into();
    before["resources"] = serde_json::json!([]);
    before["outputs"] = serde_json::json!({});
    fs::write(&state, before.to_string()).unwrap();
    fs::write(&kept, &whole).unwrap();

    let answer = playground.env(&["plan", name]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.contains("could not write the state"), "{}", answer.stderr);
    assert!(answer.stdout.contains("No changes"), "{}", answer.stdout);
    assert!(!kept.exists());
    let answer = playground.env(&["plan", name]);
    assert!(!answer.stderr.contains("could not write the state"), "{}", answer.stderr);
    playground.ok(&["destroy", name, "--confirm", name]);
    playground.assert_nothing_left(name);
}
