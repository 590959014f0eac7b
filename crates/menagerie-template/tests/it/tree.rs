//! The rules of the tf tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hcl_edit::structure::{Block, Body};

use crate::terraform::{has_terraform, succeed};

/// The repository's `tf`.
pub(crate) fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tf")
}

/// A module or a root: every directory with `*.tf` but the environments themselves.
pub(crate) struct Module {
    pub(crate) directory: PathBuf,
    files: BTreeMap<String, String>,
}

/// What Terraform is run in; all else is a module of theirs, or of an environment's root.
const ROOTS: &[&str] = &["common", "production"];

impl Module {
    /// Returns its place in the tree: `modules/vpc`.
    pub(crate) fn path(&self) -> String {
        self.directory.strip_prefix(tree()).unwrap().to_str().unwrap().to_owned()
    }

    pub(crate) fn is_root(&self) -> bool {
        ROOTS.contains(&self.path().as_str())
    }

    pub(crate) fn parse(&self, file: &str) -> Body {
        let path = self.directory.join(file);
        self.files
            .get(file)
            .unwrap_or_else(|| panic!("`{}` is missing", path.display()))
            .parse()
            .unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&String, Block)> {
        let blocks = |file: &String| self.parse(file).into_blocks().collect::<Vec<_>>();
        self.files
            .keys()
            .flat_map(move |file| blocks(file).into_iter().map(move |block| (file, block)))
    }
}

pub(crate) fn modules() -> Vec<Module> {
    fn collect(directory: &Path, modules: &mut Vec<Module>) {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "envs" && !name.starts_with('.') {
                collect(&path, modules);
            } else if path.extension().is_some_and(|extension| extension == "tf") {
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
        if !files.is_empty() {
            modules.push(Module { directory: directory.to_owned(), files });
        }
    }
    let mut modules = Vec::new();
    collect(&tree(), &mut modules);
    assert!(modules.len() >= 3, "the tree is not where it was");
    modules
}

/// Returns the modules that share an interface: the directories under `tf/modules/<kind>`.
fn siblings(kind: &str) -> Vec<Module> {
    let parent = tree().join("modules").join(kind);
    let siblings: Vec<_> =
        modules().into_iter().filter(|module| module.directory.parent() == Some(&parent)).collect();
    assert!(!siblings.is_empty(), "there is no {kind}");
    siblings
}

pub(crate) fn label(block: &Block) -> &str {
    block.labels.first().map_or("", |label| label.as_str())
}

pub(crate) fn text<'a>(block: &'a Block, attribute: &str) -> Option<&'a str> {
    block.body.get_attribute(attribute)?.value.as_str()
}

#[test]
fn files_are_those_of_the_style_guide() {
    for module in modules() {
        let files: Vec<_> = module.files.keys().map(String::as_str).collect();
        let place = module.directory.display();
        for file in ["outputs.tf", "terraform.tf", "variables.tf"] {
            assert!(files.contains(&file), "{place} has no {file}");
        }
        for file in ["backend.tf", "providers.tf"] {
            assert_eq!(files.contains(&file), module.is_root(), "{place}: {file} is a root's");
        }
        // A large one has more files like `main.tf`, or instead of it, named after what is in them.
        let homes = [
            ("terraform", "terraform.tf"),
            ("variable", "variables.tf"),
            ("output", "outputs.tf"),
            ("provider", "providers.tf"),
        ];
        for (file, block) in module.blocks() {
            let kind = block.ident.as_str();
            if file == "backend.tf" {
                let names: Vec<_> =
                    block.body.blocks().map(|inner| inner.ident.as_str().to_owned()).collect();
                assert_eq!(
                    (kind, &names[..]),
                    ("terraform", &["backend".to_owned()][..]),
                    "{place}"
                );
                continue;
            }
            for (lodger, home) in homes {
                assert_eq!(
                    kind == lodger,
                    file == home,
                    "{place}/{file}: {kind} `{}`",
                    label(&block)
                );
            }
        }
        let body = module.parse("terraform.tf");
        let terraform: Vec<_> = body.get_blocks("terraform").collect();
        assert_eq!(terraform.len(), 1, "{place}");
        assert_eq!(text(terraform[0], "required_version"), Some(">= 1.11.0"), "{place}");
    }
}

#[test]
fn variables_and_outputs_say_what_they_are() {
    for module in modules() {
        for (_, block) in module
            .blocks()
            .filter(|(_, block)| ["variable", "output"].contains(&block.ident.as_str()))
        {
            let place = format!("{}: `{}`", module.directory.display(), label(&block));
            let description = text(&block, "description").unwrap_or_default();
            assert!(description.ends_with('.'), "{place} has no description that is a sentence");
            if block.has_ident("output") {
                continue;
            }
            assert!(block.body.has_attribute("type"), "{place} has no type");
            let nullable = block.body.get_attribute("nullable").is_none();
            assert_eq!(
                nullable,
                description.contains("null"),
                "{place}: null has a meaning, or is refused"
            );
        }
    }
}

/// The output's names and the variables, byte for byte, are the same in all modules of a kind.
#[track_caller]
fn check_interface(kind: &str, variables: &[&str], outputs: &[&str]) {
    let siblings = siblings(kind);
    for module in &siblings {
        let place = module.directory.display();
        assert_eq!(module.files["variables.tf"], siblings[0].files["variables.tf"], "{place}");
        let names = |file| -> BTreeSet<_> {
            module
                .parse(file)
                .get_blocks(file.strip_suffix("s.tf").unwrap())
                .map(|block| label(block).to_owned())
                .collect()
        };
        assert_eq!(
            names("variables.tf"),
            variables.iter().map(|name| (*name).to_owned()).collect(),
            "{place}"
        );
        assert_eq!(
            names("outputs.tf"),
            outputs.iter().map(|name| (*name).to_owned()).collect(),
            "{place}"
        );
    }
}

#[test]
fn interfaces() {
    check_interface(
        "application_hosting",
        &[
            "name",
            "image",
            "port",
            "size",
            "desired_count",
            "network",
            "environment",
            "secrets",
            "health_check_path",
            "ingress_cidrs",
            "public",
            "domain",
            "collector",
            "log_retention_days",
            "permissions_boundary_arn",
            "disposable",
        ],
        &[
            "url",
            "service_id",
            "log_group",
            "security_group_id",
            "alarm_dimensions",
            "fault_targets",
        ],
    );
    check_interface(
        "database",
        &["name", "engine", "network", "size", "disposable"],
        &["endpoint", "connection_secret", "environment", "id", "secrets", "security_group_id"],
    );
    check_interface(
        "observability",
        &[
            "name",
            "collector_image",
            "endpoint",
            "secret",
            "alarm_dimensions",
            "database_id",
            "alarm_topic_arn",
            "log_retention_days",
        ],
        &["collector", "location"],
    );
}

#[test]
fn every_module_has_tests() {
    for module in modules() {
        let entries = fs::read_dir(module.directory.join("tests")).into_iter().flatten();
        let is_test = |path: &PathBuf| path.to_string_lossy().ends_with(".tftest.hcl");
        let tests: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(is_test).collect();
        assert!(!tests.is_empty(), "{} has no tests", module.path());
    }
}

#[test]
fn terraform_fmt_leaves_the_tree_as_it_is() {
    if has_terraform() {
        assert_eq!(succeed(&tree(), &["fmt", "-check", "-diff", "-recursive"], &[]), "");
    }
}
