//! A generated root over the real provider: a whole life. `cargo xtask tf test` runs the modules' own tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, PipeWriter, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use menagerie_config::{Hosting, Project, Settings, Size};
use menagerie_template::{File, Root, Tags, Templates};
use tempfile::TempDir;

use crate::terraform::{built, has_terraform, succeed, terraform};
use crate::tree::tree;

/// A copy of the tf tree and a provider that serves it; both are gone when this is dropped.
struct Stage {
    directory: TempDir,
    provider: PathBuf,
    /// How Terraform finds the provider.
    reattach: String,
    /// The application.
    image: String,
    /// The provider lives for as long as this is open.
    hold: Option<PipeWriter>,
    handle: duct::Handle,
}

impl Stage {
    /// Returns `None` where something is absent that it needs.
    fn set() -> Option<Self> {
        if !has_terraform() {
            return None;
        }
        let (provider, image) = (built("menagerie-provider")?, built("sample-app")?);
        let directory = tempfile::tempdir().unwrap();
        copy(&tree(), &directory.path().join("tf"));
        let (stdin, hold) = std::io::pipe().unwrap();
        let (answer, stdout) = std::io::pipe().unwrap();
        let handle = duct::cmd(
            &provider,
            ["serve".as_ref(), "--dir".as_ref(), directory.path().join("local").as_os_str()],
        )
        .stdin_file(stdin)
        .stdout_file(stdout)
        .stderr_path(directory.path().join("provider.log"))
        .unchecked()
        .start()
        .unwrap();
        let mut reattach = String::new();
        BufReader::new(answer).read_line(&mut reattach).unwrap();
        let log = fs::read_to_string(directory.path().join("provider.log")).unwrap();
        assert!(!reattach.trim().is_empty(), "the provider does not serve: {log}");
        let image = image.to_str().unwrap().to_owned();
        Some(Self {
            reattach: reattach.trim().to_owned(),
            directory,
            provider,
            image,
            hold: Some(hold),
            handle,
        })
    }

    fn tf(&self, path: &str) -> PathBuf {
        self.directory.path().join("tf").join(path)
    }

    fn environment(&self) -> [(&str, &str); 1] {
        [("TF_REATTACH_PROVIDERS", self.reattach.as_str())]
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.hold = None;
        let served = self.handle.wait().map(|output| output.status.success());
        let arguments =
            ["down".as_ref(), "--dir".as_ref(), self.directory.path().join("local").as_os_str()]
                .map(ToOwned::to_owned);
        let down = duct::cmd(&self.provider, arguments).stdout_capture().unchecked().run();
        let down = down.is_ok_and(|output| output.status.success());
        if !std::thread::panicking() {
            assert!(
                served.is_ok_and(|success| success) && down,
                "the provider left something behind"
            );
        }
    }
}

/// Copies a tree, but not its environments.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The environments of this checkout are nobody's business here.
        if entry.file_name() == "envs" || entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_generated_root_lives_and_dies() {
    let Some(stage) = Stage::set() else { return };
    let directory = stage.tf("envs/calm-otter");
    fs::create_dir_all(&directory).unwrap();
    for File { path, text } in root().files {
        fs::write(directory.join(path), text).unwrap();
    }
    let environment = stage.environment();
    let image = format!("-var=image={}", stage.image);
    let backend = format!(
        "-backend-config=path={}",
        stage.directory.path().join("terraform.tfstate").display()
    );
    succeed(&directory, &["init", "-no-color", "-input=false", &backend], &environment);
    succeed(&directory, &["validate", "-no-color"], &environment);
    succeed(
        &directory,
        &["apply", "-no-color", "-input=false", "-auto-approve", &image],
        &environment,
    );

    let outputs = succeed(&directory, &["output", "-json"], &environment);
    let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
    assert_eq!(outputs["name"]["value"], "calm-otter");
    let shown = succeed(&directory, &["show", "-json"], &environment);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(given(&shown), variables(), "the application is given what was set");
    let page = get(outputs["url"]["value"].as_str().unwrap());
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("calm-otter"), "{page}");

    let again = terraform(
        &directory,
        &["plan", "-no-color", "-input=false", "-detailed-exitcode", &image],
        &environment,
    );
    let said = String::from_utf8_lossy(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "a plan after an apply has no changes: {said}");
    succeed(
        &directory,
        &["destroy", "-no-color", "-input=false", "-auto-approve", &image],
        &environment,
    );
    assert_eq!(succeed(&directory, &["state", "list"], &environment), "");
}

/// Variables that would be something else if they were pasted into HCL; in Unicode's normal form C, as Terraform has them.
fn variables() -> BTreeMap<String, String> {
    let texts = [
        "",
        "${path.module} $${x} %{ if true } %%{y}",
        "\"}\n}\nresource \"terraform_data\" \"pwned\" {}\n",
        "\\\" \\n \\u0041 \r\n\t\u{1}\u{7f}",
        "<<EOT\n${x}\nEOT\n",
        "# // /* {{ name }} {% raw %} {#",
        "漢字 é 👨‍👩‍👧 \u{202e}\u{feff}",
    ];
    let long = "\"${é\\\n".repeat(10_000 / 7);
    let texts = texts.into_iter().map(str::to_owned).chain([long]).enumerate();
    texts.map(|(index, text)| (format!("TEXT_{index}"), text)).collect()
}

fn root() -> menagerie_template::Rendered {
    let mut settings = Settings::default();
    for setting in ["database_engine=sqlite", "desired_count=2"] {
        settings.set(setting).unwrap();
    }
    for (name, value) in variables() {
        settings.set(&format!("environment.{name}={value}")).unwrap();
    }
    let name = "calm-otter".parse().unwrap();
    let project = Project::default();
    Templates::default()
        .render(&Root {
            name: &name,
            hosting: Hosting::Local,
            size: Size::Small,
            tags: Tags::default(),
            settings: &settings,
            project: &project,
        })
        .unwrap()
}

/// Returns the variables of the service in a state, without those that its modules set.
fn given(state: &serde_json::Value) -> BTreeMap<String, String> {
    let modules = state["values"]["root_module"]["child_modules"].as_array().unwrap();
    let service = modules
        .iter()
        .filter_map(|module| module["resources"].as_array())
        .flatten()
        .find(|resource| resource["type"] == "menagerie_service")
        .unwrap();
    let mut variables: BTreeMap<String, String> =
        serde_json::from_value(service["values"]["environment"].clone()).unwrap();
    assert_eq!(variables.remove("MENAGERIE_ENVIRONMENT").as_deref(), Some("calm-otter"));
    let collector = variables.remove("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap_or_default();
    assert!(collector.starts_with("http://127.0.0.1:"), "{collector}");
    variables.retain(|name, _| !name.starts_with("OTEL_"));
    variables
}

fn get(url: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
