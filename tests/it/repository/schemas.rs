//! The provider schemas: what the tree uses is there, and nothing is there without a use or a reason.

use super::{assert_none, files_with, read};
use std::collections::{BTreeMap, BTreeSet};
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

/// Returns `keyword name` of each type that a `.tf` or test file of the tree uses.
fn used() -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    for path in files_with("tf").into_iter().chain(files_with("hcl")) {
        if !path.starts_with("tf") {
            continue;
        }
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
