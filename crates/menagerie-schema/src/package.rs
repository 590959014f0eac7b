//! The packages that are generated from providers' schemas: gets them, and reads the sources in them.
//!
//! A wheel of the Python package index holds an archive of JavaScript, each file of which carries the TypeScript that it was made from in its
//! source map.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::extract::{ExtractError, extract};
use crate::schema::{Kind, ProviderSchema, Schema};
use crate::settings::Package;
use crate::typescript::Source;

/// A package can't be had or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// There is no `pip`.
    #[error("failed to start `{0}`")]
    Start(String, #[source] io::Error),
    /// It did not fetch it.
    #[error("`{command}` failed: {said}")]
    Download {
        /// What was run.
        command: String,
        /// Its last line.
        said: String,
    },
    /// It is another file than the one that was looked at when it was pinned.
    #[error("the SHA-256 of `{}` is {actual}, and should be {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What it is.
        actual: String,
        /// What it should be.
        expected: String,
    },
    /// A file could not be read or written.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It is no wheel.
    #[error("failed to unpack `{}`", path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ZipError,
    },
    /// It holds no such sources.
    #[error("`{}` is no package of a provider's bindings: it has no {what}", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A type's sources do not say enough.
    #[error("failed to read `{kind} \"{name}\"` out of the package")]
    Extract {
        /// What it is.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: ExtractError,
    },
}

/// Returns the path of a package, which is fetched where the directory does not have it, and whose checksum is compared.
pub(crate) fn fetch(
    package: &Package,
    directory: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, PackageError> {
    let path = directory.join(package.file_name());
    if !path.exists() {
        fs::create_dir_all(directory).map_err(|source| file_error("create", directory, source))?;
        say(&format!(
            "Fetching {} {} from the Python package index",
            package.name, package.version
        ));
        download(package, directory)?;
    }
    let actual = checksum(&path)?;
    if actual != package.sha256 {
        return Err(PackageError::Checksum { path, actual, expected: package.sha256.clone() });
    }
    Ok(path)
}

fn download(package: &Package, directory: &Path) -> Result<(), PackageError> {
    let requirement = format!("{}=={}", package.name, package.version);
    let mut arguments: Vec<OsString> = [
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
    ]
    .map(Into::into)
    .into();
    arguments.extend([directory.into(), OsString::from(&requirement)]);
    let command = format!("python3 -m pip download --no-deps {requirement}");
    let output = duct::cmd("python3", arguments)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .map_err(|source| PackageError::Start(command.clone(), source))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_end().lines().next_back().unwrap_or("it said nothing").to_owned();
    Err(PackageError::Download { command, said })
}

fn checksum(path: &Path) -> Result<String, PackageError> {
    let failed = |source| file_error("read", path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            length => hasher.update(&block[..length]),
        }
    }
    let sum = hasher.finalize();
    Ok(sum.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// What a package says, and what it does not say of what was wanted.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The provider's version.
    pub(crate) version: Option<String>,
    pub(crate) schema: ProviderSchema,
    /// Every type that it has, wanted or not.
    pub(crate) names: BTreeMap<Kind, Vec<String>>,
    /// What can't be derived, and why.
    pub(crate) failed: Vec<PackageError>,
}

/// Reads a package: the types that are wanted, and the names of all.
pub(crate) fn read(
    path: &Path,
    is_wanted: &dyn Fn(Kind, &str) -> bool,
) -> Result<Contents, PackageError> {
    let mut contents = Contents::default();
    let mut modules: BTreeMap<String, Module> = BTreeMap::new();
    for_each_file(path, &mut |name, text| {
        if name == "package.json" {
            contents.version = provider_version(text);
            return;
        }
        let Some(name) = name.strip_prefix("lib/").and_then(|name| name.strip_suffix(".js")) else {
            return;
        };
        // Large types have parts of their own, which may come before what says whose parts they are.
        let (module, is_part) = match name.split_once("/index-structs/") {
            Some((module, _)) => (module, true),
            None => (name.strip_suffix("/index").unwrap_or(name), false),
        };
        let module = modules.entry(module.to_owned()).or_default();
        if !is_part {
            module.declared = declared(text);
        }
        if is_part
            || module
                .declared
                .as_ref()
                .is_some_and(|(kind, name)| kind.is_none_or(|kind| is_wanted(kind, name)))
        {
            module.sources.extend(original(text));
        }
    })?;
    let mut has_provider = false;
    for module in modules.into_values() {
        let Some((kind, name)) = module.declared else { continue };
        if let Some(kind) = kind {
            contents.names.entry(kind).or_default().push(name.clone());
            if !is_wanted(kind, &name) {
                continue;
            }
        }
        let mut source = Source::default();
        module.sources.iter().for_each(|text| source.add(text));
        let root = source.root().unwrap_or_default();
        match (extract(&source, root), kind) {
            (Ok(block), Some(kind)) => {
                contents.schema.types_mut(kind).insert(name, Schema { version: 0, block });
            }
            (Ok(block), None) => {
                has_provider = true;
                contents.schema.provider.block = block;
            }
            (Err(source), kind) => {
                let kind = kind.map_or("provider".to_owned(), |kind| kind.to_string());
                contents.failed.push(PackageError::Extract { kind, name, source });
            }
        }
    }
    if !has_provider && contents.failed.is_empty() {
        return Err(PackageError::NotOne { path: path.to_owned(), what: "source of a provider" });
    }
    Ok(contents)
}

/// The files of one type.
#[derive(Default)]
struct Module {
    /// What it is, `None` for the provider itself, and its name.
    declared: Option<(Option<Kind>, String)>,
    sources: Vec<String>,
}

/// Gives each file of the archive in a wheel, by its path below `package/`.
fn for_each_file(path: &Path, take: &mut dyn FnMut(&str, &str)) -> Result<(), PackageError> {
    let unpack = |source| PackageError::Unpack { path: path.to_owned(), source };
    let failed = |source| file_error("unpack", path, source);
    let file = File::open(path).map_err(|source| file_error("read", path, source))?;
    let mut wheel = ZipArchive::new(io::BufReader::new(file)).map_err(unpack)?;
    let inner = wheel
        .file_names()
        .filter_map(Result::ok)
        .find(|name| name.ends_with(".jsii.tgz"))
        .map(Cow::into_owned);
    let inner = inner.ok_or_else(|| PackageError::NotOne {
        path: path.to_owned(),
        what: "archive of JavaScript",
    })?;
    let mut archive = tar::Archive::new(GzDecoder::new(wheel.by_name(&inner).map_err(unpack)?));
    let mut text = String::new();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix("package/") else { continue };
        if name == "package.json" || name.strip_suffix(".js").is_some() {
            text.clear();
            entry.read_to_string(&mut text).map_err(failed)?;
            take(name, &text);
        }
    }
    Ok(())
}

/// Returns what a module of JavaScript stands for.
fn declared(text: &str) -> Option<(Option<Kind>, String)> {
    // With single quotes it is what the constructor passes on; elsewhere there are double ones.
    let name = text.split_once("terraformResourceType: '")?.1.split_once('\'')?.0;
    let base = text
        .split(" extends cdkt")
        .skip(1)
        .find_map(|rest| rest.split_once(".Terraform").filter(|(before, _)| before.len() == 1));
    let base = base?.1;
    let kind = [
        ("Resource", Some(Kind::Resource)),
        ("DataSource", Some(Kind::Data)),
        ("EphemeralResource", Some(Kind::Ephemeral)),
        ("Provider", None),
    ];
    let (_, kind) = kind
        .into_iter()
        .find(|(prefix, _)| base.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(' ')))?;
    Some((kind, name.to_owned()))
}

/// Returns the TypeScript in the source map of a file of JavaScript.
fn original(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SourceMap {
        sources_content: Vec<String>,
    }
    let (_, encoded) = text.rsplit_once("//# sourceMappingURL=data:application/json;base64,")?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let map: SourceMap = serde_json::from_slice(&decoded).ok()?;
    map.sources_content.into_iter().next()
}

/// Returns the version of the provider that a package was made from.
fn provider_version(text: &str) -> Option<String> {
    let package: serde_json::Value = serde_json::from_str(text).ok()?;
    ["cdktn", "cdktf"].iter().find_map(|key| {
        Some(package.get(key)?.get("provider")?.get("version")?.as_str()?.to_owned())
    })
}

fn file_error(action: &'static str, path: &Path, source: io::Error) -> PackageError {
    PackageError::File { action, path: path.to_owned(), source }
}
