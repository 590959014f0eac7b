//! Against a schema that was not made by this program: what the provider `aws` of 2021 says of itself.
//!
//! It is the one provider that can be had as a package. What the package of today's version says differs from it in two ways: by what
//! packages do not tell, and by what the provider has changed since. `docs/rehearsal.md` explains each.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;

const PLUGIN: &str = "terraform-provider-aws_3.39.0_linux_amd64.zip";
const PACKAGE: &str = "cdktn_provider_aws-25.8.1-py3-none-any.whl";

/// Returns a file of `target/`, or says why the test is skipped, or fails it where nothing may be.
fn file(path: &str, how: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(path);
    if path.is_file() {
        return Some(path.canonicalize().unwrap());
    }
    let required =
        std::env::vars().any(|(name, value)| name == "MENAGERIE_REQUIRE" && value == "all");
    assert!(!required, "MENAGERIE_REQUIRE=all: there is no `{}`: {how}", path.display());
    println!("skipped: there is no `{}`: {how}", path.display());
    None
}

/// Has the plugin's schema written to a file.
fn ask(plugin: &Path, directory: &Path) -> PathBuf {
    let mirror = directory.join("mirror/registry.terraform.io/hashicorp/aws");
    fs::create_dir_all(&mirror).unwrap();
    fs::copy(plugin, mirror.join(PLUGIN)).unwrap();
    let settings = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        directory.join("mirror").display()
    );
    fs::write(directory.join("terraformrc"), settings).unwrap();
    let root = "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"3.39.0\"\n    }\n  }\n}\n";
    fs::write(directory.join("main.tf"), root).unwrap();
    let terraform = |arguments: &[&str]| {
        duct::cmd("terraform", arguments)
            .dir(directory)
            .env("TF_CLI_CONFIG_FILE", directory.join("terraformrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_REATTACH_PROVIDERS")
            .env_remove("TF_CLI_ARGS")
            .env_remove("TF_DATA_DIR")
            .env_remove("TF_WORKSPACE")
    };
    terraform(&["init", "-input=false", "-no-color"]).stdout_null().run().unwrap();
    let schema = directory.join("aws.json");
    terraform(&["providers", "schema", "-json"]).stdout_path(&schema).run().unwrap();
    schema
}

#[test]
fn the_provider_of_2021_against_the_package_of_today() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("skipped: the plugin's package is for Linux on x86-64 only");
        return;
    }
    let plugin = file(&format!("ci/aws/{PLUGIN}"), "`.ci/run` fetches it");
    let package = file(
        &format!("schema/{PACKAGE}"),
        "`cargo xtask schema update aws --from package` fetches it",
    );
    let (Some(plugin), Some(package)) = (plugin, package) else { return };
    let directory = tempfile::tempdir().unwrap();
    let schema = ask(&plugin, directory.path());
    let compared = duct::cmd!(env!("CARGO_BIN_EXE_menagerie-schema"), "compare", schema, package);
    assert_snapshot!(compared.stderr_null().read().unwrap(), @"
    types that both have: 929
    attributes and blocks that both have: 13683
    of those, different in any way: 751 (5.49 %)
      only in the first            109
      only in the second          3399
      block or attribute             7
      type                         113
      required                     125
      optional                     177
      computed                     199
      sensitive                     98
      nesting of a block            12
      least number of blocks        20
      largest number of blocks     188
    ");
}
