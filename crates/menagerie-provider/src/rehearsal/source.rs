//! The providers that are rehearsed, with their schemas.

use super::schema::{ProviderSchema, Schema};
use crate::wire;
use flate2::read::GzDecoder;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is compiled in.
const EMBEDDED: [(&str, &[u8]); 5] = [
    ("hashicorp/aws", include_bytes!("../../schemas/aws.json.gz")),
    ("hashicorp/kubernetes", include_bytes!("../../schemas/kubernetes.json.gz")),
    ("hashicorp/nomad", include_bytes!("../../schemas/nomad.json.gz")),
    ("datadog/datadog", include_bytes!("../../schemas/datadog.json.gz")),
    ("newrelic/newrelic", include_bytes!("../../schemas/newrelic.json.gz")),
];

/// Hosts of the registries that call the same provider by the same name.
const HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// A schema that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("`{0}` is no `SOURCE=FILE`, such as `hashicorp/aws=aws.json`")]
    Argument(String),
    #[error("failed to read the schema `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the schema `{}` is not as `terraform providers schema -json` prints it for one provider", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
}

/// One provider.
#[derive(Debug)]
pub(crate) struct Source {
    address: String,
    bytes: &'static [u8],
    schema: OnceLock<ProviderSchema>,
    answer: OnceLock<Vec<u8>>,
    said: AtomicBool,
}

/// What is served of one provider.
#[derive(Debug, Serialize)]
pub(crate) struct Served<'a> {
    source: &'a str,
    /// None where the schema was given by the user.
    version: Option<String>,
    resources: Vec<&'a str>,
    data_sources: Vec<&'a str>,
    ephemeral_resources: Vec<&'a str>,
}

/// Returns all that are compiled in, with those that were given in their place or beside them.
pub(crate) fn all(given: &[String]) -> Result<Vec<Source>, SourceError> {
    let mut sources: Vec<_> = EMBEDDED
        .into_iter()
        .map(|(address, bytes)| Source {
            address: address.to_owned(),
            bytes,
            schema: OnceLock::new(),
            answer: OnceLock::new(),
            said: AtomicBool::new(false),
        })
        .collect();
    for argument in given {
        let source = Source::read(argument)?;
        sources.retain(|known| known.address != source.address);
        sources.push(source);
    }
    Ok(sources)
}

impl Source {
    fn read(argument: &str) -> Result<Self, SourceError> {
        let wrong = || SourceError::Argument(argument.to_owned());
        let (address, path) = argument.split_once('=').ok_or_else(wrong)?;
        let address = HOSTS
            .iter()
            .find_map(|host| address.strip_prefix(host)?.strip_prefix('/'))
            .unwrap_or(address);
        if !(1..=2).contains(&address.matches('/').count()) || address.split('/').any(str::is_empty)
        {
            return Err(wrong());
        }
        let path = Path::new(path);
        let read = |source| SourceError::Read { path: path.to_owned(), source };
        let bytes = unpack(&fs::read(path).map_err(read)?).map_err(read)?;
        let schema: ProviderSchema = serde_json::from_slice(&bytes)
            .map_err(|source| SourceError::Json { path: path.to_owned(), source })?;
        Ok(Self {
            address: address.to_owned(),
            bytes: &[],
            schema: OnceLock::from(schema),
            answer: OnceLock::new(),
            said: AtomicBool::new(false),
        })
    }

    /// Returns something to say for the first who asks.
    pub(crate) fn say_once<T>(&self, say: impl FnOnce(&str) -> T) -> Option<T> {
        (!self.said.swap(true, Ordering::Relaxed)).then(|| say(&self.address))
    }

    /// Returns the names of all types.
    pub(crate) fn served(&self) -> Served<'_> {
        fn names(schemas: &BTreeMap<String, Schema>) -> Vec<&str> {
            schemas.keys().map(String::as_str).collect()
        }
        let schema = self.schema();
        Served {
            source: &self.address,
            version: self.version(),
            resources: names(&schema.resources),
            data_sources: names(&schema.data_sources),
            ephemeral_resources: names(&schema.ephemeral),
        }
    }

    /// Returns the version of the provider whose schema is compiled in.
    fn version(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Made {
            source: String,
            version: String,
        }
        let made = include_str!("../../schemas/providers.toml");
        let made: BTreeMap<String, Made> = toml::from_str(made).ok()?;
        let of_this = |made: &Made| !self.bytes.is_empty() && made.source == self.address;
        made.into_values().find(of_this).map(|made| made.version)
    }

    /// Returns the address as a configuration has it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the whole addresses, by which Terraform and OpenTofu find it.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if self.address.matches('/').count() == 2 {
            return vec![self.address.clone()];
        }
        HOSTS.iter().map(|host| format!("{host}/{}", self.address)).collect()
    }

    /// Returns the schema, which is read when it is first needed.
    pub(crate) fn schema(&self) -> &ProviderSchema {
        self.schema.get_or_init(|| {
            let bytes = unpack(self.bytes).expect("a test unpacks what is compiled in");
            serde_json::from_slice(&bytes).expect("a test reads what is compiled in")
        })
    }

    /// Returns the answer to `GetProviderSchema`.
    pub(crate) fn answer(&self) -> &[u8] {
        self.answer.get_or_init(|| {
            let meta = (self.address == "hashicorp/aws").then(meta);
            self.schema().to_wire(meta).encode_to_vec()
        })
    }
}

/// What public modules say of themselves in `provider_meta`: no schema that Terraform prints has it.
fn meta() -> wire::Schema {
    let user_agent = wire::Attribute {
        name: "user_agent".to_owned(),
        r#type: br#"["list","string"]"#.to_vec(),
        optional: true,
        ..wire::Attribute::default()
    };
    let block = wire::Block { attributes: vec![user_agent], ..wire::Block::default() };
    wire::Schema { version: 0, block: Some(block) }
}

/// Unpacks what is packed, and returns the rest as it is.
fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_is_read_and_has_a_version() {
        let sources = all(&[]).unwrap();
        assert_eq!(sources.len(), EMBEDDED.len());
        for source in sources {
            assert!(!source.schema().resources.is_empty(), "{}", source.address());
            assert!(source.version().is_some(), "{}", source.address());
            assert_eq!(source.addresses().len(), 2);
        }
    }

    #[test]
    fn a_schema_of_the_users_own_is_named_with_its_provider() {
        for wrong in ["aws.json", "aws=x", "hashicorp/=x", "a/b/c/d=x", "=x"] {
            assert!(matches!(all(&[wrong.to_owned()]), Err(SourceError::Argument(_))), "{wrong}");
        }
        let missing = all(&["hashicorp/aws=/nowhere.json".to_owned()]);
        assert!(matches!(missing, Err(SourceError::Read { .. })));
    }
}
