//! The provider schemas: what the tree uses is there, and nothing is there without a use or a reason.

use super::{assert_none, files_with, read};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

const SETTINGS: &str = "crates/menagerie-provider/schemas/providers.toml";

/// The lists of `providers.toml`, and the keywords that name a type in a configuration.
const KINDS: [(&str, &str); 3] =
    [("resources", "resource"), ("data_sources", "data"), ("ephemeral_resources", "ephemeral")];

fn settings() -> Table {
    read(SETTINGS).parse().expect("it is TOML")
}

fn texts(value: Option<&Value>) -> BTreeSet<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values.map(|value| value.as_str().expect("it is a text").to_owned()).collect()
}

/// Returns `keyword name` of each type that the tree and the templates of root modules use, with a file that does.
fn used() -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    let tree = ["tf", "hcl"].into_iter().flat_map(files_with).filter(|path| path.starts_with("tf"));
    let templates = Path::new("crates/menagerie-template/templates");
    let templates = files_with("tera").into_iter().filter(|path| path.starts_with(templates));
    for path in tree.chain(templates) {
        for line in read(&path).lines() {
            let mut words = line.split_whitespace();
            let (Some(keyword), Some(name)) = (words.next(), words.next()) else { continue };
            let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            if let Some(name) = name.filter(|_| KINDS.iter().any(|(_, known)| *known == keyword)) {
                used.entry(format!("{keyword} {name}")).or_insert(path.display().to_string());
            }
        }
    }
    used
}

#[test]
fn every_type_of_the_tree_has_a_schema() {
    let settings = settings();
    let mut violations = Vec::new();
    for (used, path) in used() {
        let (keyword, name) = used.split_once(' ').expect("it is made of two words");
        let provider = name.split('_').next().and_then(|prefix| settings.get(prefix));
        let Some(provider) = provider.and_then(Value::as_table) else { continue };
        let (list, _) =
            KINDS.iter().find(|(_, known)| *known == keyword).expect("only these are looked for");
        if !texts(provider.get(*list)).contains(name) {
            violations.push(format!("{path} uses `{used}`, which `{list}` of {SETTINGS} lacks"));
        }
    }
    assert_none("a rehearsal knows every type of the tree", &violations);
}

#[test]
fn every_schema_has_a_use_or_a_reason() {
    let used = used();
    let mut violations = Vec::new();
    for (name, provider) in settings() {
        let provider = provider.as_table().expect("a provider is a table");
        let extra = provider.get("extra").and_then(Value::as_table);
        for (list, keyword) in KINDS {
            for found in texts(provider.get(list)) {
                let is_used = used.contains_key(&format!("{keyword} {found}"));
                let has_reason = extra.is_some_and(|extra| extra.contains_key(&found));
                if !is_used && !has_reason {
                    violations.push(format!("`{keyword} {found}` of {name}"));
                }
            }
        }
    }
    assert_none("no type is there without a use or a reason in `extra`", &violations);
}

#[test]
fn the_page_says_which_versions() {
    let page = read("crates/menagerie-provider/schemas/README.md");
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let rows = settings().into_iter().map(|(name, provider)| {
        let package = &provider["package"];
        format!(
            "| `{name}.json.gz` | `{}` | {} | `{}` {} |",
            text(&provider["source"]),
            text(&provider["version"]),
            text(&package["name"]),
            text(&package["version"])
        )
    });
    let missing: Vec<String> = rows.filter(|row| !page.contains(row)).collect();
    assert_none(
        "crates/menagerie-provider/schemas/README.md has a row for each provider",
        &missing,
    );
}
