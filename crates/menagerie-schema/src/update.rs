//! Makes the schema files anew, and says what changed.

use std::fmt;
use std::path::{Path, PathBuf};

use menagerie_terraform::Cancel;

use crate::difference::{Class, Comparison, compare};
use crate::file::{self, FileError};
use crate::names::near;
use crate::package::{self, Contents, PackageError};
use crate::registry::{self, RegistryError};
use crate::schema::{Attribute, Block, Kind, ProviderSchema, Schema};
use crate::settings::Provider;

/// Where a schema is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum From {
    /// Terraform, which fetches the provider from its registry
    Registry,
    /// The Python package index, which has packages made from the provider's schema
    Package,
}

/// A schema can't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    /// Neither way led anywhere.
    #[error(
        "neither the registry nor the package index gave the schema of `{provider}`\n  registry: {registry}\n  package:  {package}"
    )]
    Neither {
        /// The provider.
        provider: String,
        /// What the first said.
        registry: String,
        /// What the second said.
        package: String,
    },
    /// The registry did not answer.
    #[error("failed to ask the registry for the schema of `{0}`")]
    Registry(String, #[source] RegistryError),
    /// The package can't be had.
    #[error("failed to make the schema of `{0}` from its package")]
    Package(String, #[source] PackageError),
    /// It is of another version.
    #[error(
        "the package of `{provider}` is made from version {actual}, and `providers.toml` says {expected}"
    )]
    Version {
        /// The provider.
        provider: String,
        /// What the package says.
        actual: String,
        /// What the settings say.
        expected: String,
    },
    /// The provider has no such type.
    #[error("`{provider}` {version} has no `{kind} \"{name}\"`")]
    NoType {
        /// The provider.
        provider: String,
        /// Its version.
        version: String,
        /// Resource, data source or ephemeral resource.
        kind: Kind,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// The settings name an attribute, or one's resource, that is not there.
    #[error("`{provider}` has no attribute `{path}`, which `providers.toml` names")]
    NoAttribute {
        /// The provider.
        provider: String,
        /// The attribute.
        path: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted; what was made before that is whole")]
    Interrupted,
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl UpdateError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoType { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::NoType { version, .. } => format!("see the provider's documentation for {version}, or change the version in `providers.toml`"),
            Self::Version { .. } => "change `version`, or take the package that was made from it".to_owned(),
            Self::Neither { .. } => "connect this machine to either of them, or put the package's wheel into the directory of packages".to_owned(),
            Self::Package(_, PackageError::Checksum { path, .. }) => {
                format!("if it is a broken download, remove `{}`; if you changed the version, change `sha256` too", path.display())
            }
            _ => return None,
        })
    }
}

/// Where things are.
#[derive(Debug)]
pub(crate) struct Places {
    /// The schema files.
    pub(crate) schemas: PathBuf,
    /// Packages that were fetched.
    pub(crate) packages: PathBuf,
    /// The Terraform to ask.
    pub(crate) terraform: Option<PathBuf>,
    /// Counts the signals that ask to stop.
    pub(crate) cancel: Cancel,
}

/// How a schema file differs from the one that was there.
#[derive(Debug)]
pub(crate) struct Updated {
    pub(crate) provider: String,
    pub(crate) version: String,
    /// How many types of each kind it has now.
    pub(crate) types: [usize; 3],
    /// What changed; `None` where there was no file.
    pub(crate) changes: Option<Comparison>,
}

impl Updated {
    pub(crate) fn is_changed(&self) -> bool {
        self.changes
            .as_ref()
            .is_none_or(|changes| !changes.lone_types.is_empty() || !changes.differences.is_empty())
    }
}

impl fmt::Display for Updated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [resources, data, ephemeral] = self.types;
        write!(
            formatter,
            "{} {}: {resources} resources, {data} data sources, {ephemeral} ephemeral resources: ",
            self.provider, self.version
        )?;
        let Some(changes) = &self.changes else { return formatter.write_str("new") };
        if !self.is_changed() {
            return formatter.write_str("unchanged");
        }
        formatter.write_str("changed")?;
        let (types, rest) = (
            changes.lone_types.iter().map(|lone| (lone, "type ")),
            changes.differences.iter().map(|difference| (difference, "")),
        );
        for (difference, what) in types.chain(rest) {
            match difference.class {
                Class::OnlyFirst => write!(formatter, "\n  - {what}{}", difference.path)?,
                Class::OnlySecond => write!(formatter, "\n  + {what}{}", difference.path)?,
                _ => write!(formatter, "\n  ~ {difference}")?,
            }
        }
        Ok(())
    }
}

/// Makes the schema of one provider and, unless it is only checked, writes it where it differs.
pub(crate) fn update(
    name: &str,
    provider: &Provider,
    from: Option<From>,
    places: &Places,
    is_written: bool,
    say: &mut dyn FnMut(&str),
) -> Result<Updated, UpdateError> {
    let obtained = obtain(name, provider, from, places, say);
    if places.cancel.count() > 0 {
        return Err(UpdateError::Interrupted);
    }
    let schema = obtained?;
    let path = places.schemas.join(format!("{name}.json.gz"));
    let present = path.exists().then(|| file::read(&path)).transpose()?;
    let updated = Updated {
        provider: name.to_owned(),
        version: provider.version.clone(),
        types: Kind::ALL.map(|kind| schema.types(kind).len()),
        changes: present.map(|present| compare(&present, &schema)),
    };
    if is_written && updated.is_changed() {
        file::write(&path, &schema)?;
    }
    Ok(updated)
}

fn obtain(
    name: &str,
    provider: &Provider,
    from: Option<From>,
    places: &Places,
    say: &mut dyn FnMut(&str),
) -> Result<ProviderSchema, UpdateError> {
    let by_registry = |say: &mut dyn FnMut(&str)| {
        registry::ask(provider, places.terraform.clone(), &places.cancel, say)
    };
    let by_package = |say: &mut dyn FnMut(&str)| {
        let path = package::fetch(&provider.package, &places.packages, say)?;
        package::read(&path, &|kind, name| provider.types(kind).iter().any(|wanted| wanted == name))
    };
    match from {
        Some(From::Registry) => {
            let whole = by_registry(say)
                .map_err(|source| UpdateError::Registry(name.to_owned(), source))?;
            from_provider(name, provider, whole)
        }
        Some(From::Package) => {
            let contents =
                by_package(say).map_err(|source| UpdateError::Package(name.to_owned(), source))?;
            from_package(name, provider, contents)
        }
        None => match by_registry(say) {
            Ok(whole) => from_provider(name, provider, whole),
            Err(_) if places.cancel.count() > 0 => Err(UpdateError::Interrupted),
            Err(registry) => {
                say(&format!("The registry did not answer for {name}; trying its package"));
                let contents = by_package(say).map_err(|package| UpdateError::Neither {
                    provider: name.to_owned(),
                    registry: chain(&registry),
                    package: chain(&package),
                })?;
                from_package(name, provider, contents)
            }
        },
    }
}

/// Cuts what the provider said down to what is wanted.
fn from_provider(
    name: &str,
    provider: &Provider,
    mut whole: ProviderSchema,
) -> Result<ProviderSchema, UpdateError> {
    for kind in Kind::ALL {
        let known: Vec<&str> = whole.types(kind).keys().map(String::as_str).collect();
        check_types(name, provider, kind, &known)?;
        whole.types_mut(kind).retain(|name, _| provider.types(kind).contains(name));
    }
    add_newer(name, provider, &mut whole)?;
    mark_sensitive(name, provider, &mut whole)?;
    Ok(whole)
}

fn from_package(
    name: &str,
    provider: &Provider,
    contents: Contents,
) -> Result<ProviderSchema, UpdateError> {
    let actual = contents.version.unwrap_or_else(|| "unknown".to_owned());
    if actual != provider.version {
        let (provider, expected) = (name.to_owned(), provider.version.clone());
        return Err(UpdateError::Version { provider, actual, expected });
    }
    for kind in Kind::ALL {
        let known = contents.names.get(&kind).map(Vec::as_slice).unwrap_or_default();
        check_types(name, provider, kind, &known.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    if let Some(failed) = contents.failed.into_iter().next() {
        return Err(UpdateError::Package(name.to_owned(), failed));
    }
    let mut schema = contents.schema;
    add_newer(name, provider, &mut schema)?;
    mark_sensitive(name, provider, &mut schema)?;
    Ok(schema)
}

fn check_types(
    name: &str,
    provider: &Provider,
    kind: Kind,
    known: &[&str],
) -> Result<(), UpdateError> {
    let Some(missing) =
        provider.types(kind).iter().find(|wanted| !known.contains(&wanted.as_str()))
    else {
        return Ok(());
    };
    Err(UpdateError::NoType {
        provider: name.to_owned(),
        version: provider.version.clone(),
        kind,
        name: missing.clone(),
        near: near(missing, known.iter().copied()).map(str::to_owned),
    })
}

/// Adds what the settings say a newer version of the provider has, in place of what an older one had there.
fn add_newer(
    name: &str,
    provider: &Provider,
    schema: &mut ProviderSchema,
) -> Result<(), UpdateError> {
    for (path, attribute) in &provider.newer {
        let place = path.split_once('.').and_then(|(resource, last)| {
            Some((schema.resource_schemas.get_mut(resource)?, last.to_owned()))
        });
        let Some((resource, last)) = place else {
            return Err(UpdateError::NoAttribute { provider: name.to_owned(), path: path.clone() });
        };
        resource.block.attributes.insert(last, attribute.clone());
    }
    Ok(())
}

/// Marks what the settings say is sensitive, in whatever has a type of that name.
fn mark_sensitive(
    name: &str,
    provider: &Provider,
    schema: &mut ProviderSchema,
) -> Result<(), UpdateError> {
    for path in &provider.sensitive {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let steps: Vec<&str> = rest.split('.').collect();
        let mut is_found = first == "provider" && mark(&mut schema.provider, &steps);
        for kind in Kind::ALL {
            if let Some(schema) = schema.types_mut(kind).get_mut(first) {
                is_found |= mark(schema, &steps);
            }
        }
        if !is_found {
            return Err(UpdateError::NoAttribute { provider: name.to_owned(), path: path.clone() });
        }
    }
    Ok(())
}

fn mark(schema: &mut Schema, steps: &[&str]) -> bool {
    fn attribute<'a>(block: &'a mut Block, steps: &[&str]) -> Option<&'a mut Attribute> {
        let (first, rest) = steps.split_first()?;
        if rest.is_empty() {
            return block.attributes.get_mut(*first);
        }
        attribute(&mut block.block_types.get_mut(*first)?.block, rest)
    }
    attribute(&mut schema.block, steps).map(|attribute| attribute.sensitive = true).is_some()
}

/// Writes an error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Returns the schema in a file, or all of what a package says; what can't be derived is told.
pub(crate) fn read(path: &Path, say: &mut dyn FnMut(&str)) -> Result<ProviderSchema, UpdateError> {
    if path.extension().is_none_or(|extension| extension != "whl") {
        return Ok(file::read(path)?);
    }
    let named = || path.display().to_string();
    let contents = package::read(path, &|_, _| true)
        .map_err(|source| UpdateError::Package(named(), source))?;
    contents.failed.iter().for_each(|failed| say(&format!("left out: {}", chain(failed))));
    Ok(contents.schema)
}
