//! Where things lie in the runtime directory of one environment.

use crate::{name::Name, record::DatabaseRecord};
use std::path::{Path, PathBuf};

/// The runtime directory: everything about one environment's processes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    directory: PathBuf,
}

/// What belongs to one service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceLayout {
    pub(crate) directory: PathBuf,
}

/// What belongs to one database.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseLayout {
    pub(crate) directory: PathBuf,
}

impl Layout {
    /// `directory` is canonical, so that it names the environment wherever it is called from.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn services(&self) -> PathBuf {
        self.directory.join("services")
    }

    pub(crate) fn databases(&self) -> PathBuf {
        self.directory.join("databases")
    }

    /// The environment's one collector.
    pub(crate) fn collector(&self) -> PathBuf {
        self.directory.join("collector.json")
    }

    /// What the collector keeps.
    pub(crate) fn telemetry(&self) -> PathBuf {
        self.directory.join("telemetry")
    }

    pub(crate) fn service(&self, name: &Name) -> ServiceLayout {
        ServiceLayout { directory: self.services().join(name.as_str()) }
    }

    pub(crate) fn database(&self, name: &Name) -> DatabaseLayout {
        DatabaseLayout { directory: self.databases().join(name.as_str()) }
    }

    /// Held for the supervisor's whole life.
    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("supervisor.lock")
    }

    /// Shared by all that serve, for as long as they do.
    pub(crate) fn serve_lock(&self) -> PathBuf {
        self.directory.join("serve.lock")
    }

    /// Who the supervisor is and where it listens.
    pub(crate) fn supervisor(&self) -> PathBuf {
        self.directory.join("supervisor.json")
    }

    /// Where this directory was when it was made.
    pub(crate) fn place(&self) -> PathBuf {
        self.directory.join("place.json")
    }

    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.directory.join("supervisor.log")
    }
}

impl ServiceLayout {
    pub(crate) fn record(&self) -> PathBuf {
        self.directory.join("service.json")
    }

    pub(crate) fn replicas(&self) -> PathBuf {
        self.directory.join("replicas")
    }

    /// The process of one replica.
    pub(crate) fn replica(&self, index: u32) -> PathBuf {
        self.replicas().join(format!("{index}.json"))
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }

    pub(crate) fn log(&self, index: u32) -> PathBuf {
        self.logs().join(format!("replica-{index}.log"))
    }

    /// The working directory of the replicas.
    pub(crate) fn work(&self) -> PathBuf {
        self.directory.join("work")
    }
}

impl DatabaseLayout {
    pub(crate) fn record(&self) -> PathBuf {
        self.directory.join("database.json")
    }

    /// The process that serves the database, or prepares it.
    pub(crate) fn process(&self) -> PathBuf {
        self.directory.join("process.json")
    }

    /// The tool that backs it up or restores it.
    pub(crate) fn tool(&self) -> PathBuf {
        self.directory.join("tool.json")
    }

    pub(crate) fn tool_log(&self) -> PathBuf {
        self.directory.join("tool.log")
    }

    /// The connection URL with its password: a file of mode 0600.
    pub(crate) fn url(&self, record: &DatabaseRecord) -> PathBuf {
        self.directory.join(format!("url-{}", record.incarnation))
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }
}
