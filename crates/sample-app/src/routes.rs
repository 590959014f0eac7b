//! What the application answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use axum::extract::rejection::{FormRejection, JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest as _, MatchedPath, Query, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::database::Database;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::page::{Refused, page};
use crate::settings::Level;
use crate::trace::{Context, Kind, Span, Tracer};

/// What all requests share.
pub(crate) struct Application {
    pub(crate) environment: String,
    pub(crate) database: Database,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
    pub(crate) tracer: Tracer,
    /// See [`crate::settings::Settings::slowdown`].
    pub(crate) slowdown: f64,
    /// Set when it is about to end: from then on it is not ready.
    pub(crate) is_ending: AtomicBool,
}

type Shared = State<Arc<Application>>;

/// How many characters an entry may have.
pub(crate) const LONGEST_NAME: usize = 80;
pub(crate) const LONGEST_MESSAGE: usize = 2000;
const BODY_LIMIT: usize = 64 * 1024;

/// How many entries are shown or listed, if not told otherwise, and at most.
const LIMIT: u32 = 100;
const MOST: u32 = 1000;

/// The page runs no script, and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router(application: Arc<Application>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/entries", post(write).get(list))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(application.clone(), observe))
        .with_state(application)
}

async fn index(State(application): Shared, Extension(context): Extension<Context>) -> Response {
    show(&application, &context, StatusCode::OK, None).await
}

async fn show(
    application: &Application,
    context: &Context,
    status: StatusCode,
    refused: Option<&Refused<'_>>,
) -> Response {
    let newest = application.database.newest(LIMIT.into());
    match query(application, context, "SELECT entry", newest).await {
        Ok(entries) => {
            let html = Html(page(&application.environment, &entries, refused));
            (status, [(CONTENT_SECURITY_POLICY, POLICY)], html).into_response()
        }
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn list(
    State(application): Shared,
    Extension(context): Extension<Context>,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Response {
    let limit = match limit {
        Ok(Query(Limit { limit })) => limit.unwrap_or(LIMIT).clamp(1, MOST),
        Err(error) => return problem(error.status(), &error.body_text()),
    };
    let newest = application.database.newest(limit.into());
    match query(&application, &context, "SELECT entry", newest).await {
        Ok(entries) => Json(entries).into_response(),
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct NewEntry {
    name: String,
    message: String,
}

/// Takes an entry from the page's form, and then shows the page again, or as JSON, and then answers with the row.
async fn write(
    State(application): Shared,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let is_json = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let entry = if is_json {
        Json::<NewEntry>::from_request(request, &())
            .await
            .map(|Json(entry)| entry)
            .map_err(|error: JsonRejection| (error.status(), error.body_text()))
    } else {
        Form::<NewEntry>::from_request(request, &())
            .await
            .map(|Form(entry)| entry)
            .map_err(|error: FormRejection| (error.status(), error.body_text()))
    };
    let entry = match entry {
        Ok(entry) => entry,
        Err((status, text)) => return problem(status, &text),
    };
    // A form sends each line break as two characters, of which the page that limits the length counts one.
    let message = entry.message.replace("\r\n", "\n");
    let (name, message) = (entry.name.trim(), message.trim());
    if let Some(reason) =
        check("name", name, LONGEST_NAME).or_else(|| check("message", message, LONGEST_MESSAGE))
    {
        return if is_json {
            problem(StatusCode::UNPROCESSABLE_ENTITY, &reason)
        } else {
            let refused = Refused { name, message, reason: &reason };
            show(&application, &context, StatusCode::UNPROCESSABLE_ENTITY, Some(&refused)).await
        };
    }
    let added = application.database.add(name, message);
    match query(&application, &context, "INSERT entry", added).await {
        Ok(entry) => {
            application.metrics.entry_written();
            if is_json {
                (StatusCode::CREATED, Json(entry)).into_response()
            } else {
                (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response()
            }
        }
        Err(response) => response,
    }
}

fn check(field: &str, value: &str, longest: usize) -> Option<String> {
    let length = value.chars().count();
    if value.is_empty() {
        Some(format!("`{field}` is empty"))
    } else if value.contains('\0') {
        // PostgreSQL's text has no place for it.
        Some(format!("`{field}` holds a null character"))
    } else if length > longest {
        Some(format!("`{field}` has {length} characters, and {longest} is the most"))
    } else {
        None
    }
}

async fn ready(State(application): Shared) -> Response {
    if application.is_ending.load(Ordering::Relaxed) {
        problem(StatusCode::SERVICE_UNAVAILABLE, "ending")
    } else if application.database.answers().await {
        "ready\n".into_response()
    } else {
        problem(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    }
}

async fn metrics(State(application): Shared) -> Response {
    let text = application.metrics.text(&application.environment);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Runs a query as a span of its own; what went wrong is logged, and not told to the outside.
async fn query<T>(
    application: &Application,
    context: &Context,
    operation: &str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Response> {
    let start = SystemTime::now();
    let result = work.await;
    application.tracer.record(Span {
        context: context.child(),
        name: operation.to_owned(),
        kind: Kind::Client,
        start,
        attributes: vec![("db.system.name", application.database.system().into())],
        failed: result.is_err(),
    });
    result.map_err(|error| {
        let fields = json!({ "error": error.to_string(), "trace_id": context.trace_id });
        application.log.line(Level::Error, "a query failed", fields);
        problem(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    })
}

/// Counts, logs and traces each request.
async fn observe(
    State(application): Shared,
    path: Option<MatchedPath>,
    headers: HeaderMap,
    mut request: Request,
    next: Next,
) -> Response {
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let context = Context::of_request(traceparent);
    request.extensions_mut().insert(context.clone());
    // A method of its own would be a label of its own: a stranger must not be able to make those.
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => {
            known.to_owned()
        }
        _ => "OTHER".to_owned(),
    };
    let route = path.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let asked_path = request.uri().path().to_owned();
    let in_flight = application.metrics.request_started();
    let (start, clock) = (SystemTime::now(), Instant::now());
    let response = next.run(request).await;
    if application.slowdown > 1.0 {
        stretch(clock, application.slowdown);
    }
    let (status, took) = (response.status().as_u16(), clock.elapsed());
    application.metrics.request_answered(&method, &route, status, took);
    drop(in_flight);
    // The supervisor asks for health several times a second.
    let level = if matches!(route.as_str(), "/healthz" | "/readyz") && status == 200 {
        Level::Debug
    } else {
        Level::Info
    };
    let fields = json!({
        "method": method, "route": route, "status": status,
        "duration_ms": took.as_secs_f64() * 1000.0, "trace_id": context.trace_id,
    });
    application.log.line(level, "request", fields);
    if level == Level::Info {
        application.tracer.record(Span {
            context,
            name: format!("{method} {route}"),
            kind: Kind::Server,
            start,
            attributes: vec![
                ("http.request.method", method.into()),
                ("http.route", route.into()),
                ("url.path", asked_path.into()),
                ("url.scheme", "http".into()),
                ("http.response.status_code", status.into()),
            ],
            failed: status >= 500,
        });
    }
    response
}

/// Waits until so many times as long has passed as until now.
fn stretch(clock: Instant, factor: f64) {
    let until = clock + clock.elapsed().mul_f64(factor);
    // Work, as slower code would; and a timer is late by up to a millisecond, which is more than most requests take.
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
