//! A stand-in for cloud providers: true schemas, nothing real behind them.
//!
//! It answers Terraform for `hashicorp/aws` and its like from their schemas, keeps what was "made" in `world.json`, and fails
//! where it is asked to. It calls nobody, and it knows nothing that is not in its schemas, its rules or its fixtures.

mod answer;
mod change;
mod check;
mod data;
mod double;
mod fault;
mod fixture;
mod make;
mod policy;
mod rules;
mod schema;
mod shape;
mod source;
mod world;

use crate::{
    environment::Environment,
    layout::Layout,
    life::{self, LifeError},
    lock::Lock,
    rpc,
    socket::{self, SocketDirectory, SocketError},
};
use double::{Configuration, Double, Stage};
use fault::{Fault, Faults};
use fixture::{FixtureError, Fixtures};
use serde_json::{Map, Value, json};
use source::{Source, SourceError};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};
use tokio::net::UnixStream;
use world::World;

/// Stand in for cloud providers: print the value of `TF_REATTACH_PROVIDERS`, stay until standard input ends and no client lives
#[derive(Debug, clap::Args)]
pub(crate) struct Rehearse {
    /// Keep what the rehearsal makes in `world.json` of this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Answer data sources and imports from this file
    #[arg(long, value_name = "FILE")]
    fixtures: Option<PathBuf>,
    /// Take the schema of a provider from this file, as `terraform providers schema -json` prints it for one provider
    #[arg(long = "schema", value_name = "SOURCE=FILE")]
    schemas: Vec<String>,
    /// Fail: `TYPE[.NAME]:OPERATION:KIND[xN]`, such as `aws_db_instance:create:throttle`
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Delete also what is protected from deletion, as `terraform test` needs to clean up
    #[arg(long)]
    ignore_protection: bool,
    /// Leave when standard input has ended and no client came for so long
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) idle_seconds: u64,
}

/// Prints as JSON which types of which providers are rehearsed
#[derive(Debug, clap::Args)]
pub(crate) struct Schemas {
    /// Take the schema of a provider from this file, as `terraform providers schema -json` prints it for one provider
    #[arg(long = "schema", value_name = "SOURCE=FILE")]
    schemas: Vec<String>,
}

/// A rehearsal that can't start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RehearsalError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("failed to lock the directory of the rehearsal")]
    Lock(#[source] io::Error),
    #[error("the directory of the rehearsal is being taken down")]
    Down,
    #[error(transparent)]
    Life(#[from] LifeError),
}

/// Returns which types of which providers are rehearsed.
pub(crate) fn list(schemas: &Schemas) -> Result<Value, RehearsalError> {
    let sources = source::all(&schemas.schemas)?;
    let served: Vec<_> = sources.iter().map(Source::served).collect();
    Ok(json!({ "version": 1, "providers": served }))
}

/// Serves until standard input has ended and no client is left.
pub(crate) async fn run(
    rehearse: Rehearse,
    layout: Layout,
    environment: Environment,
) -> Result<(), RehearsalError> {
    let sources: Arc<[Source]> = source::all(&rehearse.schemas)?.into();
    let fixtures = rehearse.fixtures.as_deref().map(Fixtures::read).transpose()?;
    let stage = Arc::new(Stage {
        world: World::new(layout.directory()),
        fixtures: fixtures.unwrap_or_default(),
        faults: Faults::new(rehearse.faults),
        ignore_protection: rehearse.ignore_protection,
    });
    let lock = Lock::share(&layout.serve_lock(), Duration::from_secs(5));
    let _lock = lock.map_err(RehearsalError::Lock)?.ok_or(RehearsalError::Down)?;
    let sockets = SocketDirectory::new(&layout, &environment);
    sockets.sweep();
    let mut listeners = Vec::new();
    let mut paths = Vec::new();
    let mut announcement = Map::new();
    for (index, source) in sources.iter().enumerate() {
        // Short: on macOS little of a socket's path is left.
        let (listener, path) = sockets.listen(&format!("r{index}-{}.sock", std::process::id()))?;
        for address in source.addresses() {
            announcement.insert(address, life::reattach(&path));
        }
        listeners.push(listener);
        paths.push(path);
    }
    let announcement = Value::Object(announcement).to_string();
    let idle = Duration::from_secs(rehearse.idle_seconds);
    let served = life::run(listeners, &announcement, idle, |index, stream, _| {
        converse(stream, index, Arc::clone(&sources), Arc::clone(&stage))
    })
    .await;
    for path in paths {
        socket::forget(&path);
    }
    Ok(served?)
}

async fn converse(stream: UnixStream, index: usize, sources: Arc<[Source]>, stage: Arc<Stage>) {
    // What a provider block says holds for the connection that said it.
    let configuration = Arc::new(Mutex::new(Configuration::default()));
    let answer = move |method: &str, body: &[u8], _: &AtomicBool| {
        let double =
            Double { source: &sources[index], stage: &stage, configuration: &configuration };
        double.call(method, body)
    };
    rpc::serve(stream, Arc::new(AtomicBool::new(false)), answer).await;
}
