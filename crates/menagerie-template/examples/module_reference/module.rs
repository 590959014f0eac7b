//! What the files of a module say about it.

use std::fs;
use std::path::Path;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::Error;

/// A module or a root.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Its place in the tree: `modules/database/rds`.
    pub(crate) path: String,
    /// The comment at the beginning of `main.tf`.
    pub(crate) about: String,
    /// Which Terraform it needs.
    pub(crate) terraform: String,
    /// The providers that it requires: source and version.
    pub(crate) providers: Vec<(String, String)>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    /// `resource`, `data` or `ephemeral`; type and name.
    pub(crate) resources: Vec<(&'static str, String, String)>,
    /// Name and source of the modules that it calls.
    pub(crate) calls: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) default: Option<String>,
    pub(crate) description: String,
    pub(crate) constraints: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_sensitive: bool,
}

/// What is below a tree and no module of it: generated, templates, tests and their fixtures.
const NO_MODULES: &[&str] = &["envs", "templates", "tests", "compliance"];

/// Reads the modules of a tree, sorted by their place.
pub(crate) fn modules(tree: &Path) -> Result<Vec<Module>, Error> {
    let mut modules = Vec::new();
    collect(tree, "", &mut modules)?;
    modules.sort_by(|one: &Module, other| one.path.cmp(&other.path));
    Ok(modules)
}

fn collect(directory: &Path, path: &str, modules: &mut Vec<Module>) -> Result<(), Error> {
    let error = |source| Error::File(directory.to_owned(), source);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let entry = entry.map_err(error)?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_dir() {
            if !name.starts_with('.') && !NO_MODULES.contains(&name.as_str()) {
                let separator = if path.is_empty() { "" } else { "/" };
                collect(&entry, &format!("{path}{separator}{name}"), modules)?;
            }
        } else if entry.extension().is_some_and(|extension| extension == "tf") {
            files.push(entry);
        }
    }
    files.sort();
    if !files.is_empty() {
        let mut module = Module { path: path.to_owned(), ..Module::default() };
        for file in files {
            let text =
                fs::read_to_string(&file).map_err(|source| Error::File(file.clone(), source))?;
            // `str::parse` would drop the spans, by which an expression is quoted.
            let body = hcl_edit::parser::parse_body(&text)
                .map_err(|source| Error::Hcl(file.clone(), source))?;
            if file.file_name().is_some_and(|name| name == "main.tf") {
                module.about = comment(&text);
            }
            module.read(&body, &text);
        }
        modules.push(module);
    }
    Ok(())
}

/// Returns the comment that a file begins with.
fn comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

impl Module {
    fn read(&mut self, body: &Body, text: &str) {
        for block in body.blocks() {
            let label = |index: usize| {
                block.labels.get(index).map_or("", |label| label.as_str()).to_owned()
            };
            match block.ident.as_str() {
                "terraform" => self.requirements(block),
                "variable" => self.inputs.push(Input {
                    name: label(0),
                    kind: expression(block, "type", text).unwrap_or_else(|| "any".to_owned()),
                    default: expression(block, "default", text),
                    description: string(&block.body, "description"),
                    constraints: block
                        .body
                        .get_blocks("validation")
                        .map(|validation| string(&validation.body, "error_message"))
                        .collect(),
                }),
                "output" => self.outputs.push(Output {
                    name: label(0),
                    description: string(&block.body, "description"),
                    is_sensitive: block
                        .body
                        .get_attribute("sensitive")
                        .and_then(|sensitive| sensitive.value.as_bool())
                        == Some(true),
                }),
                "resource" => self.resources.push(("resource", label(0), label(1))),
                "data" => self.resources.push(("data", label(0), label(1))),
                "ephemeral" => self.resources.push(("ephemeral", label(0), label(1))),
                "module" => self.calls.push((label(0), string(&block.body, "source"))),
                _ => {}
            }
        }
    }

    fn requirements(&mut self, block: &Block) {
        let version = string(&block.body, "required_version");
        if !version.is_empty() {
            self.terraform = version;
        }
        for required in block.body.get_blocks("required_providers") {
            for attribute in required.body.attributes() {
                let Expression::Object(object) = &attribute.value else { continue };
                let get = |name: &str| {
                    let found = object
                        .iter()
                        .find(|(key, _)| key.as_ident().is_some_and(|key| key.as_str() == name));
                    found
                        .and_then(|(_, value)| value.expr().as_str())
                        .unwrap_or_default()
                        .to_owned()
                };
                self.providers.push((get("source"), get("version")));
            }
        }
    }
}

/// Returns the text of an attribute; empty where it has none, or one that is put together.
fn string(body: &Body, attribute: &str) -> String {
    let Some(attribute) = body.get_attribute(attribute) else { return String::new() };
    match &attribute.value {
        Expression::StringTemplate(template) => {
            template.to_string().trim_matches(['"', ' ']).to_owned()
        }
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// Returns an expression as it is written, on one line.
fn expression(block: &Block, attribute: &str, text: &str) -> Option<String> {
    let value = &block.body.get_attribute(attribute)?.value;
    Some(one_line(&text[value.span()?]))
}

/// Puts an object that is written line by line onto one line.
pub(crate) fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split_once(" #").map_or(line, |(code, _)| code).trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut joined = String::new();
    for (index, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        joined += &words.join(" ");
        let Some(next) = lines.get(index + 1) else { break };
        let opens = line.ends_with(['{', '[', '(']);
        let closes = next.starts_with(['}', ']', ')']);
        joined += match (opens, closes) {
            _ if line.ends_with(',') || line.ends_with('{') || next.starts_with('}') => " ",
            (true, _) | (_, true) => "",
            _ => ", ",
        };
    }
    joined
}
