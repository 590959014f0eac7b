//! What another team gets: each crate as a package, and small programs outside of this workspace that use one of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use crate::playground::has;

/// Names an environment, and a load balancer after it.
const NAMING: &str = r#"
use menagerie_naming::{EnvName, Taken, draw, fit, limit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let living: EnvName = "calm-otter".parse()?;
    let name = draw(None, &Taken::new([living.clone()], []))?;
    assert_ne!(name, living);
    println!("{}", fit(&living, "web", limit::LOAD_BALANCER)?);
    println!("{}", "Calm Otter".parse::<EnvName>().unwrap_err());
    Ok(())
}
"#;

/// Plans the root module that it is told, which belongs to somebody else.
const TERRAFORM: &str = r#"
use std::path::{Path, PathBuf};

use menagerie_terraform::menagerie_plan::Summary;
use menagerie_terraform::{
    Cancel, Ended, InitOptions, Notice, PlanOptions, Search, Terraform, Workdir, closed_environment,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [directory, scratch] = &arguments[..] else { return Err("usage: plan ROOT SCRATCH".into()) };
    println!("{}", preview(directory, scratch)?);
    Ok(())
}

fn preview(directory: &Path, scratch: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let environment = closed_environment(std::env::vars_os());
    let terraform = Terraform::discover(&Search { explicit: None, environment: environment.clone() })?;
    let workdir = Workdir::new(directory, scratch, environment);
    let (init, plan, cancel) = (InitOptions::default(), PlanOptions::default(), Cancel::default());
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Event(event) = notice {
            eprintln!("{}", event.message());
        }
    };
    Ok(match workdir.preview(&terraform, &init, &plan, &mut notices, &cancel)? {
        Ended::Done(plan) => Summary::of(&plan).to_string(),
        other => format!("not planned: {other}"),
    })
}
"#;

/// Where the packages lie, unpacked; each test run makes them anew.
static PACKAGES: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = target().join("foreign/packages");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let mut arguments = ["package", "--no-verify", "--allow-dirty", "--offline", "--locked"]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(libraries().into_iter().flat_map(|name| ["--package".to_owned(), name]));
    arguments
        .extend(["--target-dir".to_owned(), directory.parent().unwrap().display().to_string()]);
    let packed =
        duct::cmd(env!("CARGO"), arguments).dir(root()).stderr_capture().unchecked().run().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let made = directory.parent().unwrap().join("package");
    for package in fs::read_dir(made).unwrap().map(|entry| entry.unwrap().path()) {
        if package.extension().is_some_and(|extension| extension == "crate") {
            // With the time of now: packages of different content carry one and the same otherwise, and cargo goes by that.
            duct::cmd!("tar", "-xzmf", package, "-C", &directory).run().unwrap();
        }
    }
    directory
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the target directory that this test was built in.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Returns the crates that may be published, as cargo sees it.
fn libraries() -> Vec<String> {
    let metadata = duct::cmd!(env!("CARGO"), "metadata", "--no-deps", "--format-version", "1");
    let metadata: Value = serde_json::from_str(&metadata.dir(root()).read().unwrap()).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let published = packages.filter(|package| package["publish"].is_null());
    published.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

/// Makes a program outside of the workspace that depends on crates of ours, and builds it without the network.
fn build(program: &str, dependencies: &[String]) -> PathBuf {
    let directory = target().join("foreign").join(program);
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("src/main.rs"), source(program)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let mut manifest = format!(
        "[package]\nname = \"{program}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n"
    );
    for name in dependencies {
        writeln!(manifest, "{name} = \"{version}\"").unwrap();
    }
    manifest += "\n[patch.crates-io]\n";
    for name in libraries() {
        let package = PACKAGES.join(folder(&name));
        writeln!(manifest, "{name} = {{ path = \"{}\" }}", package.display()).unwrap();
    }
    let ours = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    // With the same profile what others wrote is built once for all.
    manifest += &ours[ours.find("\n[profile.").unwrap()..];
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root().join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let built = duct::cmd!(env!("CARGO"), "build", "--offline", "--target-dir", target())
        .dir(&directory)
        .stderr_capture()
        .unchecked()
        .run()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target().join("debug").join(program)
}

fn source(program: &str) -> &'static str {
    match program {
        "foreign-naming" => NAMING,
        "foreign-terraform" => TERRAFORM,
        _ => "fn main() {}\n",
    }
}

#[test]
fn a_program_that_depends_on_naming_only() {
    let program = build("foreign-naming", &["menagerie-naming".to_owned()]);
    let output = duct::cmd!(program).read().unwrap();
    insta::assert_snapshot!(output, @r#"
    calm-otter-web
    a name is lower-case, but character 1 is `C`
    "#);
}

#[test]
fn a_program_that_depends_on_terraform_only() {
    let program = build("foreign-terraform", &["menagerie-terraform".to_owned()]);
    if !has("terraform") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(
        root.join("main.tf"),
        "resource \"terraform_data\" \"web\" {\n  input = \"hello\"\n}\n",
    )
    .unwrap();
    let output =
        duct::cmd!(program, &root, scratch.path().join("scratch")).stderr_null().read().unwrap();
    insta::assert_snapshot!(output, @r#"
      + terraform_data.web
          id: (known after apply)
          input: "hello"
          output: (known after apply)
    Plan: 1 to create
    "#);
    let left: Vec<_> =
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["main.tf"], "nothing is left in a directory of somebody else");
}

#[test]
fn every_package_builds_from_what_is_in_it() {
    let all = libraries();
    let (libraries, programs): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|name| PACKAGES.join(folder(name)).join("src/lib.rs").exists());
    build("foreign-all", &libraries);
    for name in libraries.iter().chain(&programs) {
        let package = PACKAGES.join(folder(name));
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        for key in ["description", "license", "rust-version"] {
            assert!(manifest.contains(&format!("\n{key} = ")), "`{name}` has no {key}");
        }
    }
    for name in programs {
        assert!(
            PACKAGES.join(folder(&name)).join("src/main.rs").exists(),
            "`{name}` has no sources"
        );
    }
}

/// Returns where a crate's package lies among the packages.
fn folder(name: &str) -> String {
    format!("{name}-{}", env!("CARGO_PKG_VERSION"))
}
