//! `parse_config` and its kin, which conftest has, and YAML.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use regorus::Value;

use super::{Surroundings, text};

/// Returns whether a file is one that rules may read.
pub(super) fn is_config(path: &Path) -> bool {
    format(path).is_some()
}

fn format(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "json" => Some("json"),
        "yaml" | "yml" => Some("yaml"),
        "toml" => Some("toml"),
        _ => None,
    }
}

/// `parse_config`: a text in a format.
pub(super) fn parse(values: &[Value]) -> anyhow::Result<Value> {
    let [format, whole] = values else { bail!("`parse_config` takes 2 arguments") };
    parse_as(text("parse_config", format)?, text("parse_config", whole)?)
}

fn parse_as(format: &str, whole: &str) -> anyhow::Result<Value> {
    let value: serde_json::Value = match format {
        "json" => serde_json::from_str(whole).context("it is no JSON")?,
        "yaml" | "yml" => return yaml(whole),
        "toml" => toml::from_str(whole).context("it is no TOML")?,
        other => {
            bail!("`{}` is no format that can be read: json, yaml, toml", other.escape_debug())
        }
    };
    Ok(Value::from(value))
}

fn yaml(whole: &str) -> anyhow::Result<Value> {
    match serde_saphyr::from_str::<serde_json::Value>(whole) {
        Ok(value) => Ok(Value::from(value)),
        Err(error) => bail!("it is no YAML: {}", crate::error::of_yaml(&error).2),
    }
}

/// `yaml.unmarshal`.
pub(super) fn parse_yaml(values: &[Value]) -> anyhow::Result<Value> {
    let [whole] = values else { bail!("`yaml.unmarshal` takes 1 argument") };
    yaml(text("yaml.unmarshal", whole)?)
}

/// `yaml.is_valid`.
pub(super) fn is_yaml(values: &[Value]) -> anyhow::Result<Value> {
    let [whole] = values else { bail!("`yaml.is_valid` takes 1 argument") };
    Ok(Value::from(yaml(text("yaml.is_valid", whole)?).is_ok()))
}

/// `parse_config_file`: a file of the policy's directory, by the end of its path.
pub(super) fn parse_file(values: &[Value], surroundings: &Surroundings) -> anyhow::Result<Value> {
    let [path] = values else { bail!("`parse_config_file` takes 1 argument") };
    read(text("parse_config_file", path)?, surroundings)
}

/// `parse_combined_config_files`: several, each with its path.
pub(super) fn parse_files(values: &[Value], surroundings: &Surroundings) -> anyhow::Result<Value> {
    let [Value::Array(paths)] = values else {
        bail!("`parse_combined_config_files` takes a list of paths");
    };
    let mut files = Vec::new();
    for path in paths.iter() {
        let contents = read(text("parse_combined_config_files", path)?, surroundings)?;
        let mut file = Value::new_object();
        let fields = file.as_object_mut()?;
        fields.insert(Value::from("path"), path.clone());
        fields.insert(Value::from("contents"), contents);
        files.push(file);
    }
    Ok(Value::from(files))
}

fn read(path: &str, surroundings: &Surroundings) -> anyhow::Result<Value> {
    let wanted: PathBuf =
        Path::new(path).components().filter(|part| part.as_os_str() != ".").collect();
    let found = surroundings.files.iter().filter(|(file, _)| file.ends_with(&wanted));
    let (file, whole) =
        found.min_by_key(|(file, _)| file.components().count()).with_context(|| {
            format!("there is no file `{}` in the policy's directory", path.escape_debug())
        })?;
    parse_as(format(file).unwrap_or_default(), whole)
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::check;

    #[test]
    fn formats() {
        check(r#"parse_config("yaml", "a: [1, x]\nb: 1.5")"#, r#"{"a":[1,"x"],"b":1.5}"#);
        check(r#"parse_config("json", "{\"a\": 1}")"#, r#"{"a":1}"#);
        check(r#"parse_config("toml", "a = [1]")"#, r#"{"a":[1]}"#);
        check(r#"parse_config("hcl2", "")"#, "error: `hcl2` is no format…");
        check(r#"parse_config("yaml", "a: [")"#, "error: it is no YAML: …");
        check(
            r#"yaml.unmarshal("a: true\nb: 2020-01-01\nd: ~")"#,
            r#"{"a":true,"b":"2020-01-01","d":null}"#,
        );
        check(r#"yaml.is_valid("a: [")"#, "false");
    }

    #[test]
    fn only_files_that_were_handed_in() {
        check(r#"parse_config_file("./conf/a.yaml")"#, r#"{"x":[1]}"#);
        check(
            r#"parse_combined_config_files(["b.json"])"#,
            r#"[{"contents":{"y":2},"path":"b.json"}]"#,
        );
        check(r#"parse_config_file("/etc/passwd")"#, "error: there is no file `/etc/passwd`…");
        check(r#"parse_config_file("../b.json")"#, "error: there is no file…");
    }
}
