//! Rehearsals: environments of a cloud, planned, applied and destroyed over a stand-in, with the real Terraform.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::playground::{Answer, Playground, has, run};

const BACKEND: &str =
    "\n[aws]\nregion = \"eu-central-1\"\n\n[backend.s3]\nbucket = \"acme-state\"\n";

/// Makes a repository with a remote backend; the tests of its modules are those of `tf test`, which takes long enough.
fn playground() -> Playground {
    let playground = Playground::with_engine("postgres");
    playground.configure(BACKEND);
    remove_tests(&playground.root().join("tf"));
    playground
}

fn remove_tests(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.ends_with("tests") && !path.ends_with("storage/s3/tests") {
            fs::remove_dir_all(path).unwrap();
        } else if path.is_dir() {
            remove_tests(&path);
        }
    }
}

/// Asserts that no process and no file of a rehearsal is left but its lock.
#[track_caller]
fn check_nothing_left(playground: &Playground) {
    assert_eq!(playground.processes(), []);
    assert!(!playground.root().join("tf/envs/rehearsal-ecs").exists());
    let rehearsals = playground.root().join(".git/menagerie/rehearsals");
    for tree in fs::read_dir(rehearsals).into_iter().flatten().flatten() {
        for left in fs::read_dir(tree.path()).unwrap() {
            let left = left.unwrap().path();
            assert!(
                left.extension().is_some_and(|kind| kind == "lock"),
                "{} is left",
                left.display()
            );
        }
    }
}

/// Appends to a file of the tree.
fn append(playground: &Playground, path: &str, text: &str) {
    let path = playground.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, before + text).unwrap();
}

#[track_caller]
fn check_fails(answer: &Answer, code: i32, said: &[&str]) {
    assert_eq!(answer.code, Some(code), "{}{}", answer.stdout, answer.stderr);
    for text in said {
        assert!(answer.stderr.contains(text), "no `{text}` in {}", answer.stderr);
    }
}

#[test]
fn every_hosting_lives_and_dies() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    // Needs neither backend nor region.
    playground.configure("");
    for hosting in ["ec2_docker", "ec2_compose", "ecs", "eks", "kubernetes", "nomad"] {
        let report = playground.json(&["rehearse", "--hosting", hosting]);
        assert_eq!(report["rehearsal"], true);
        let steps: Vec<&str> = report["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["step"].as_str().unwrap())
            .collect();
        assert_eq!(steps, ["plan", "apply", "plan again", "test", "destroy"], "{hosting}");
        check_nothing_left(&playground);
    }
}

#[test]
fn a_renamed_argument_fails_at_its_line() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    let file = playground.root().join("tf/modules/application_hosting/ecs/main.tf");
    let text = fs::read_to_string(&file).unwrap();
    let broken = text.replacen("  desired_count ", "  desired_number ", 1);
    assert_ne!(text, broken);
    let line = broken.lines().position(|line| line.starts_with("  desired_number ")).unwrap() + 1;
    fs::write(&file, broken).unwrap();
    let place = format!("tf/modules/application_hosting/ecs/main.tf:{line}");
    check_fails(&playground.env(&["rehearse", "--hosting", "ecs"]), 1, &[&place, "desired_number"]);
    check_nothing_left(&playground);
}

#[test]
fn what_can_not_be_asked_for() {
    let playground = playground();
    check_fails(
        &playground.env(&["rehearse", "--hosting", "heroku"]),
        2,
        &["possible values: local, ec2_docker"],
    );
    check_fails(
        &playground.env(&["rehearse", "--hosting", "ecs", "--size", "huge"]),
        2,
        &["small, medium, large"],
    );
    check_fails(
        &playground.env(&["rehearse", "--hosting", "ecs", "--set", "observability=x"]),
        2,
        &["there is no backend of observability"],
    );
    check_fails(&playground.env(&["rehearse", "--hosting", "local"]), 2, &["needs no rehearsal"]);
    check_fails(
        &playground.env(&["rehearse", "--hosting", "ecs", "--rehearse-fault", "x"]),
        2,
        &["a fault is"],
    );
    playground.configure(&format!("{BACKEND}\n[ingress]\ncidrs = [\"0.0.0.0/0\"]\n"));
    check_fails(&playground.env(&["rehearse", "--hosting", "ecs"]), 5, &["ingress.public = true"]);
    playground.configure(&format!("{BACKEND}\n[observability]\nsecret = \"hunter2\"\n"));
    let answer = playground.env(&["rehearse", "--hosting", "ecs"]);
    check_fails(&answer, 5, &["a value, not a reference"]);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

#[test]
fn a_cloud_without_a_remote_backend_is_refused() {
    let playground = Playground::new();
    let answer = playground.env(&["new", "calm-otter", "--hosting", "ecs"]);
    check_fails(
        &answer,
        5,
        &["has no `[backend.s3]`", "bucket = \"YOUR-BUCKET\"", "env rehearse --hosting ecs"],
    );
    assert!(!playground.root().join("tf/envs/calm-otter").exists());
    playground.configure(BACKEND);
    playground.ok(&["new", "calm-otter", "--hosting", "ecs"]);
    for command in [
        &["plan", "calm-otter"][..],
        &["apply", "calm-otter"],
        &["up", "calm-otter"],
        &["status", "calm-otter"],
    ] {
        check_fails(
            &playground.env(command),
            7,
            &["does not see states that are not on this machine", "--rehearse"],
        );
    }
    check_fails(
        &playground.env(&["up", "--hosting", "nomad"]),
        7,
        &["env rehearse --hosting nomad"],
    );
    assert_eq!(playground.json(&["show", "calm-otter"])["phase"], "wanted");
    // What was never applied goes as any other; what may have been is not forgotten.
    let by_hand = playground.root().join("tf/envs/calm-otter/.terraform");
    fs::create_dir(&by_hand).unwrap();
    check_fails(
        &playground.env(&["destroy", "calm-otter", "--confirm", "calm-otter"]),
        7,
        &["by hand"],
    );
    fs::remove_dir(&by_hand).unwrap();
    playground.ok(&["destroy", "calm-otter", "--confirm", "calm-otter"]);
    playground.assert_nothing_left("calm-otter");
}

#[test]
fn a_plan_is_rehearsed_and_says_so_everywhere() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    playground.ok(&["new", "calm-otter", "--hosting", "ecs"]);
    playground.git(&["add", "--all"]);
    playground.git(&["commit", "--quiet", "--message=Otter"]);
    let plan = playground.json(&["plan", "calm-otter", "--rehearse"]);
    assert_eq!((&plan["rehearsal"], &plan["image_is_stand_in"]), (&true.into(), &true.into()));
    let answer = playground.env(&["plan", "calm-otter", "--rehearse", "--image", "web:1"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stdout.starts_with("REHEARSAL of `calm-otter` on `ecs`, with `web:1`\n"),
        "{}",
        answer.stdout
    );
    assert!(answer.stdout.contains("Plan: ") && answer.stderr.contains("docs/rehearsal.md"));

    // From what is committed, nothing changes; another hosting takes away what the one before had.
    assert_eq!(
        playground.json(&["plan", "calm-otter", "--rehearse", "--from", "HEAD"])["has_changes"],
        false
    );
    let main = playground.root().join("tf/envs/calm-otter/main.tf");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("application_hosting/ecs", "application_hosting/ec2_docker"))
        .unwrap();
    let changed = playground.json(&["plan", "calm-otter", "--rehearse", "--from", "HEAD"]);
    let is_destroyed = |resource: &serde_json::Value| {
        resource["action"] == "destroy"
            && resource["address"] == "module.application_hosting.aws_ecs_cluster.this"
    };
    assert!(changed["resources"].as_array().unwrap().iter().any(is_destroyed), "{changed}");
    check_fails(&playground.env(&["plan", "calm-otter", "--rehearse", "--from", "--all"]), 2, &[]);
    check_fails(
        &playground.env(&["plan", "calm-otter", "--rehearse", "--from=--all"]),
        6,
        &["there is no commit `--all`"],
    );
    check_fails(&playground.env(&["plan", "calm-otter", "--from", "HEAD"]), 2, &["--rehearse"]);
    check_nothing_left(&playground);
}

#[test]
fn what_the_modules_refuse_names_its_place() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    playground.ok(&["new", "calm-otter", "--hosting", "ecs"]);
    let image = playground.env(&["plan", "calm-otter", "--rehearse", "--image", "web"]);
    check_fails(&image, 1, &["tf/modules/application_hosting/ecs/", "`latest`"]);
    let main = playground.root().join("tf/envs/calm-otter/main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let secrets = text.replace("= module.development.secrets", "= { TOKEN = \"hunter2\" }");
    assert_ne!(text, secrets);
    fs::write(&main, secrets).unwrap();
    check_fails(
        &playground.env(&["plan", "calm-otter", "--rehearse"]),
        1,
        &["a value, not a reference"],
    );
    fs::write(
        &main,
        text.replace("ingress_cidrs            = []", "ingress_cidrs            = [\"0.0.0.0/0\"]"),
    )
    .unwrap();
    check_fails(
        &playground.env(&["plan", "calm-otter", "--rehearse"]),
        1,
        &["Everyone may reach the application only where"],
    );
    fs::write(&main, text + "\nresource \"aws_spaceship\" \"this\" {}\n").unwrap();
    let unknown = playground.env(&["plan", "calm-otter", "--rehearse"]);
    check_fails(
        &unknown,
        1,
        &["tf/envs/calm-otter/main.tf:", "aws_spaceship", "cargo xtask schema update"],
    );
    check_nothing_left(&playground);
}

#[test]
fn a_fault_is_overcome_and_nothing_is_left() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    for fault in [
        "aws_db_instance:create:throttle",
        "aws_ecs_cluster:create:half",
        "aws_ecs_service:delete:deniedx2",
    ] {
        let report = playground.json(&["rehearse", "--hosting", "ecs", "--rehearse-fault", fault]);
        let steps = report["steps"].as_array().unwrap();
        let failed = steps
            .iter()
            .filter(|step| step["result"].as_str().unwrap().starts_with("failed: REHEARSAL"));
        assert_eq!(failed.count(), if fault.ends_with("x2") { 2 } else { 1 }, "{report}");
        assert_eq!(steps.last().unwrap()["result"], "nothing is left");
    }
    let never = playground.env(&[
        "rehearse",
        "--hosting",
        "ecs",
        "--rehearse-fault",
        "aws_eip:create:quota",
    ]);
    check_fails(
        &never,
        1,
        &["nothing failed: no operation that was made is one of aws_eip:create:quota"],
    );
    check_nothing_left(&playground);
}

#[test]
fn what_a_stranger_wrote_is_neither_run_nor_fetched() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    playground.ok(&["new", "calm-otter", "--hosting", "ecs"]);
    let root = "tf/envs/calm-otter";
    let pwned = playground.root().join("pwned");
    let program = format!("touch {}", pwned.display());
    let attacks = [
        (
            format!("{root}/evil.tf"),
            format!(
                "resource \"terraform_data\" \"x\" {{\n  provisioner \"local-exec\" {{\n    command = \"{program}\"\n  }}\n}}\n"
            ),
            "evil.tf:2: a provisioner",
        ),
        (
            format!("{root}/evil.tf"),
            format!(
                "data \"external\" \"x\" {{\n  program = [\"sh\", \"-c\", \"{program}\"]\n}}\n"
            ),
            "evil.tf:1: the provider `external`",
        ),
        (
            "tf/modules/storage/s3/evil.tf".to_owned(),
            "data \"http\" \"x\" {\n  url = \"http://127.0.0.1:1\"\n}\n".to_owned(),
            "tf/modules/storage/s3/evil.tf:1: the provider `http`",
        ),
        (
            format!("{root}/evil.tf.json"),
            format!(
                "{{\"resource\":{{\"terraform_data\":{{\"x\":{{\"provisioner\":{{\"local-exec\":{{\"command\":\"{program}\"}}}}}}}}}}}}"
            ),
            "evil.tf.json: only files in",
        ),
        (
            format!("{root}/zzz_override.tf"),
            "terraform {\n  backend \"s3\" {}\n}\n".to_owned(),
            "zzz_override.tf: an override",
        ),
        (
            format!("{root}/evil.tf"),
            "module \"x\" {\n  source = \"git::https://127.0.0.1:1/x\"\n}\n".to_owned(),
            "evil.tf:2: only modules of this repository",
        ),
        (
            format!("{root}/evil.tf"),
            "data \"terraform_remote_state\" \"x\" {\n  backend = \"local\"\n}\n".to_owned(),
            "evil.tf:1: `terraform_remote_state`",
        ),
        (
            format!("{root}/evil.tf"),
            "terraform {\n  cloud {}\n}\n".to_owned(),
            "evil.tf:2: a state in HCP Terraform",
        ),
    ];
    for (path, text, expected) in attacks {
        let file = playground.root().join(&path);
        append(&playground, &path, &text);
        check_fails(&playground.env(&["plan", "calm-otter", "--rehearse"]), 7, &[expected]);
        fs::remove_file(file).unwrap();
    }
    // Beside the root module, Terraform looks for plugins; a link could lead to any file of this machine.
    let plugin = format!(
        "{root}/terraform.d/plugins/registry.terraform.io/hashicorp/aws/6.60.0/linux_amd64/terraform-provider-aws_v6.60.0"
    );
    append(&playground, &plugin, &format!("#!/bin/sh\n{program}\n"));
    fs::set_permissions(playground.root().join(&plugin), fs::Permissions::from_mode(0o755))
        .unwrap();
    std::os::unix::fs::symlink("/etc/hostname", playground.root().join(root).join("hostname.tf"))
        .unwrap();
    playground.ok(&["plan", "calm-otter", "--rehearse"]);
    assert!(!pwned.exists());
    check_nothing_left(&playground);
}

#[test]
fn credentials_do_not_reach_terraform() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    playground.ok(&["new", "calm-otter", "--hosting", "eks"]);
    // A Terraform that writes down what it is given.
    let seen = playground.root().join("seen");
    let spy = playground.root().join("spy");
    let script = format!(
        "#!/bin/sh\n(echo; echo \"== $*\"; env) >> '{}'\nexec {} \"$@\"\n",
        seen.display(),
        real_terraform().display()
    );
    fs::write(&spy, script).unwrap();
    fs::set_permissions(&spy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command =
        playground.command(&["plan", "calm-otter", "--rehearse"]).env("MENAGERIE_TERRAFORM", &spy);
    let credentials = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "KUBECONFIG",
        "KUBE_CONFIG_PATH",
        "KUBE_TOKEN",
        "NOMAD_TOKEN",
        "NOMAD_ADDR",
        "DD_API_KEY",
        "NEW_RELIC_API_KEY",
        "PGPASSWORD",
        "GITHUB_TOKEN",
        "GIT_ASKPASS",
        "SSH_AUTH_SOCK",
        "TF_REATTACH_PROVIDERS",
        "TF_VAR_image",
    ];
    for name in credentials {
        command = command.env(name, "hunter2");
    }
    let answer = run(&command);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let seen = fs::read_to_string(seen).unwrap();
    // Which Terraform it is was asked with the ordinary variables; no run that reads what is rehearsed has them.
    let runs = seen.split("\n== ").skip(1).filter(|run| !run.starts_with("version"));
    let runs: Vec<&str> = runs.collect();
    assert!(runs.len() >= 3, "{seen}");
    for run in runs {
        assert!(!run.contains("hunter2") && run.contains("/rehearsals/"), "{run}");
    }
    check_nothing_left(&playground);
}

#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn real_terraform() -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|path| path.join("terraform"))
        .find(|path| path.is_file())
        .expect("it was looked for")
}
