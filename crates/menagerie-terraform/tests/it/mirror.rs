//! The mirror: filled once, by whom ever, and then only read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use menagerie_terraform::{
    Cancel, Ended, FillOptions, Filled, InitOptions, Limits, Mirror, MirrorError, PackageSource,
    RetryOptions, Search, Terraform, closed_environment,
};

use crate::support::{Root, done, ignore};

/// The checksum of the package below, as `terraform init` 1.11.4 writes it into a lock file.
const CHECKSUM: &str = "h1:oDNYRV5kvUZobPXCFJwVj2QM05qEIp+BP0t2bSpblcQ=";
const SOURCE: &str = "registry.terraform.io/lab/tiny";
const PROGRAM: &str = "terraform-provider-tiny_v1.0.0";
const MAIN: &str = r#"
terraform {
  required_providers {
    tiny = {
      source  = "lab/tiny"
      version = "1.0.0"
    }
  }
}
"#;
/// Where a process that is to fill a mirror finds all that it needs.
const FILLER: &str = "MENAGERIE_TEST_FILLER";

/// A root module that needs a small provider, the provider in a directory, and a mirror that is not there yet.
fn root(checksums: &str) -> Option<(Root, Mirror, FillOptions)> {
    let mut root = Root::new(MAIN)?;
    for platform in ["darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"] {
        let package = root.beside("packages").join(SOURCE).join("1.0.0").join(platform);
        fs::create_dir_all(package.join("docs")).unwrap();
        fs::write(package.join(PROGRAM), "#!/bin/sh\n").unwrap();
        fs::write(package.join("docs/README.md"), "tiny\n").unwrap();
    }
    let lock = format!(
        "provider \"{SOURCE}\" {{\n  version     = \"1.0.0\"\n  constraints = \"1.0.0\"\n  hashes = [\n    \"{checksums}\",\n  ]\n}}\n"
    );
    root.write(".terraform.lock.hcl", &lock);
    root.workdir.environment.remove(&OsString::from("TF_CLI_CONFIG_FILE"));
    root.workdir.environment.insert("HOME".into(), root.beside("home").into());
    let (mirror, options) = mirror(root.workdir.directory.parent().unwrap());
    Some((root, mirror, options))
}

fn mirror(scratch: &Path) -> (Mirror, FillOptions) {
    let mut environment = closed_environment(std::env::vars_os());
    environment.remove(&OsString::from("TF_CLI_CONFIG_FILE"));
    environment.insert("HOME".into(), scratch.join("home").into());
    let options = FillOptions {
        lock_file: scratch.join("root/.terraform.lock.hcl"),
        source: PackageSource::Directory(scratch.join("packages")),
        environment,
        runs_directory: scratch.join("runs"),
        limits: Limits::default(),
        retry: RetryOptions::default(),
    };
    (Mirror::new(scratch.join("mirror")), options)
}

fn fill(root: &Root, mirror: &Mirror, options: &FillOptions) -> Filled {
    done(mirror.fill(&root.terraform, options, &mut ignore, &root.cancel).unwrap())
}

/// Returns the package in the mirror; there is one.
fn package(mirror: &Mirror) -> PathBuf {
    let packages = fs::read_dir(mirror.providers().join(SOURCE).join("1.0.0")).unwrap();
    let packages: Vec<_> = packages.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(packages.len(), 1);
    packages[0].clone()
}

/// Checks that the package is whole, that nobody can write it, and that nothing else is left.
#[track_caller]
fn check(mirror: &Mirror) {
    let package = package(mirror);
    assert_eq!(fs::read_to_string(package.join(PROGRAM)).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs::read_to_string(package.join("docs/README.md")).unwrap(), "tiny\n");
    for path in [
        package.clone(),
        package.join(PROGRAM),
        package.join("docs"),
        package.join("docs/README.md"),
    ] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o222, 0, "{}", path.display());
    }
    let left = fs::read_dir(mirror.providers().parent().unwrap()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    left.retain(|name| name != "configurations");
    assert_eq!(left, ["lock", "providers"]);
}

#[test]
fn many_processes_fill_it_once() {
    let Some((root, mirror, _)) = root(CHECKSUM) else { return };
    let processes: Vec<_> = (0..8).map(|_| filler(&root).start().unwrap()).collect();
    let mut added = Vec::new();
    for process in processes {
        let output = process.into_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        added.push(text.matches("added lab/tiny").count());
        assert!(text.contains("filled\n"), "{text}");
    }
    added.sort_unstable();
    assert_eq!(added, [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(root.commands(), ["init"]);
    check(&mirror);
}

/// Returns a command that fills the mirror of a root module in a process of its own.
fn filler(root: &Root) -> duct::Expression {
    let program = std::env::current_exe().unwrap();
    duct::cmd(
        program,
        ["mirror::fills_the_mirror_of_another_test", "--exact", "--ignored", "--nocapture"],
    )
    .env(FILLER, root.beside(""))
    .stdout_capture()
}

#[test]
#[ignore = "other tests start it as a process of its own"]
fn fills_the_mirror_of_another_test() {
    let scratch = std::env::vars_os().find(|(name, _)| name == FILLER).map(|(_, value)| value);
    let scratch = PathBuf::from(scratch.expect("another test says where"));
    let (mirror, options) = mirror(&scratch);
    let explicit = Some(scratch.join("terraform")).filter(|path| path.exists());
    let search = Search { explicit, environment: options.environment.clone() };
    let terraform = Terraform::discover(&search).unwrap();
    let filled = done(mirror.fill(&terraform, &options, &mut ignore, &Cancel::default()).unwrap());
    for added in filled.added {
        println!("added {}", added.trim_start_matches("registry.terraform.io/"));
    }
    check(&mirror);
    println!("filled");
}

#[test]
fn a_killed_filler_leaves_no_half_of_it() {
    let Some((root, mirror, options)) = root(CHECKSUM) else { return };
    // It has written the half of a package, and writes on after its parent is dead.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = version ] && echo '{{\"terraform_version\": \"1.11.4\"}}' && exit\nfor platform in linux_amd64 linux_arm64 \
         darwin_amd64 darwin_arm64; do\n  mkdir -p \"$TF_DATA_DIR/providers/{SOURCE}/1.0.0/$platform\"\n  \
         echo half >\"$TF_DATA_DIR/providers/{SOURCE}/1.0.0/$platform/{PROGRAM}\"\ndone\necho $$ >'{0}.new'\nmv '{0}.new' '{0}'\nexec sleep 60\n",
        root.beside("pid").display()
    );
    fs::write(root.beside("terraform"), script).unwrap();
    fs::set_permissions(root.beside("terraform"), fs::Permissions::from_mode(0o755)).unwrap();
    let process = filler(&root).unchecked().start().unwrap();
    let pid = loop {
        if let Ok(pid) = fs::read_to_string(root.beside("pid")) {
            break pid;
        }
        assert!(process.try_wait().unwrap().is_none(), "it works until it is killed");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!mirror.providers().exists());
    assert_eq!(fill(&root, &mirror, &options).added.len(), 1);
    duct::cmd!("kill", "-9", pid.trim()).run().unwrap();
    check(&mirror);
    assert!(fill(&root, &mirror, &options).added.is_empty());
}

#[test]
fn a_package_that_was_not_closed_in_time_is_closed_by_the_next() {
    let Some((root, mirror, options)) = root(CHECKSUM) else { return };
    fill(&root, &mirror, &options);
    for directory in [package(&mirror), package(&mirror).join("docs")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert!(fill(&root, &mirror, &options).added.is_empty());
    check(&mirror);
}

#[test]
fn root_modules_take_their_providers_from_it() {
    let Some((mut root, mirror, options)) = root(CHECKSUM) else { return };
    let lock_file = fs::read_to_string(&options.lock_file).unwrap();
    let environment = &mut root.workdir.environment;
    // As long as nothing is there, nothing is taken from there.
    assert!(!mirror.serve(&root.terraform, &options.lock_file, environment).unwrap());
    fill(&root, &mirror, &options);
    fs::remove_dir_all(root.beside("packages")).unwrap();
    assert!(
        mirror.serve(&root.terraform, &options.lock_file, &mut root.workdir.environment).unwrap()
    );
    for data in ["one", "other"] {
        root.workdir.data_directory = root.beside(data);
        let init = InitOptions { lock_file_readonly: true, ..InitOptions::default() };
        done(root.workdir.init(&root.terraform, &init, &mut ignore, &root.cancel).unwrap());
        let installed = root.beside(data).join("providers").join(SOURCE).join("1.0.0");
        let link = installed.join(package(&mirror).file_name().unwrap());
        assert_eq!(fs::read_link(link).unwrap(), package(&mirror).canonicalize().unwrap());
    }
    assert_eq!(fs::read_to_string(&options.lock_file).unwrap(), lock_file);
    check(&mirror);
}

#[test]
fn the_configuration_of_the_user_is_kept() {
    let Some((mut root, mirror, mut options)) = root(CHECKSUM) else { return };
    let own = root.beside("own.tfrc");
    let packages = root.beside("packages");
    fs::write(
        &own,
        format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            packages.display()
        ),
    )
    .unwrap();
    root.workdir.environment.insert("TF_CLI_CONFIG_FILE".into(), own.clone().into());
    let before: BTreeMap<_, _> = root.workdir.environment.clone();
    assert!(
        !mirror.serve(&root.terraform, &options.lock_file, &mut root.workdir.environment).unwrap()
    );
    assert_eq!(root.workdir.environment, before);
    // It also says where the mirror's packages come from, unless the caller does.
    options.source = PackageSource::Configured;
    options.environment = before;
    fill(&root, &mirror, &options);
    check(&mirror);
}

#[test]
fn only_what_the_lock_file_vouches_for_comes_in() {
    let Some((root, mirror, options)) = root("zh:00") else { return };
    let fill = || mirror.fill(&root.terraform, &options, &mut ignore, &root.cancel);
    let error = fill().unwrap_err();
    let MirrorError::NotLocked { provider, checksum, .. } = &error else { panic!("{error}") };
    assert_eq!(
        (provider.as_str(), checksum.as_str()),
        (format!("{SOURCE} 1.0.0").as_str(), CHECKSUM)
    );
    let text = fs::read_to_string(&options.lock_file).unwrap();
    fs::write(
        &options.lock_file,
        text.replace("zh:00", "h1:AAAARV5kvUZobPXCFJwVj2QM05qEIp+BP0t2bSpblcQ="),
    )
    .unwrap();
    let ended = fill().unwrap();
    let Ended::Failed(failure) = ended else { panic!("{ended}") };
    assert!(failure.to_string().contains("doesn't match any of the checksums"), "{failure}");
    fs::remove_file(&options.lock_file).unwrap();
    assert!(matches!(fill().unwrap_err(), MirrorError::NoLockFile(_)));
    assert!(!mirror.providers().exists());
}

#[test]
fn a_filler_that_waits_is_interrupted() {
    let Some((root, mirror, options)) = root(CHECKSUM) else { return };
    fs::create_dir_all(root.beside("mirror")).unwrap();
    let lock =
        OpenOptions::new().create(true).append(true).open(root.beside("mirror/lock")).unwrap();
    lock.lock().unwrap();
    root.cancel.interrupt();
    let ended = mirror.fill(&root.terraform, &options, &mut ignore, &root.cancel).unwrap();
    assert_eq!(ended, Ended::Cancelled { forced: false });
    assert!(root.commands().is_empty());
}
