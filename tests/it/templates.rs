//! A repository's own templates: `env new` uses them, refuses broken ones, and `template check` judges them.

use std::fs;
use std::path::Path;

use menagerie_config::Environment;

use crate::playground::{Answer, Playground, has, run};

fn put(playground: &Playground, path: &str, text: &str) {
    let path = playground.root().join("tf/templates").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs `xtask template check` with these arguments.
fn check(playground: &Playground, arguments: &[&str]) -> Answer {
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let command = duct::cmd(xtask, [&["template", "check"], arguments].concat())
        .dir(playground.root())
        .env("MENAGERIE_PROVIDER", xtask.with_file_name("menagerie-provider"))
        .env("NO_COLOR", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    run(&command)
}

const OUTPUT: &str = "{% extends \"builtin/base/outputs.tf.tera\" %}\n{% block more %}\n\noutput \"size\" {\n  description = \"How much the environment has.\"\n  value       = {{ size | hcl }}\n}\n{%- endblock %}\n";

#[test]
fn env_new_uses_them_and_says_so() {
    let playground = Playground::new();
    put(&playground, "base/outputs.tf.tera", OUTPUT);
    put(&playground, "README.md", "What they are for.\n");
    playground.ok(&["new", "calm-otter", "--set", "environment.MOTTO=${x}\"", "--size", "large"]);
    let directory = playground.root().join("tf/envs/calm-otter");
    let outputs = fs::read_to_string(directory.join("outputs.tf")).unwrap();
    assert!(outputs.lines().next().unwrap().contains("`tf/templates/base/outputs.tf.tera`"));
    assert!(outputs.ends_with("  value       = \"large\"\n}\n"), "{outputs}");
    let environment = Environment::read(&directory.join("env.toml")).unwrap();
    let overrides: Vec<_> = environment.template.overrides.keys().collect();
    assert_eq!(overrides, ["base/outputs.tf.tera"]);
}

#[test]
fn a_broken_one_refuses_env_new_and_uses_no_name_up() {
    let playground = Playground::new();
    for (path, text, expected) in [
        ("local/mian.tf.tera", "", "did you mean `local/main.tf.tera`?"),
        ("local/main.tf", "", "did you mean `local/main.tf.tera`?"),
        (
            "local/deeper/main.tf.tera",
            "",
            "tf/templates/local/deeper:1:1: there is no built-in template",
        ),
        ("local/backend.tf.tera", "\n{% if %}\n", "tf/templates/local/backend.tf.tera:2:"),
        ("local/backend.tf.tera", "{{ owner | hcl }}\n", "there is no variable `owner`"),
        (
            "local/backend.tf.tera",
            "a = \"{{ name | hcl }}\"\n",
            "a value is printed inside of quotes",
        ),
    ] {
        put(&playground, path, text);
        for arguments in
            [&["new", "calm-otter"] as &[&str], &["new"], &["new", "--dry-run"], &["up"]]
        {
            let answer = playground.env(arguments);
            assert_eq!(answer.code, Some(5), "{arguments:?}: {}", answer.stderr);
            assert!(answer.stderr.contains(expected), "{expected}: {}", answer.stderr);
            assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
            assert_eq!(answer.stdout, "");
        }
        fs::remove_dir_all(playground.root().join("tf/templates")).unwrap();
    }
    put(&playground, "local/backend.tf.tera", "");
    fs::write(playground.root().join("tf/templates/local/backend.tf.tera"), [0xff]).unwrap();
    let answer = playground.env(&["new"]);
    assert_eq!(answer.code, Some(5), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: templates are UTF-8 text"), "{}", answer.stderr);
    fs::remove_dir_all(playground.root().join("tf/templates")).unwrap();
    assert!(!playground.root().join("tf/envs").exists());
    assert!(!playground.root().join(".git/menagerie/ledger.jsonl").exists());
    playground.ok(&["new", "calm-otter"]);
}

#[test]
fn a_check_of_templates_that_hold() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    put(&playground, "base/outputs.tf.tera", OUTPUT);
    let answer = check(&playground, &[]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stdout.contains("overrides     base/outputs.tf.tera\nproblems      0\n"),
        "{}",
        answer.stdout
    );
    assert!(!playground.root().join(".git/menagerie/check").exists(), "what was rendered is left");
    assert!(!playground.root().join("tf/envs").exists());
    assert_eq!(playground.processes(), []);
}

#[test]
fn a_check_tells_the_line_of_the_template_that_terraform_refuses() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let text = "{% extends \"builtin/local/main.tf.tera\" %}\n{% block hosting_arguments %}\n{%- if port %}\n\n  clor = {{ size | hcl }}\n{%- endif %}\n{% endblock %}\n{% block more %}\n\nlocals {\n  a   = 1\n}\n{%- endblock %}\n";
    put(&playground, "local/main.tf.tera", text);
    let answer = check(&playground, &["--format", "json"]);
    assert_eq!(answer.code, Some(5), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: docs/templates.md"), "{}", answer.stderr);
    let shown: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(shown["valid"], false);
    let problems = shown["problems"].as_array().unwrap();
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| {
            (problem["template"].as_str().unwrap(), problem["template_line"].as_u64().unwrap())
        })
        .collect();
    let ours = "tf/templates/local/main.tf.tera";
    assert_eq!(lines, [(ours, 5), (ours, 11)], "{problems:?}");
    assert!(problems[0]["message"].as_str().unwrap().contains("clor"), "{problems:?}");
    // Only where a port is set.
    let environments = problems[0]["environments"].as_array().unwrap();
    assert_eq!(environments.len(), 3, "{environments:?}");

    put(&playground, "local/main.tf.tera", "{% broken %}");
    let answer = check(&playground, &[]);
    assert_eq!(answer.code, Some(5), "{}", answer.stderr);
    assert!(answer.stderr.contains("tf/templates/local/main.tf.tera:1:"), "{}", answer.stderr);
}
