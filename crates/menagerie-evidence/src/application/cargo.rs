//! `Cargo.lock`, of all its versions.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Dependency, Origin, is_git};
use crate::Evidence;
use crate::text::Text;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
    /// Where the first version keeps checksums.
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

pub(super) fn read(text: &Text<'_>, evidence: &mut Evidence) {
    let lock: Lock = match toml::from_str(text.content) {
        Ok(lock) => lock,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            text.refuse(evidence, offset, format!("this is no Cargo.lock: {}", error.message()));
            return;
        }
    };
    for package in &lock.package {
        let name = package.name.get_ref();
        let source = package.source.as_deref();
        let checksum = package.checksum.as_ref().or_else(|| {
            let key = format!("checksum {name} {} ({})", package.version, source?);
            lock.metadata.get(&key)
        });
        let origin = match source {
            None => Origin::Local,
            Some(source) if is_git(source) => Origin::Git,
            Some(source) if source.starts_with("registry+") || source.starts_with("sparse+") => {
                Origin::Registry
            }
            Some(_) => Origin::Elsewhere,
        };
        let dependency = Dependency {
            ecosystem: "cargo",
            name,
            version: Some(&package.version),
            source,
            checksum: checksum.map(String::as_str),
            origin,
        };
        let span = package.name.span();
        dependency.add(text, span.start, span.len(), evidence);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Texts, read_application};

    #[test]
    fn dependencies() {
        let text = r#"version = 4

[[package]]
name = "ours"
version = "0.1.0"
dependencies = ["serde"]

[[package]]
name = "serde"
version = "1.0.229"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "67dc"

[[package]]
name = "forked"
version = "0.2.0"
source = "git+https://example.com/forked?rev=abc#abc"

[[package]]
name = "old"
version = "0.3.0"
source = "registry+x"

[metadata]
"checksum old 0.3.0 (registry+x)" = "1234"
"#;
        let files: Texts = [("Cargo.lock", text)].into_iter().collect();
        let evidence = read_application(&files);
        let [ours, serde, forked, old] = &evidence.records[..] else { panic!("four records") };
        assert_eq!(serde.address, "Cargo.lock:serde@1.0.229");
        assert_eq!(
            serde.values,
            json!({
                "ecosystem": "cargo", "name": "serde", "version": "1.0.229", "checksum": "67dc",
                "source": "registry+https://github.com/rust-lang/crates.io-index",
                "is_registry": true, "is_git": false, "is_local": false,
            })
        );
        let place = serde.place.as_ref().unwrap();
        assert_eq!((place.line, place.column, place.end_column), (9, 8, 15));
        assert_eq!(
            (&ours.values["is_local"], &forked.values["is_git"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(old.values["checksum"], "1234");
    }

    #[test]
    fn what_is_no_lock_file() {
        let files: Texts = [("Cargo.lock", "[[package]]\nname = 1\n")].into_iter().collect();
        let told = read_application(&files).unreadable[0].to_string();
        assert!(told.starts_with("Cargo.lock:2:8: this is no Cargo.lock: "), "{told}");
    }
}
