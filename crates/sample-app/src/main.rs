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
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::database::Database;
use crate::log::{Log, chain};
use crate::metrics::Metrics;
use crate::routes::{Application, router};
use crate::settings::{Level, Settings};
use crate::trace::Tracer;

/// How long requests in flight may take after the signal to end. With what closing the database and flushing the traces may
/// take it stays below the ten seconds after which a supervisor, like Docker, kills.
const DRAIN: Duration = Duration::from_secs(6);

fn main() -> ExitCode {
    match Settings::read(variables()) {
        Ok(settings) => run(settings),
        Err(error) => {
            let environment = settings::environment(variables());
            Log::new(&environment, Level::Info).line(
                Level::Error,
                "wrong settings",
                json!({ "error": chain(&error) }),
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
    let served = runtime.context("failed to start the runtime").and_then(|runtime| {
        let served = runtime.block_on(serve(settings, &log));
        // A name that is still looked up, which nothing can interrupt, must not hold up the end.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.line(Level::Error, "cannot serve", json!({ "error": chain(&error) }));
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings, log: &Log) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("failed to listen for signals")?;
    // First, so that a port in use is told at once, and not after the wait for a database.
    let listener = TcpListener::bind(settings.address).await.with_context(|| {
        let address = settings.address;
        format!("failed to listen on `{address}`: another port, or PORT=0 for any that is free, may help")
    })?;
    let address = listener.local_addr().context("failed to read the address")?;
    let database = tokio::select! {
        database = Database::open(&settings.database, log) => database?,
        signal = signals.next() => {
            log.line(Level::Info, "ended before the database answered", json!({ "signal": signal }));
            return Ok(());
        }
    };
    let tracer = Tracer::start(settings.traces_endpoint.as_deref(), &settings.resource, log)
        .context("failed to start traces")?;
    let application = Arc::new(Application {
        database,
        tracer,
        environment: settings.environment,
        log: log.clone(),
        metrics: Metrics::default(),
        slowdown: settings.slowdown,
        is_ending: AtomicBool::new(false),
    });
    log.line(
        Level::Info,
        "listening",
        json!({ "address": address.to_string(), "database": application.database.system() }),
    );

    let (close, closed) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(application.clone()))
        .with_graceful_shutdown(async { drop(closed.await) });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        finished = &mut server => finished.context("the server panicked")?.context("the server failed")?,
        signal = signals.next() => {
            application.is_ending.store(true, Ordering::Relaxed);
            log.line(Level::Info, "ending: finishing what is in flight", json!({ "signal": signal }));
            // Nobody new comes in from here on, and a connection that is open gets the answer to what it asked.
            drop(close);
            if timeout(DRAIN, server).await.is_err() {
                let fields = json!({ "in_flight": application.metrics.in_flight() });
                log.line(Level::Warn, "requests were still in flight", fields);
            }
        }
    }
    // A connection that is still busy with a request left behind must not hold up the end.
    let _ = timeout(Duration::from_secs(1), application.database.close()).await;
    application.tracer.flush();
    log.line(Level::Info, "ended", json!({}));
    Ok(())
}

/// The signals that ask for the end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
