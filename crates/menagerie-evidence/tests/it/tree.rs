//! Everything in `tf` is read and found, in each root module and in what is rendered for each hosting.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use hcl_edit::structure::{Block, BlockLabel, Body};
use menagerie_config::Hosting;
use menagerie_evidence::{Configuration, Entry, Files, Locator, WorkTree};
use menagerie_template::{Templates, cases};

/// The repository, which counts how often each file is read.
struct Counting {
    tree: WorkTree,
    read: RefCell<BTreeMap<String, usize>>,
}

impl Counting {
    fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self { tree: WorkTree::open(&root).unwrap(), read: RefCell::default() }
    }
}

impl Files for Counting {
    fn list(&self, directory: &str) -> io::Result<Vec<Entry>> {
        self.tree.list(directory)
    }

    fn read(&self, path: &str) -> io::Result<String> {
        *self.read.borrow_mut().entry(path.to_owned()).or_default() += 1;
        self.tree.read(path)
    }
}

/// A resource as this test finds it, by walking the tree on its own.
struct Written {
    address: String,
    /// The files of its module: only there may it be found.
    directory: String,
    block: Block,
}

/// Adds what a module and those that it calls have.
fn walk(
    files: &dyn Files,
    directory: &str,
    texts: &[String],
    prefix: &str,
    found: &mut Vec<Written>,
) {
    for text in texts {
        let body: Body = text.parse().unwrap();
        for block in body.blocks() {
            let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
            let address = match block.ident.as_str() {
                "resource" => format!("{prefix}{}", labels.join(".")),
                "data" => format!("{prefix}data.{}", labels.join(".")),
                "module" => {
                    let source =
                        block.body.get_attribute("source").unwrap().value.as_str().unwrap();
                    let called = relative(directory, source);
                    let inner = texts_of(files, &called);
                    walk(files, &called, &inner, &format!("{prefix}module.{}.", labels[0]), found);
                    continue;
                }
                _ => continue,
            };
            found.push(Written { address, directory: directory.to_owned(), block: block.clone() });
        }
    }
}

fn relative(from: &str, source: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    for part in source.split('/') {
        if part == ".." {
            parts.pop().unwrap();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn texts_of(files: &dyn Files, directory: &str) -> Vec<String> {
    let entries = files.list(directory).unwrap().into_iter();
    let names = entries.map(|entry| entry.name).filter(|name| is_configuration(name));
    names.map(|name| files.read(&format!("{directory}/{name}")).unwrap()).collect()
}

/// Returns of which name a block in a resource is, or makes blocks.
fn made(block: &Block) -> &str {
    if block.has_ident("dynamic") { block.labels[0].as_str() } else { block.ident.as_str() }
}

fn is_configuration(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "tf")
}

/// Asserts that each resource is found at its block, and each attribute that it writes at that attribute.
#[track_caller]
fn assert_found(files: &dyn Files, locator: &Locator, written: &[Written]) -> usize {
    for Written { address, directory, block } in written {
        let at = |attribute: Option<&str>| {
            let location = locator.locate(address, attribute).unwrap();
            let (parent, _) = location.primary.file.rsplit_once('/').unwrap();
            assert_eq!(parent, directory, "{address}");
            let text = files.read(&location.primary.file).unwrap();
            let line = text.lines().nth(location.primary.line - 1).unwrap();
            line.chars().skip(location.primary.column - 1).collect::<String>()
        };
        let labels = block.labels.iter().map(|label| format!(" \"{}\"", label.as_str()));
        let header = format!("{}{}", block.ident.as_str(), labels.collect::<String>());
        assert!(at(None).starts_with(&header), "{address}: {}", at(None));
        for attribute in block.body.attributes() {
            let name = attribute.key.as_str();
            assert!(at(Some(name)).starts_with(name), "{address} {name}: {}", at(Some(name)));
        }
        for inner in block.body.blocks() {
            let name = made(inner);
            let several = block.body.blocks().filter(|other| made(other) == name).count() > 1;
            let found = at(Some(&format!("{name}[0]")));
            assert!(
                several || found.starts_with(inner.ident.as_str()),
                "{address} {name}: {found}"
            );
        }
    }
    written.len()
}

#[test]
fn each_file_of_the_tree_is_read_once_and_each_resource_is_found() {
    let files = Counting::open();
    let configuration = Configuration::read(&files, "tf");
    assert_eq!(configuration.unreadable(), []);
    let roots = ["tf/production", "tf/common", "tf/development/aws"];
    let locators = roots.map(|root| configuration.locator(root, &files));
    let read = files.read.take();
    assert!(read.len() > 100, "{read:?}");
    let manifests = |path: &str| path.ends_with("modules.json");
    let twice: Vec<_> =
        read.iter().filter(|(path, count)| **count > 1 && !manifests(path)).collect();
    assert!(twice.is_empty(), "{twice:?}");

    for (root, locator) in roots.iter().zip(&locators) {
        let mut written = Vec::new();
        walk(&files, root, &texts_of(&files, root), "", &mut written);
        let count = assert_found(&files, locator, &written);
        assert!(count > 2, "{root} has only {count}");
    }
}

#[test]
fn each_resource_of_what_is_rendered_for_each_hosting_is_found_in_the_tree() {
    let files = Counting::open();
    let configuration = Configuration::read(&files, "tf");
    let templates = Templates::default();
    let mut seen = BTreeSet::new();
    for case in cases() {
        let rendered = templates.render(&case.root()).unwrap();
        let root = format!("tf/envs/{}", case.name);
        let texts: Vec<(String, String)> = rendered
            .files
            .into_iter()
            .filter(|file| is_configuration(&file.path))
            .map(|file| (file.path, file.text))
            .collect();
        // Most cases differ in what they give to the same modules.
        let sources = texts.iter().flat_map(|(_, text)| text.lines());
        let sources: Vec<String> =
            sources.filter(|line| line.contains("source")).map(str::to_owned).collect();
        if !seen.insert(sources) {
            continue;
        }
        let locator = configuration.locator_of_texts(&root, &texts, &files);
        let mut written = Vec::new();
        let own: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
        walk(&files, &root, &own, "", &mut written);
        // What the root module itself has can't be pointed at: it is nowhere.
        let (nowhere, written): (Vec<Written>, Vec<Written>) =
            written.into_iter().partition(|written| written.directory == root);
        let count = assert_found(&files, &locator, &written);
        assert!(count > 2, "{} has only {count}", case.label);
        for Written { address, .. } in nowhere {
            assert_eq!(locator.locate(&address, None), None);
        }
    }
    assert!(seen.len() >= Hosting::ALL.len(), "{seen:?}");
}

#[test]
fn a_file_of_ten_thousand_blocks_is_read() {
    let block = |index| format!("resource \"a_b\" \"c{index}\" {{\n  d = {index}\n}}\n");
    let text: String = (0..10_000).map(block).collect();
    let files = [("tf/main.tf", text)].into_iter().collect::<menagerie_evidence::Texts>();
    let configuration = Configuration::read(&files, "tf");
    let resources = configuration.records().iter().filter(|record| record.kind == "resource");
    assert_eq!(resources.count(), 10_000);
    let locator = configuration.locator("tf", &files);
    for index in 0..10_000 {
        let location = locator.locate(&format!("a_b.c{index}"), Some("d")).unwrap();
        assert_eq!((location.primary.line, location.primary.column), (3 * index + 2, 3));
    }
}
