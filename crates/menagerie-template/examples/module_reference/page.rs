//! What is made of a module: a page in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use crate::module::Module;

const MADE: &str = "<!-- Made by `cargo xtask tf docs`: edit the module instead. -->\n";

/// Returns the pages, and one that leads to all of them, by their path in the directory of pages.
pub(crate) fn pages(modules: &[Module]) -> BTreeMap<PathBuf, String> {
    let mut pages: BTreeMap<PathBuf, String> =
        modules.iter().map(|module| (place(&module.path), page(module))).collect();
    pages.insert("README.md".into(), index(modules));
    pages
}

/// Returns where the page of a module is.
fn place(module: &str) -> PathBuf {
    PathBuf::from(format!("{module}.md"))
}

fn index(modules: &[Module]) -> String {
    let mut text = format!(
        "# Reference of the modules\n\n{MADE}\nWhat each module and root of [`tf`](../../tf/README.md) makes, needs, takes and gives.\n\n| | makes |\n|---|---|\n"
    );
    for module in modules {
        let about = cell(sentence(&module.about));
        line(&mut text, &format!("| [`{0}`]({0}.md) | {about} |", module.path));
    }
    text
}

/// Returns the first sentence of a text.
fn sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn page(module: &Module) -> String {
    let depth = module.path.matches('/').count();
    let up = "../".repeat(depth);
    let path = &module.path;
    let mut text = format!("# `{path}`\n\n{MADE}\n");
    if !module.about.is_empty() {
        line(&mut text, &format!("{}\n", module.about));
    }
    line(&mut text, &format!("[Its files](../../{up}tf/{path}/), [all modules]({up}README.md)."));
    requirements(&mut text, module);
    inputs(&mut text, module);
    outputs(&mut text, module);
    resources(&mut text, module);
    text
}

fn requirements(text: &mut String, module: &Module) {
    *text += "\n## Needs\n\n| | version |\n|---|---|\n";
    line(text, &format!("| Terraform or OpenTofu | `{}` |", module.terraform));
    for (source, version) in &module.providers {
        let version = if version.is_empty() {
            "this repository's own".to_owned()
        } else {
            format!("`{version}`")
        };
        line(text, &format!("| provider `{source}` | {version} |"));
    }
}

fn inputs(text: &mut String, module: &Module) {
    *text += "\n## Takes\n\n";
    if module.inputs.is_empty() {
        *text += "Nothing.\n";
        return;
    }
    *text += "| input | type | default | |\n|---|---|---|---|\n";
    for input in &module.inputs {
        let default =
            input.default.as_ref().map_or_else(|| "required".to_owned(), |value| code(value));
        let sentences: Vec<&str> = std::iter::once(input.description.as_str())
            .chain(input.constraints.iter().map(String::as_str))
            .filter(|sentence| !sentence.is_empty())
            .collect();
        let what = cell(&sentences.join("<br>"));
        line(text, &format!("| `{}` | {} | {default} | {what} |", input.name, code(&input.kind)));
    }
}

fn outputs(text: &mut String, module: &Module) {
    *text += "\n## Gives\n\n";
    if module.outputs.is_empty() {
        *text += "Nothing.\n";
        return;
    }
    *text += "| output | |\n|---|---|\n";
    for output in &module.outputs {
        let sensitive = if output.is_sensitive { " Sensitive." } else { "" };
        line(text, &format!("| `{}` | {}{sensitive} |", output.name, cell(&output.description)));
    }
}

fn resources(text: &mut String, module: &Module) {
    *text += "\n## Is made of\n\n";
    let mut by_type: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (mode, kind, name) in &module.resources {
        by_type.entry((mode, kind)).or_default().push(name);
    }
    if by_type.is_empty() && module.calls.is_empty() {
        *text += "Nothing but values.\n";
        return;
    }
    *text += "| | |\n|---|---|\n";
    for (title, mode) in [("makes", "resource"), ("reads", "data"), ("asks for", "ephemeral")] {
        for ((_, kind), names) in by_type.iter().filter(|((found, _), _)| *found == mode) {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            line(text, &format!("| {title} `{kind}` | {} |", names.join(", ")));
        }
    }
    for (name, source) in &module.calls {
        line(text, &format!("| calls `{name}` | {} |", call(&module.path, source)));
    }
}

/// Returns a link to the page of a module that is called.
fn call(from: &str, source: &str) -> String {
    if !source.starts_with('.') {
        return code(source);
    }
    let target = normal(&Path::new(from).join(source));
    let up = "../".repeat(from.matches('/').count());
    format!("[`{0}`]({up}{0}.md)", target.display())
}

/// Resolves `.` and `..` by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// Returns text as it may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn code(text: &str) -> String {
    let ticks = if text.contains('`') { "``" } else { "`" };
    format!("{ticks}{}{ticks}", cell(text))
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string can't fail");
}
