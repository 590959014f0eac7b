//! The application that this repository hosts: a guestbook with a database. Small, but real: it migrates its tables, tells
//! whether it is healthy and ready, counts, logs and traces its requests, and finishes what is in flight before it ends.
//!
//! It is told everything by its environment, see `settings.rs`. Nothing imports it.

mod database;
mod log;
mod metrics;
mod page;
mod routes;
mod settings;
mod trace;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::database::Database;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::routes::{Application, router};
use crate::settings::{Level, Settings};
use crate::trace::Tracer;

/// How long requests in flight may take after the signal to end.
const DRAIN: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    match Settings::read(variables()) {
        Ok(settings) => run(settings),
        Err(error) => {
            Log::new("", Level::Info).line(
                Level::Error,
                "wrong settings",
                json!({ "error": format!("{error:#}") }),
            );
            ExitCode::FAILURE
        }
    }
}

fn variables() -> impl Iterator<Item = (String, String)> {
    // One that is not UTF-8 is none of ours.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn run(settings: Settings) -> ExitCode {
    let log = Log::new(&settings.environment, settings.log_level);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let served = runtime
        .context("failed to start the runtime")
        .and_then(|runtime| runtime.block_on(serve(settings, &log)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.line(Level::Error, "cannot serve", json!({ "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings, log: &Log) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    // First, so that a port in use is told at once, and not after the wait for a database.
    let listener = TcpListener::bind(settings.address).await;
    let listener = listener.with_context(|| format!("failed to listen on {}", settings.address))?;
    let address = listener.local_addr().context("failed to read the address")?;
    let application = Arc::new(Application {
        database: Database::open(&settings.database_url).await?,
        tracer: Tracer::start(settings.traces_endpoint.as_deref(), &settings.environment)
            .context("failed to start traces")?,
        environment: settings.environment,
        log: log.clone(),
        metrics: Metrics::default(),
        is_ending: AtomicBool::new(false),
    });
    log.line(Level::Info, "listening", json!({ "address": address.to_string() }));

    let (end, mut ended) = tokio::sync::watch::channel(false);
    let mut deadline = ended.clone();
    let graceful = async move {
        let _ = ended.wait_for(|ended| *ended).await;
    };
    let server = tokio::spawn(
        axum::serve(listener, router(application.clone()))
            .with_graceful_shutdown(graceful)
            .into_future(),
    );
    let ending = application.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        ending.is_ending.store(true, Ordering::Relaxed);
        ending.log.line(Level::Info, "ending: finishing what is in flight", json!({}));
        let _ = end.send(true);
    });
    let drained = async {
        let _ = deadline.wait_for(|ended| *ended).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        finished = server => finished.context("the server panicked")?.context("the server failed")?,
        () = drained => log.line(Level::Warn, "requests were still in flight", json!({ "seconds": DRAIN.as_secs() })),
    }
    application.database.close().await;
    application.tracer.flush();
    log.line(Level::Info, "ended", json!({}));
    Ok(())
}
