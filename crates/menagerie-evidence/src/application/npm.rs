//! `package-lock.json` as npm writes it since version 7.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Dependency, Origin, is_git};
use crate::Evidence;
use crate::text::Text;

#[derive(Deserialize)]
struct Lock<'a> {
    #[serde(rename = "lockfileVersion")]
    version: Option<u32>,
    #[serde(borrow, default)]
    packages: Packages<'a>,
}

/// In the order of the file, and as they stand there, so that their places are known.
#[derive(Default)]
struct Packages<'a>(Vec<(String, &'a RawValue)>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    in_bundle: bool,
}

pub(super) fn read(text: &Text<'_>, evidence: &mut Evidence) {
    let lock: Lock<'_> = match serde_json::from_str(text.content) {
        Ok(lock) => lock,
        Err(error) => {
            let offset = text.offset(error.line(), error.column());
            text.refuse(evidence, offset, "this is no package-lock.json");
            return;
        }
    };
    if !matches!(lock.version, Some(2 | 3)) {
        let message = "only `lockfileVersion` 2 and 3 are read: `npm install --lockfile-version 3` writes one";
        text.refuse(evidence, 0, message);
        return;
    }
    for (key, raw) in &lock.packages.0 {
        // The package itself.
        if key.is_empty() {
            continue;
        }
        let offset = raw.get().as_ptr().addr() - text.content.as_ptr().addr();
        match serde_json::from_str::<Package>(raw.get()) {
            Ok(package) => add(text, key, &package, offset, evidence),
            Err(_) => text.refuse(evidence, offset, "this is no package of package-lock.json"),
        }
    }
}

fn add(text: &Text<'_>, key: &str, package: &Package, offset: usize, evidence: &mut Evidence) {
    // A workspace lies in the repository, and a link leads to one.
    let installed = key.rsplit_once("node_modules/").map(|(_, name)| name);
    let source = package.resolved.as_deref();
    let origin = match source {
        _ if package.link || installed.is_none() => Origin::Local,
        None if package.in_bundle => Origin::Elsewhere,
        // npm leaves it out where it is asked to.
        None => Origin::Registry,
        Some(source) if is_git(source) => Origin::Git,
        Some(source) if source.starts_with("file:") => Origin::Local,
        // The address of a package in a registry, whichever it is.
        Some(source) if source.starts_with("https://") && source.contains("/-/") => {
            Origin::Registry
        }
        Some(_) => Origin::Elsewhere,
    };
    let dependency = Dependency {
        ecosystem: "npm",
        name: package.name.as_deref().or(installed).unwrap_or(key),
        version: package.version.as_deref(),
        source,
        checksum: package.integrity.as_deref(),
        origin,
    };
    dependency.add(text, offset, 1, evidence);
}

impl<'de: 'a, 'a> Deserialize<'de> for Packages<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Packages<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut packages = Vec::new();
                while let Some(package) = map.next_entry()? {
                    packages.push(package);
                }
                Ok(Packages(packages))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Texts, read_application};

    fn summary(text: &str) -> Vec<String> {
        let files: Texts = [("web/package-lock.json", text)].into_iter().collect();
        let evidence = read_application(&files);
        let records = evidence.records.iter().map(|record| {
            let is = |name: &str| record.values[name] == true;
            let origin = ["is_registry", "is_git", "is_local"].into_iter().find(|name| is(name));
            let place = record.place.as_ref().unwrap();
            let has = if record.values["checksum"].is_null() { "no checksum" } else { "checksum" };
            format!(
                "{}:{} {} {} {has}",
                place.line,
                place.column,
                record.address,
                origin.unwrap_or("-")
            )
        });
        records.chain(evidence.unreadable.iter().map(ToString::to_string)).collect()
    }

    #[test]
    fn dependencies() {
        let text = r#"{
  "lockfileVersion": 3,
  "packages": {
    "": { "name": "web", "version": "1.0.0" },
    "node_modules/a": { "version": "1.0.0", "resolved": "https://registry.example.com/a/-/a-1.0.0.tgz", "integrity": "sha512-x" },
    "node_modules/b": { "version": "2.0.0", "resolved": "git+ssh://git@example.com/b.git#abc" },
    "node_modules/a/node_modules/@s/c": { "name": "d", "version": "3.0.0", "resolved": "https://example.com/c.tgz" },
    "node_modules/e": { "resolved": "packages/e", "link": true },
    "packages/e": { "version": "0.1.0" },
    "node_modules/f": { "version": "4.0.0", "inBundle": true },
    "node_modules/g": { "version": "5.0.0", "integrity": "sha512-x" },
    "node_modules/h": []
  }
}"#;
        assert_eq!(
            summary(text),
            [
                "5:23 web/package-lock.json:a@1.0.0 is_registry checksum",
                "6:23 web/package-lock.json:b@2.0.0 is_git no checksum",
                "7:41 web/package-lock.json:d@3.0.0 - no checksum",
                "8:23 web/package-lock.json:e is_local no checksum",
                "9:19 web/package-lock.json:packages/e@0.1.0 is_local no checksum",
                "10:23 web/package-lock.json:f@4.0.0 - no checksum",
                "11:23 web/package-lock.json:g@5.0.0 is_registry checksum",
                "web/package-lock.json:12:23: this is no package of package-lock.json",
            ]
        );
    }

    #[test]
    fn what_is_not_read() {
        assert_eq!(
            summary("{\n  \"packages\": 1}"),
            ["web/package-lock.json:2:15: this is no package-lock.json"]
        );
        assert_eq!(
            summary(r#"{"lockfileVersion": 1}"#),
            [
                "web/package-lock.json:1:1: only `lockfileVersion` 2 and 3 are read: `npm install --lockfile-version 3` writes one",
            ]
        );
    }
}
