//! The program as it is run: packages, settings and files are real, and small; there is no network.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]
#![expect(clippy::disallowed_methods, reason = "a test starts a process group of its own")]

#[cfg(test)]
mod known;

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use flate2::{Compression, write::GzEncoder};
use insta::assert_snapshot;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

const PROVIDER: &str = r"
export class ParkProvider extends cdktn.TerraformProvider {
  // alias - computed: false, optional: true, required: false
  // region - computed: false, optional: true, required: false
  private _region?: string;
  public get region() {
    return this._region;
  }
}
";

const GATE: &str = r#"
export interface GateConfig extends cdktn.TerraformMetaArguments {
  /**
  * lock block
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#lock Gate#lock}
  */
  readonly lock?: GateLock;
}
export class GateLockOutputReference extends cdktn.ComplexObject {
  // code - computed: false, optional: false, required: true
  public get code() {
    return this.getStringAttribute('code');
  }
}
export class Gate extends cdktn.TerraformResource {
  // arn - computed: true, optional: false, required: false
  public get arn() {
    return this.getStringAttribute('arn');
  }
  // lock - computed: false, optional: true, required: false
  private _lock = new GateLockOutputReference(this, "lock");
}
"#;

const BENCH: &str = r"
export class DataParkBench extends cdktn.TerraformDataSource {
  // seats - computed: true, optional: false, required: false
  public get seats() {
    return this.getNumberAttribute('seats');
  }
}
";

/// What the generator cuts off where it is too deep.
const MAZE: &str = r"
export class Maze extends cdktn.TerraformResource {
  // ways - computed: true, optional: false, required: false
  public get ways() {
    return this.interpolationForAttribute('ways');
  }
}
";

/// Returns JavaScript that carries its TypeScript, as packages have it.
fn javascript(class: &str, base: &str, name: &str, typescript: &str) -> String {
    let map = serde_json::json!({ "version": 3, "sourcesContent": [typescript] }).to_string();
    let map = BASE64_STANDARD.encode(map);
    format!(
        "class {class} extends cdktn.{base} {{\n  super(scope, id, {{ terraformResourceType: '{name}' }});\n}}\n//# sourceMappingURL=data:application/json;base64,{map}\n"
    )
}

/// Returns a wheel with these files in its archive.
fn wheel(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len().try_into().unwrap());
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("package/{name}"), content.as_bytes()).unwrap();
    }
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let mut wheel = zip::ZipWriter::new(Cursor::new(Vec::new()));
    wheel.start_file("park/_jsii/park@1.0.0.jsii.tgz", SimpleFileOptions::default()).unwrap();
    wheel.write_all(&archive).unwrap();
    wheel.finish().unwrap().into_inner()
}

/// A package, and settings that want something of it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new(wanted: &str) -> Self {
        let package = r#"{"name": "park", "cdktn": {"provider": {"name": "example/park", "version": "1.2.3"}}}"#;
        let wheel = wheel(&[
            ("lib/gate/index.js", &javascript("Gate", "TerraformResource", "park_gate", GATE)),
            (
                "lib/park/data-park-bench.js",
                &javascript("DataParkBench", "TerraformDataSource", "park_bench", BENCH),
            ),
            ("lib/maze/index.js", &javascript("Maze", "TerraformResource", "park_maze", MAZE)),
            (
                "lib/provider/index.js",
                &javascript("ParkProvider", "TerraformProvider", "park", PROVIDER),
            ),
            ("package.json", package),
        ]);
        let place = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(place.schemas()).unwrap();
        fs::create_dir(place.packages()).unwrap();
        fs::write(place.packages().join("cdktn_provider_park-7.0.0-py3-none-any.whl"), &wheel)
            .unwrap();
        let sum = Sha256::digest(&wheel)
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        place.want(&format!(
            "[park]\nsource = \"example/park\"\nversion = \"1.2.3\"\npackage = {{ name = \"cdktn-provider-park\", version = \"7.0.0\", sha256 = \"{sum}\" }}\n{wanted}"
        ));
        place
    }

    fn schemas(&self) -> PathBuf {
        self.directory.path().join("schemas")
    }

    fn packages(&self) -> PathBuf {
        self.directory.path().join("packages")
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.schemas().join("providers.toml")).unwrap()
    }

    fn want(&self, settings: &str) {
        fs::write(self.schemas().join("providers.toml"), settings).unwrap();
    }

    fn schema(&self) -> String {
        let file = fs::File::open(self.schemas().join("park.json.gz")).unwrap();
        let mut json = String::new();
        GzDecoder::new(file).read_to_string(&mut json).unwrap();
        json
    }

    fn update(&self, arguments: &[&str]) -> String {
        let directories =
            ["--schemas".into(), self.schemas(), "--packages".into(), self.packages()];
        let mut all: Vec<std::ffi::OsString> = vec!["update".into()];
        all.extend(directories.map(Into::into));
        all.extend(arguments.iter().map(Into::into));
        self.run(&all)
    }

    /// Runs it where there is neither Terraform nor Python, and returns exit code and output.
    fn run(&self, arguments: &[std::ffi::OsString]) -> String {
        let output = duct::cmd(env!("CARGO_BIN_EXE_menagerie-schema"), arguments)
            .env("PATH", self.directory.path())
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(self.directory.path().to_str().unwrap(), "…")
        };
        format!(
            "exit {}\n{}{}",
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        )
    }
}

const WANTED: &str = "resources = [\"park_gate\"]\ndata_sources = [\"park_bench\"]\n";

#[test]
fn a_package_becomes_a_schema() {
    let place = Place::new(&format!("{WANTED}sensitive = [\"park_gate.lock.code\"]\n"));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 0
    park 1.2.3: 1 resources, 1 data sources, 0 ephemeral resources: new
    ");
    assert_snapshot!(place.schema(), @r#"{"provider":{"version":0,"block":{"attributes":{"region":{"type":"string","optional":true}}}},"resource_schemas":{"park_gate":{"version":0,"block":{"attributes":{"arn":{"type":"string","computed":true}},"block_types":{"lock":{"nesting_mode":"list","block":{"attributes":{"code":{"type":"string","required":true,"sensitive":true}}},"max_items":1}}}}},"data_source_schemas":{"park_bench":{"version":0,"block":{"attributes":{"seats":{"type":"number","computed":true}}}}}}"#);
    let bytes = fs::read(place.schemas().join("park.json.gz")).unwrap();
    assert_snapshot!(place.update(&["--from", "package", "--check"]), @"
    exit 0
    park 1.2.3: 1 resources, 1 data sources, 0 ephemeral resources: unchanged
    ");
    fs::remove_file(place.schemas().join("park.json.gz")).unwrap();
    place.update(&["--from", "package"]);
    assert_eq!(fs::read(place.schemas().join("park.json.gz")).unwrap(), bytes);
}

#[test]
fn what_changed_is_said_and_a_check_writes_nothing() {
    let place = Place::new(WANTED);
    place.update(&["--from", "package"]);
    let before = place.schema();
    place.want(
        &place
            .settings()
            .replace("data_sources = [\"park_bench\"]", "sensitive = [\"park_gate.arn\"]"),
    );
    assert_snapshot!(place.update(&["--from", "package", "--check"]), @"
    exit 1
    park 1.2.3: 1 resources, 0 data sources, 0 ephemeral resources: changed
      - type data.park_bench
      ~ resource.park_gate.arn: sensitive: false → true
    error: `park.json.gz` would change
    hint: run it without `--check`, read what changed, and commit it
    ");
    assert_eq!(place.schema(), before);
}

#[test]
fn what_is_newer_than_the_version_is_added() {
    let place = Place::new(WANTED);
    place.update(&["--from", "package"]);
    let settings = place.settings();
    place.want(&format!(
        "{settings}[park.newer]\n\"park_gate.arn\" = {{ type = \"string\", optional = true, computed = true }}\n\"park_gate.key_wo\" = {{ type = \"string\", optional = true, write_only = true }}\n"
    ));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 0
    park 1.2.3: 1 resources, 1 data sources, 0 ephemeral resources: changed
      ~ resource.park_gate.arn: optional: false → true
      + resource.park_gate.key_wo
    ");
    assert!(
        place.schema().contains(r#""key_wo":{"type":"string","optional":true,"write_only":true}"#)
    );
}

#[test]
fn without_either_way_both_answers_are_told() {
    let place = Place::new(WANTED);
    fs::remove_dir_all(place.packages()).unwrap();
    assert_snapshot!(place.update(&[]), @"
    exit 1
    The registry did not answer for park; trying its package
    Fetching cdktn-provider-park 7.0.0 from the Python package index
    error: neither the registry nor the package index gave the schema of `park`
      registry: there is no Terraform that can be used: neither `terraform` nor `tofu` is on the PATH
      package:  failed to start `python3 -m pip download --no-deps cdktn-provider-park==7.0.0`: No such file or directory (os error 2)
    hint: connect this machine to either of them, or put the package's wheel into the directory of packages
    ");
    assert_snapshot!(place.update(&["--from", "registry"]), @"
    exit 1
    error: failed to ask the registry for the schema of `park`: there is no Terraform that can be used: neither `terraform` nor `tofu` is on the PATH
    ");
}

#[test]
fn what_is_not_there_is_not_made_up() {
    let place = Place::new(WANTED);
    let settings = place.settings();
    assert_snapshot!(place.update(&["prak"]), @"
    exit 2
    error: there is no provider `prak`
    hint: did you mean `park`?
    ");
    place.want(&settings.replace("park_gate", "park_gates"));
    assert_snapshot!(place.update(&["--from", "package"]), @r#"
    exit 1
    error: `park` 1.2.3 has no `resource "park_gates"`
    hint: did you mean `park_gate`?
    "#);
    place.want(&settings.replace("park_gate", "park_maze"));
    assert_snapshot!(place.update(&["--from", "package"]), @r#"
    exit 1
    error: failed to make the schema of `park` from its package: failed to read `resource "park_maze"` out of the package: the package does not say what `ways` is: its generator leaves it out where it is too deep
    "#);
    place.want(&format!("{settings}sensitive = [\"park_gate.key\"]\n"));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 1
    error: `park` has no attribute `park_gate.key`, which `providers.toml` names
    ");
    place.want(&format!("{settings}newer = {{ \"park_fence.key\" = {{ type = \"string\" }} }}\n"));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 1
    error: `park` has no attribute `park_fence.key`, which `providers.toml` names
    ");
    place.want(&format!("{settings}extra = {{ park_fence = \"later\" }}\n"));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 1
    error: `…/schemas/providers.toml` is not valid: park: `extra` has a reason for `park_fence`, which is in no list
    ");
    assert!(!place.schemas().join("park.json.gz").exists());
}

#[test]
fn a_package_of_something_else_is_refused() {
    let place = Place::new(WANTED);
    let settings = place.settings();
    place.want(&settings.replace("1.2.3", "1.2.4"));
    assert_snapshot!(place.update(&["--from", "package"]), @"
    exit 1
    error: the package of `park` is made from version 1.2.3, and `providers.toml` says 1.2.4
    hint: change `version`, or take the package that was made from it
    ");
    place.want(&settings);
    let path = place.packages().join("cdktn_provider_park-7.0.0-py3-none-any.whl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.push(0);
    fs::write(&path, bytes).unwrap();
    let said = place.update(&["--from", "package"]);
    assert!(
        said.starts_with("exit 1\n")
            && said.contains("the SHA-256 of `…/packages/cdktn_provider_park"),
        "{said}"
    );
    assert!(said.contains("hint: if it is a broken download, remove `"), "{said}");
}

#[test]
fn two_schemas_are_compared() {
    let place = Place::new(WANTED);
    place.update(&["--from", "package"]);
    let other = r#"{"format_version": "1.0", "provider_schemas": {"registry.terraform.io/example/park": {
        "provider": {"version": 0, "block": {"attributes": {"region": {"type": "string", "optional": true, "description_kind": "plain"}}}},
        "resource_schemas": {"park_gate": {"version": 1, "block": {
            "attributes": {"arn": {"type": ["list", "string"], "computed": true, "sensitive": true}, "id": {"type": "string", "computed": true}},
            "block_types": {"lock": {"nesting_mode": "set", "max_items": 3, "block": {}}}
        }}, "park_tree": {"version": 0, "block": {}}}
    }}}"#;
    let path = |name: &str| place.directory.path().join(name).into_os_string();
    fs::write(path("other.json"), other).unwrap();
    let (first, second) = (path("schemas/park.json.gz"), path("other.json"));
    assert_snapshot!(place.run(&["compare".into(), "--list".into(), first.clone(), second]), @"
    exit 0
    resource.park_gate.arn: type: string → list(string)
    resource.park_gate.arn: sensitive: false → true
    resource.park_gate.id: only in the second
    resource.park_gate.lock: nesting of a block: list → set
    resource.park_gate.lock: largest number of blocks: 1 → 3
    resource.park_gate.lock.code: only in the first
    types that both have: 1
    attributes and blocks that both have: 3
    of those, different in any way: 2 (66.67 %)
      only in the first              1
      only in the second             1
      type                           1
      sensitive                      1
      nesting of a block             1
      largest number of blocks       1
    ");
    let wheel = path("packages/cdktn_provider_park-7.0.0-py3-none-any.whl");
    assert_snapshot!(place.run(&["compare".into(), wheel, first.clone()]), @r#"
    exit 0
    types that both have: 2
    attributes and blocks that both have: 5
    of those, different in any way: 0 (0.00 %)
    left out: failed to read `resource "park_maze"` out of the package: the package does not say what `ways` is: its generator leaves it out where it is too deep
    "#);
    fs::write(path("none.json"), r#"{"provider_schemas": {}}"#).unwrap();
    assert_snapshot!(place.run(&["compare".into(), first, path("none.json")]), @"
    exit 1
    error: `…/none.json` holds the schemas of 0 providers, and should hold that of one
    ");
}

#[test]
fn ctrl_c_ends_it_and_the_download_that_runs() {
    let place = Place::new(WANTED);
    fs::remove_dir_all(place.packages()).unwrap();
    // A download that would take long; it is asked to stop, as the terminal asks all that it runs.
    let python = place.directory.path().join("python3");
    let started = place.directory.path().join("started");
    let script = format!(
        "#!/bin/sh\ntrap 'exit 1' INT\n: >'{}'\nwhile :; do /bin/sleep 0.05; done\n",
        started.display()
    );
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_menagerie-schema"));
    command.args(["update", "--from", "package", "--schemas"]).arg(place.schemas());
    command.arg("--packages").arg(place.packages()).env("PATH", place.directory.path());
    command.stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let running = command.spawn().unwrap();
    let start = Instant::now();
    while !started.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "no download is started");
        thread::sleep(Duration::from_millis(20));
    }
    let group = format!("-{}", running.id());
    duct::cmd!("kill", "-INT", "--", group).run().unwrap();
    let output = running.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.ends_with("error: interrupted; what was made before that is whole\n"),
        "{stderr}"
    );
}
