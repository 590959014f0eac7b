//! [`look`]: refuses, before Terraform reads any of it, what a rehearsal can't stand in for.
//!
//! Whoever proposes a change decides what is in it, so nothing of it may be run or fetched: no provisioner, no provider but
//! those that the double serves, no module from elsewhere, no backend but the one that the rehearsal puts in its place.

use super::blocks::{self, Block};
use crate::file::{self, Context as _, FileError};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Component, Path};

/// The providers that are served, by the names that modules call them; `terraform` is a part of Terraform itself.
const SERVED: &[(&str, &str)] = &[
    ("aws", "hashicorp/aws"),
    ("kubernetes", "hashicorp/kubernetes"),
    ("nomad", "hashicorp/nomad"),
    ("datadog", "datadog/datadog"),
    ("newrelic", "newrelic/newrelic"),
];

/// Something that can't be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as seen from the top of the work tree.
    pub file: String,
    /// The line, from 1; `None` where it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, message } = self;
        match line {
            Some(line) => write!(formatter, "{file}:{line}: {message}"),
            None => write!(formatter, "{file}: {message}"),
        }
    }
}

/// What was found in a root module and all modules that it calls.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// What can't be rehearsed.
    pub(super) findings: Vec<Finding>,
    /// The directories that were looked into, as seen from the top of the tree.
    pub(super) directories: BTreeSet<String>,
}

/// Looks into a root module, given as seen from `tree`, and into all modules that it calls.
pub(super) fn look(tree: &Path, root_module: &str) -> Result<Look, FileError> {
    let mut look = Look::default();
    let mut waiting = vec![root_module.to_owned()];
    while let Some(directory) = waiting.pop() {
        if !look.directories.insert(directory.clone()) {
            continue;
        }
        let mut module = Module { directory: &directory, blocks: Vec::new(), findings: Vec::new() };
        module.read(tree, directory == root_module)?;
        let calls = module.judge();
        look.findings.append(&mut module.findings);
        for (file, line, source) in calls {
            match inside(&directory, &source) {
                Some(path) if tree.join(&path).is_dir() => waiting.push(path),
                Some(path) => look.findings.push(Finding {
                    file,
                    line: Some(line),
                    message: format!("there is no module in `{path}`"),
                }),
                None => look.findings.push(Finding {
                    file,
                    line: Some(line),
                    message: "the module is outside of `tf`, which is all that a rehearsal copies"
                        .to_owned(),
                }),
            }
        }
    }
    look.findings.sort();
    Ok(look)
}

/// Looks into the tests of modules, and into the modules that only they call.
pub(super) fn look_into_tests(
    tree: &Path,
    directories: &BTreeSet<String>,
) -> Result<Vec<Finding>, FileError> {
    let mut findings = Vec::new();
    for directory in directories {
        let mut module = Module { directory, blocks: Vec::new(), findings: Vec::new() };
        let mut calls = Vec::new();
        for place in [directory.clone(), format!("{directory}/tests")] {
            for name in file::list(&tree.join(&place))? {
                let path = format!("{place}/{name}");
                if name.ends_with(".tftest.json") {
                    module.find(
                        &path,
                        None,
                        "only tests in Terraform's own syntax can be rehearsed",
                    );
                } else if name.ends_with(".tftest.hcl") {
                    let file = tree.join(&path);
                    let text = fs::read_to_string(&file).during("read", &file)?;
                    match blocks::read(&text) {
                        Ok(blocks) => module.blocks.push((path, blocks)),
                        Err(unreadable) => {
                            module.find(&path, Some(unreadable.line), "this can't be read as HCL");
                        }
                    }
                }
            }
        }
        for (file, blocks) in std::mem::take(&mut module.blocks) {
            let runs = blocks.iter().filter(|block| block.kind == "run");
            for call in runs.flat_map(|run| &run.blocks).filter(|block| block.kind == "module") {
                calls.extend(module.call(&file, call));
            }
        }
        findings.append(&mut module.findings);
        for (file, line, source) in calls {
            match inside(directory, &source) {
                Some(path) if tree.join(&path).is_dir() => {
                    findings.extend(look(tree, &path)?.findings);
                }
                _ => findings.push(Finding {
                    file,
                    line: Some(line),
                    message: "there is no such module in `tf`".to_owned(),
                }),
            }
        }
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// One module while it is looked into.
struct Module<'a> {
    directory: &'a str,
    /// The files with their blocks.
    blocks: Vec<(String, Vec<Block>)>,
    findings: Vec<Finding>,
}

impl Module<'_> {
    fn read(&mut self, tree: &Path, is_root: bool) -> Result<(), FileError> {
        for name in file::list(&tree.join(self.directory))? {
            let path = format!("{}/{name}", self.directory);
            if [".tf.json", ".tofu", ".tofu.json"].iter().any(|suffix| name.ends_with(suffix)) {
                self.find(
                    &path,
                    None,
                    "only files in Terraform's own syntax, `*.tf`, can be rehearsed",
                );
                continue;
            }
            if Path::new(&name).extension().is_none_or(|kind| kind != "tf") {
                continue;
            }
            if is_root && (name == "override.tf" || name.ends_with("_override.tf")) {
                self.find(
                    &path,
                    None,
                    "an override could put another backend in the place of the rehearsal's",
                );
                continue;
            }
            let place = tree.join(&path);
            let text = fs::read_to_string(&place).during("read", &place)?;
            match blocks::read(&text) {
                Ok(blocks) => self.blocks.push((path, blocks)),
                Err(unreadable) => {
                    self.find(&path, Some(unreadable.line), "this can't be read as HCL");
                }
            }
        }
        Ok(())
    }

    /// Notes what can't be rehearsed; returns the modules that are called, each with file, line and source.
    fn judge(&mut self) -> Vec<(String, usize, String)> {
        let all = std::mem::take(&mut self.blocks);
        let names = self.providers(&all);
        let mut calls = Vec::new();
        for (file, blocks) in &all {
            for block in blocks {
                self.provisioners(file, block);
                match block.kind.as_str() {
                    "module" => calls.extend(self.call(file, block)),
                    "resource" | "data" | "ephemeral" | "action" | "list" => {
                        self.instance(file, block, &names);
                    }
                    "provider" => {
                        let name = block.labels.first().map_or("", String::as_str);
                        self.served(file, block.line, name, &names);
                    }
                    "terraform" => self.settings(file, block),
                    _ => {}
                }
            }
        }
        calls
    }

    /// Returns the providers that the module names, and notes those that are not served.
    fn providers(&mut self, all: &[(String, Vec<Block>)]) -> BTreeMap<String, bool> {
        let mut names = BTreeMap::from([("terraform".to_owned(), true)]);
        names.extend(SERVED.iter().map(|(name, _)| ((*name).to_owned(), true)));
        for (file, blocks) in all {
            let settings = blocks.iter().filter(|block| block.kind == "terraform");
            let required = settings.flat_map(|block| &block.blocks);
            for entry in required
                .filter(|block| block.kind == "required_providers")
                .flat_map(|block| &block.attributes)
            {
                let source = source(&entry.value);
                let is_served = source.as_deref().is_some_and(is_served);
                names.insert(entry.name.clone(), is_served);
                if !is_served {
                    let shown = source.unwrap_or_else(|| entry.name.clone());
                    self.find(file, Some(entry.line), &format!("the provider `{shown}` is not rehearsed: it would have to be fetched and run"));
                }
            }
        }
        names
    }

    fn provisioners(&mut self, file: &str, block: &Block) {
        for inner in &block.blocks {
            let is_one = inner.kind == "provisioner"
                || inner.labels.iter().any(|label| label == "provisioner");
            if is_one {
                self.find(
                    file,
                    Some(inner.line),
                    "a provisioner runs a program, so it is not rehearsed",
                );
            }
            self.provisioners(file, inner);
        }
    }

    fn call(&mut self, file: &str, block: &Block) -> Option<(String, usize, String)> {
        let source = block.attributes.iter().find(|attribute| attribute.name == "source");
        let line = source.map_or(block.line, |source| source.line);
        let literal = source.and_then(|source| source.literal());
        let local = literal.filter(|source| source.starts_with("./") || source.starts_with("../"));
        if local.is_none() {
            self.find(file, Some(line), "only modules of this repository are rehearsed, such as `../../modules/vpc`: another would have to be fetched");
        }
        local.map(|source| (file.to_owned(), line, source.to_owned()))
    }

    fn instance(&mut self, file: &str, block: &Block, names: &BTreeMap<String, bool>) {
        let kind = block.labels.first().map_or("", String::as_str);
        if kind == "terraform_remote_state" {
            self.find(file, Some(block.line), "`terraform_remote_state` reads a state that may be anywhere, so it is not rehearsed");
            return;
        }
        let provider = block.attributes.iter().find(|attribute| attribute.name == "provider");
        let (name, line) = match provider {
            Some(provider) => {
                (provider.value.trim().split(['.', '[']).next().unwrap_or_default(), provider.line)
            }
            None => (kind.split('_').next().unwrap_or_default(), block.line),
        };
        self.served(file, line, name, names);
    }

    fn served(&mut self, file: &str, line: usize, name: &str, names: &BTreeMap<String, bool>) {
        // Where `required_providers` names it, that was told there.
        if !names.contains_key(name) {
            self.find(
                file,
                Some(line),
                &format!(
                    "the provider `{name}` is not rehearsed: it would have to be fetched and run"
                ),
            );
        }
    }

    fn settings(&mut self, file: &str, block: &Block) {
        for inner in &block.blocks {
            let backend = inner.labels.first().map_or("", String::as_str);
            match inner.kind.as_str() {
                "cloud" => {
                    self.find(file, Some(inner.line), "a state in HCP Terraform is not rehearsed");
                }
                "backend" if !["s3", "local"].contains(&backend) => {
                    self.find(
                        file,
                        Some(inner.line),
                        &format!("a state in a backend `{backend}` is not rehearsed"),
                    );
                }
                _ => {}
            }
        }
    }

    fn find(&mut self, file: &str, line: Option<usize>, message: &str) {
        self.findings.push(Finding { file: file.to_owned(), line, message: message.to_owned() });
    }
}

/// Returns the source that an entry of `required_providers` has.
fn source(entry: &str) -> Option<String> {
    let body = entry.trim().strip_prefix('{')?.strip_suffix('}')?;
    // It is an object, whose entries a comma may end.
    let body = body.replace(',', "\n");
    let blocks = blocks::read(&format!("entry {{\n{body}\n}}")).ok()?;
    let mut sources = blocks[0].attributes.iter().filter(|attribute| attribute.name == "source");
    let source = sources.next()?.literal()?.to_owned();
    sources.next().is_none().then_some(source)
}

fn is_served(source: &str) -> bool {
    let hosts = ["", "registry.terraform.io/", "registry.opentofu.org/"];
    SERVED.iter().any(|(_, served)| hosts.iter().any(|host| source == format!("{host}{served}")))
        || source == "terraform.io/builtin/terraform"
}

/// Returns where a relative source leads, as seen from the top of the tree, where that is in `tf`.
fn inside(directory: &str, source: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').collect();
    for component in Path::new(source).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let is_in = parts.first() == Some(&"tf") && parts.iter().all(|part| !part.starts_with('.'));
    is_in.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "tf/envs/calm-otter";

    /// Looks into a root module with this `main.tf`, beside a module `tf/modules/a`.
    #[track_caller]
    fn check_file(name: &str, text: &str, expected: &[&str]) {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in
            [(format!("{ROOT}/{name}"), text), ("tf/modules/a/main.tf".to_owned(), "")]
        {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let look = look(directory.path(), ROOT).unwrap();
        let findings: Vec<_> = look.findings.iter().map(ToString::to_string).collect();
        let findings: Vec<_> =
            findings.iter().map(|finding| finding.strip_prefix(ROOT).unwrap()).collect();
        assert_eq!(findings, expected, "{text}");
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        check_file("main.tf", text, expected);
    }

    #[test]
    fn what_is_rehearsed() {
        check(
            "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"~> 6.60\"\n    }\n    dd = { source = \"datadog/datadog\", version = \"~> 4.0\" }\n  }\n  backend \"s3\" {}\n}\n\
             provider \"aws\" {}\nresource \"aws_vpc\" \"this\" {\n  # provisioner \"local-exec\" {}\n}\ndata \"dd_user\" \"a\" {}\n\
             module \"a\" {\n  source = \"../../modules/a\"\n}\nresource \"terraform_data\" \"x\" {}\nlocals { a = 1 }\n",
            &[],
        );
    }

    #[test]
    fn what_would_run_a_program() {
        let refused = ["/main.tf:2: a provisioner runs a program, so it is not rehearsed"];
        check(
            "resource \"terraform_data\" \"x\" {\n  provisioner \"local-exec\" { command = \"id\" }\n}",
            &refused,
        );
        check("removed {\n  provisioner \"local-exec\" {}\n}", &refused);
        check("resource \"aws_vpc\" \"x\" {\n  dynamic \"provisioner\" {}\n}", &refused);
        let external = [
            "/main.tf:1: the provider `external` is not rehearsed: it would have to be fetched and run",
        ];
        check("data \"external\" \"x\" { program = [\"id\"] }", &external);
        check("/* */ data external x {}", &external);
        check(
            "resource \"aws_vpc\" \"x\" {\n  provider = null.a\n}",
            &[
                "/main.tf:2: the provider `null` is not rehearsed: it would have to be fetched and run",
            ],
        );
        check(
            "data \"http\" \"x\" {}",
            &[
                "/main.tf:1: the provider `http` is not rehearsed: it would have to be fetched and run",
            ],
        );
        check(
            "ephemeral \"vault_x\" \"x\" {}",
            &[
                "/main.tf:1: the provider `vault` is not rehearsed: it would have to be fetched and run",
            ],
        );
        for source in ["evil.example.com/hashicorp/aws", "hashicorp/external"] {
            check(
                &format!(
                    "terraform {{\n  required_providers {{\n    aws = {{ source = \"{source}\" }}\n  }}\n}}\nresource \"aws_vpc\" \"x\" {{}}"
                ),
                &[&format!(
                    "/main.tf:3: the provider `{source}` is not rehearsed: it would have to be fetched and run"
                )],
            );
        }
    }

    #[test]
    fn what_would_be_fetched() {
        let remote = [
            "/main.tf:2: only modules of this repository are rehearsed, such as `../../modules/vpc`: another would have to be fetched",
        ];
        for source in [
            "\"git::https://example.com/a\"",
            "\"hashicorp/consul/aws\"",
            "\"/etc\"",
            "\"../${var.a}\"",
            "var.a",
            "\"..\\u002f\"",
        ] {
            check(&format!("module \"a\" {{\n  source = {source}\n}}"), &remote);
        }
        check("module \"a\" {}", &[&remote[0].replace(":2:", ":1:")]);
        for source in ["../../../x", "../../../../../etc", "../../.terraform/x"] {
            check(
                &format!("module \"a\" {{\n  source = \"{source}\"\n}}"),
                &[
                    "/main.tf:2: the module is outside of `tf`, which is all that a rehearsal copies",
                ],
            );
        }
        check(
            "module \"a\" {\n  source = \"./x\"\n}",
            &["/main.tf:2: there is no module in `tf/envs/calm-otter/x`"],
        );
    }

    #[test]
    fn other_states() {
        check(
            "terraform {\n  cloud {}\n}",
            &["/main.tf:2: a state in HCP Terraform is not rehearsed"],
        );
        check(
            "terraform {\n  backend \"http\" {}\n}",
            &["/main.tf:2: a state in a backend `http` is not rehearsed"],
        );
        check(
            "data \"terraform_remote_state\" \"x\" {}",
            &[
                "/main.tf:1: `terraform_remote_state` reads a state that may be anywhere, so it is not rehearsed",
            ],
        );
        for name in ["zzz_override.tf", "override.tf"] {
            check_file(
                name,
                "",
                &[&format!(
                    "/{name}: an override could put another backend in the place of the rehearsal's"
                )],
            );
        }
    }

    #[test]
    fn what_is_not_looked_through() {
        for name in ["main.tf.json", "main.tofu", "a.tofu.json", "zz_override.tf.json"] {
            check_file(
                name,
                "",
                &[&format!(
                    "/{name}: only files in Terraform's own syntax, `*.tf`, can be rehearsed"
                )],
            );
        }
        check("a = {\n", &["/main.tf:2: this can't be read as HCL"]);
    }

    #[test]
    fn tests_are_looked_into() {
        let directory = tempfile::tempdir().unwrap();
        let files = [
            (
                "tf/modules/a/tests/a.tftest.hcl",
                "run \"x\" {\n  module {\n    source = \"./tests/setup\"\n  }\n}\nrun \"y\" {\n  module {\n    source = \"git::https://example.com/x\"\n  }\n}\n",
            ),
            ("tf/modules/a/tests/setup/main.tf", "data \"external\" \"x\" {}"),
            ("tf/modules/a/tests/b.tftest.json", "{}"),
        ];
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = look_into_tests(directory.path(), &["tf/modules/a".to_owned()].into()).unwrap();
        let places: Vec<_> =
            found.iter().map(|finding| (finding.file.as_str(), finding.line)).collect();
        assert_eq!(
            places,
            [
                ("tf/modules/a/tests/a.tftest.hcl", Some(8)),
                ("tf/modules/a/tests/b.tftest.json", None),
                ("tf/modules/a/tests/setup/main.tf", Some(1)),
            ]
        );
    }

    #[test]
    fn modules_that_are_called_are_looked_into() {
        let directory = tempfile::tempdir().unwrap();
        let files = [
            ("tf/envs/x/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}"),
            ("tf/modules/a/main.tf", "module \"b\" {\n  source = \"./b\"\n}"),
            (
                "tf/modules/a/b/main.tf",
                "module \"a\" {\n  source = \"../../a\"\n}\ndata \"http\" \"x\" {}",
            ),
        ];
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let look = look(directory.path(), "tf/envs/x").unwrap();
        assert_eq!(look.findings.len(), 1, "{:?}", look.findings);
        assert_eq!(look.findings[0].file, "tf/modules/a/b/main.tf");
        assert_eq!(look.directories.len(), 3);
    }
}
