//! What is wanted: `providers.toml`, beside the schemas that are made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::names::near;
use crate::schema::{Attribute, Kind};

/// `providers.toml` can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It can't be read.
    #[error("failed to read `{}`", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It is not what it should be.
    #[error("`{}` is not valid", .0.display())]
    Parse(PathBuf, #[source] toml::de::Error),
    /// A type is given twice, or a reason for one that is not there.
    #[error("`{}` is not valid: {provider}: {problem}", path.display())]
    Types {
        /// The file.
        path: PathBuf,
        /// The provider.
        provider: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody made settings for it.
    #[error("there is no provider `{name}`")]
    NoProvider {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

impl SettingsError {
    pub(crate) fn hint(&self) -> Option<String> {
        let Self::NoProvider { name, known } = self else { return None };
        Some(match near(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}; another one is a table of `providers.toml`",
                known.join(", ")
            ),
        })
    }
}

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// Its address without a host, such as `hashicorp/aws`.
    pub(crate) source: String,
    pub(crate) version: String,
    pub(crate) package: Package,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    data_sources: Vec<String>,
    #[serde(default)]
    ephemeral_resources: Vec<String>,
    /// Attributes that are sensitive, as `type.attribute` or `type.block.attribute`: packages do not tell.
    #[serde(default)]
    pub(crate) sensitive: Vec<String>,
    /// Attributes of a resource that `version` is too old for, as `type.attribute`.
    #[serde(default)]
    pub(crate) newer: BTreeMap<String, Attribute>,
    /// Types that no module uses, and why they are there.
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

/// A package of the Python package index that is made from the provider's schema.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
}

impl Package {
    /// Returns the name of its wheel.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}-py3-none-any.whl", self.name.replace('-', "_"), self.version)
    }
}

impl Provider {
    pub(crate) fn types(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Resource => &self.resources,
            Kind::Data => &self.data_sources,
            Kind::Ephemeral => &self.ephemeral_resources,
        }
    }

    fn check(&self) -> Result<(), String> {
        let mut all = BTreeSet::new();
        for kind in Kind::ALL {
            let mut seen = BTreeSet::new();
            for name in self.types(kind) {
                if !seen.insert(name) {
                    return Err(format!("`{kind} \"{name}\"` is there twice"));
                }
            }
            all.extend(seen);
        }
        match self.extra.keys().find(|name| !all.contains(name)) {
            Some(name) => Err(format!("`extra` has a reason for `{name}`, which is in no list")),
            None => Ok(()),
        }
    }
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, Provider>, SettingsError> {
    let text =
        fs::read_to_string(path).map_err(|source| SettingsError::Read(path.to_owned(), source))?;
    let providers: BTreeMap<String, Provider> =
        toml::from_str(&text).map_err(|source| SettingsError::Parse(path.to_owned(), source))?;
    for (name, provider) in &providers {
        provider.check().map_err(|problem| SettingsError::Types {
            path: path.to_owned(),
            provider: name.clone(),
            problem,
        })?;
    }
    Ok(providers)
}

/// Takes those that were asked for; all of them where none was.
pub(crate) fn choose(
    mut providers: BTreeMap<String, Provider>,
    asked: &[String],
) -> Result<BTreeMap<String, Provider>, SettingsError> {
    if let Some(name) = asked.iter().find(|name| !providers.contains_key(*name)) {
        let known = providers.into_keys().collect();
        return Err(SettingsError::NoProvider { name: name.clone(), known });
    }
    if !asked.is_empty() {
        providers.retain(|name, _| asked.contains(name));
    }
    Ok(providers)
}
