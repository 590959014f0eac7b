//! Edits of a file that leave its comments, its order and everything else as a person wrote it.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::ConfigErrors;
use crate::errors::Problem;

/// Returns `text` with `key` of the table at the path `tables` set to `value`; tables that are not
/// there are added.
///
/// The file is not checked as a whole: parse what comes out. `file` is what errors call it.
pub fn set(
    text: &str,
    file: &Path,
    tables: &[&str],
    key: &str,
    value: impl Into<Value>,
) -> Result<String, ConfigErrors> {
    let wrong = |problem| ConfigErrors::new(file.to_owned(), vec![problem]);
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        wrong(Problem::at(text, &error.span().unwrap_or(0..0), error.message().to_owned(), None))
    })?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for name in tables {
        table = table
            .entry(name)
            .or_insert(Item::Table(Table::new()))
            .as_table_like_mut()
            .ok_or_else(|| wrong(Problem::of_file(format!("`{name}` is not a table"), None)))?;
    }
    let mut value = value.into();
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            // The comment behind a value belongs to it.
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "\
# Ours.
size = \"small\" # enough

[template]
# Not the latest.
version   = 1 # see the log

[settings.environment] # theirs
LOG_LEVEL = 'info'
";

    fn edit(tables: &[&str], key: &str, value: impl Into<Value>) -> String {
        set(TEXT, Path::new("env.toml"), tables, key, value).unwrap()
    }

    #[test]
    fn a_value_is_replaced_and_its_comments_stay() {
        assert_eq!(edit(&["template"], "version", 2), TEXT.replace("= 1", "= 2"));
        assert_eq!(edit(&[], "size", "large"), TEXT.replace("small", "large"));
    }

    #[test]
    fn a_key_and_a_table_are_added() {
        assert_snapshot!(edit(&["settings"], "port", 8080), @r#"
        # Ours.
        size = "small" # enough

        [template]
        # Not the latest.
        version   = 1 # see the log

        [settings]
        port = 8080

        [settings.environment] # theirs
        LOG_LEVEL = 'info'
        "#);
        assert_snapshot!(edit(&["template", "checksums"], "main.tf", "sha256:${x}\""), @r#"
        # Ours.
        size = "small" # enough

        [template]
        # Not the latest.
        version   = 1 # see the log

        [template.checksums]
        "main.tf" = 'sha256:${x}"'

        [settings.environment] # theirs
        LOG_LEVEL = 'info'
        "#);
    }

    #[test]
    fn into_an_inline_table() {
        let text = "a = { b = 1 } # c\n";
        let edited = set(text, Path::new("env.toml"), &["a", "d"], "e f", 2).unwrap();
        assert_eq!(edited, "a = { b = 1 , d.\"e f\" = 2 } # c\n");
    }

    #[test]
    fn what_can_not_be_edited() {
        let failed = |text, tables: &[&str]| {
            set(text, Path::new("env.toml"), tables, "x", 1).unwrap_err().to_string()
        };
        assert_snapshot!(failed("a = \n", &[]), @"
        env.toml:1:5: string values must be quoted, expected literal string
          |
        1 | a =
          |     ^
        ");
        assert_snapshot!(failed("a = 1\n", &["a"]), @"env.toml:1:1: `a` is not a table");
    }

    proptest! {
        #[test]
        fn every_line_but_one_stays(size in "\\PC{0,9}") {
            let edited = edit(&[], "size", size.as_str());
            let rest = |text: &str| text.split_once("# enough").unwrap().1.to_owned();
            prop_assert_eq!(rest(&edited), rest(TEXT));
            let read: DocumentMut = edited.parse().unwrap();
            prop_assert_eq!(read["size"].as_str(), Some(size.as_str()));
        }
    }
}
