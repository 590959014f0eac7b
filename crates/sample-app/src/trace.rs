//! Traces: spans to an OpenTelemetry collector, by OTLP over HTTP in its JSON encoding.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>. Written here, for it is little: the OpenTelemetry crates (0.33, with
//! `http-proto` and no HTTP client of their own) would bring 16 more, and to a cold build 22 s of processor time. That was
//! measured twice on a busy machine; earlier measurements gave 9 s and 40 s.
//!
//! A collector that is slow or gone costs spans, never a request: the queue is bounded and what does not fit is dropped.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::log::Log;
use crate::settings::Level;

/// How many spans wait at most, and how many are sent at once.
const QUEUE: usize = 2048;
const BATCH: usize = 256;
/// How long a span waits for others at most, and how long a collector may take.
const DELAY: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(2);

/// Where a request stands in a trace.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    parent_id: Option<String>,
    /// Whether its spans are sent: its caller may have decided that this trace is not recorded.
    is_sampled: bool,
}

/// A finished piece of work.
pub(crate) struct Span {
    pub(crate) context: Context,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) start: SystemTime,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    pub(crate) failed: bool,
}

/// On which side of a call a span is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Server = 2,
    Client = 3,
}

/// Sends spans in the background; without an endpoint it does nothing.
pub(crate) struct Tracer {
    queue: Option<SyncSender<Value>>,
    /// How many spans were taken and not yet sent.
    waiting: Arc<AtomicUsize>,
}

impl Context {
    /// Goes on with the trace of a W3C `traceparent` header, or begins one.
    pub(crate) fn of_request(traceparent: Option<&str>) -> Self {
        let parent = traceparent.and_then(|header| {
            let mut parts = header.trim().split('-');
            let (version, trace_id) = (parts.next()?, parts.next()?);
            let (span_id, flags) = (parts.next()?, parts.next()?);
            let is_hex = |text: &str, length| {
                let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                text.len() == length && digits
            };
            let is_id =
                |text, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
            // Only a later version may have more parts.
            let is_version = match version {
                "00" => parts.next().is_none(),
                other => is_hex(other, 2) && other != "ff",
            };
            let is_valid =
                is_version && is_id(trace_id, 32) && is_id(span_id, 16) && is_hex(flags, 2);
            let flags = u8::from_str_radix(flags, 16).ok()?;
            is_valid.then(|| Self {
                trace_id: trace_id.to_owned(),
                span_id: random(),
                parent_id: Some(span_id.to_owned()),
                is_sampled: flags & 1 == 1,
            })
        });
        parent.unwrap_or_else(|| Self {
            trace_id: random() + &random(),
            span_id: random(),
            parent_id: None,
            is_sampled: true,
        })
    }

    /// Begins a span below this one.
    pub(crate) fn child(&self) -> Self {
        Self {
            trace_id: self.trace_id.clone(),
            span_id: random(),
            parent_id: Some(self.span_id.clone()),
            is_sampled: self.is_sampled,
        }
    }
}

impl Tracer {
    /// Starts the thread that sends. The endpoint is the collector's base URL, and the resource says where the spans come from.
    pub(crate) fn start(
        endpoint: Option<&str>,
        resource: &BTreeMap<String, String>,
        log: &Log,
    ) -> std::io::Result<Self> {
        let Some(endpoint) = endpoint else {
            return Ok(Self { queue: None, waiting: Arc::default() });
        };
        let url = format!("{endpoint}/v1/traces");
        let resource =
            attributes(resource.iter().map(|(key, value)| (key.as_str(), value.as_str().into())));
        let (queue, spans) = sync_channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let (left, log) = (waiting.clone(), log.clone());
        std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || send(&spans, &left, &url, &resource, &log))?;
        Ok(Self { queue: Some(queue), waiting })
    }

    /// Hands over a span that ends now.
    pub(crate) fn record(&self, span: Span) {
        if let Some(queue) = &self.queue
            && span.context.is_sampled
        {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            // Full is the collector's fault, and not the request's problem.
            if queue.try_send(encode(span, SystemTime::now())).is_err() {
                self.waiting.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Waits until all spans are sent, for as long as one answer of the collector may take.
    pub(crate) fn flush(&self) {
        let deadline = Instant::now() + DELAY + TIMEOUT;
        while self.waiting.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn send(spans: &Receiver<Value>, waiting: &AtomicUsize, url: &str, resource: &Value, log: &Log) {
    // Without a word to the contrary ureq takes a proxy from the environment, and the collector stands beside the application.
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).build();
    let agent = ureq::Agent::new_with_config(config);
    let mut is_lost = false;
    while let Ok(first) = spans.recv() {
        let mut batch = vec![first];
        let deadline = Instant::now() + DELAY;
        let mut open = true;
        while open && batch.len() < BATCH {
            match spans.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(span) => batch.push(span),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        }
        let count = batch.len();
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{ "scope": { "name": "sample-app" }, "spans": batch }],
        }]});
        // Lost spans are the price of never holding up a request; that they are lost is told once.
        let sent = agent.post(url).content_type("application/json").send(body.to_string());
        match (sent, is_lost) {
            (Err(error), false) => {
                let fields = json!({ "url": url, "error": error.to_string() });
                log.line(Level::Warn, "traces are lost: the collector does not take them", fields);
                is_lost = true;
            }
            (Ok(_), true) => {
                log.line(Level::Info, "traces are sent again", json!({}));
                is_lost = false;
            }
            _ => {}
        }
        waiting.fetch_sub(count, Ordering::SeqCst);
    }
}

fn encode(span: Span, end: SystemTime) -> Value {
    json!({
        "traceId": span.context.trace_id,
        "spanId": span.context.span_id,
        "parentSpanId": span.context.parent_id.unwrap_or_default(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanoseconds(span.start),
        "endTimeUnixNano": nanoseconds(end),
        "attributes": attributes(span.attributes.into_iter()),
        "status": { "code": if span.failed { 2 } else { 0 } },
    })
}

fn attributes<'a>(attributes: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let encoded = attributes.map(|(key, value)| {
        // 64-bit integers are strings in the JSON encoding of protocol buffers.
        let value = match value.as_i64() {
            Some(number) => json!({ "intValue": number.to_string() }),
            None => json!({ "stringValue": value }),
        };
        json!({ "key": key, "value": value })
    });
    encoded.collect()
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// Returns 16 hexadecimal digits, seeded by the operating system and never all zero in practice.
fn random() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}", RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_parent_is_gone_on_with() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = Context::of_request(Some(header));
        assert_eq!(context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.parent_id.as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(context.child().parent_id.as_ref(), Some(&context.span_id));
        assert!(context.is_sampled && context.child().is_sampled);
        let context = Context::of_request(Some(&header.replace("-01", "-00")));
        assert!(!context.is_sampled && !context.child().is_sampled);
    }

    #[test]
    fn an_invalid_parent_is_not() {
        let zero = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        for header in [
            "",
            "00",
            "00-xyz-1-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            &zero,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let context = Context::of_request(Some(header));
            assert!(context.parent_id.is_none() && context.trace_id.len() == 32, "{header}");
        }
    }
}
