//! The receiving end of OTLP over HTTP: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! It listens on loopback, where any user of this machine may send to it. A page in a browser may not: what it can
//! send without asking has another content type, and its question is refused.

use super::{Export, ExportError, Signal, otlp, store::Store};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prost::Message as _;
use serde_json::json;
use std::{convert::Infallible, io, io::Read as _, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

/// Largest request, before and after decompression; a full batch of an SDK is far below.
const LARGEST: usize = 8 * 1024 * 1024;

/// Time for a client to send its headers, and its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests that are in memory at once, and how long the next one waits for its turn.
const AT_ONCE: usize = 8;
const TURN: Duration = Duration::from_secs(1);

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 256;

/// How a message is encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encoding {
    Json,
    Protobuf,
}

/// Why a request is not taken.
#[derive(Debug, Eq, PartialEq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

/// Accepts for ever.
pub(crate) async fn serve(listener: TcpListener, store: Arc<Store>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    // When this is dropped its connections end with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, Arc::clone(&store), Arc::clone(&turns)));
            }
            // Out of file descriptors: those in use must be given time to close.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(stream: TcpStream, store: Arc<Store>, turns: Arc<Semaphore>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (store, turns) = (Arc::clone(&store), Arc::clone(&turns));
        async move { Ok::<_, Infallible>(answer(request, store, &turns).await) }
    });
    // A client that goes away in the middle is nobody's concern.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    store: Arc<Store>,
    turns: &Semaphore,
) -> Response<Full<Bytes>> {
    let encoding = encoding(request.headers());
    // Whoever speaks neither encoding reads JSON more easily.
    let speaks = *encoding.as_ref().unwrap_or(&Encoding::Json);
    let taken = async {
        let signal = Signal::of_path(request.uri().path()).ok_or_else(|| {
            refusal(StatusCode::NOT_FOUND, "there are /v1/traces, /v1/metrics and /v1/logs")
        })?;
        if request.method() != Method::POST {
            return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "telemetry is sent by POST"));
        }
        let encoding = encoding?;
        let is_compressed = is_compressed(request.headers())?;
        let busy = || refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
        let _turn =
            timeout(TURN, turns.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())?;
        let body = receive(request.into_body()).await?;
        let kept = spawn_blocking(move || {
            let body = if is_compressed { decompress(&body)?.into() } else { body };
            keep(&store, signal, encoding, &body)
        });
        kept.await.unwrap_or_else(|_| Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, "it failed")))
    };
    match taken.await {
        Ok(response) => response,
        Err(refusal) => refuse(&refusal, speaks),
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(Encoding::Json),
        "application/x-protobuf" => Ok(Encoding::Protobuf),
        _ => Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type is `application/json` or `application/x-protobuf`",
        )),
    }
}

fn is_compressed(headers: &HeaderMap) -> Result<bool, Refusal> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else { return Ok(false) };
    match coding.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" => Ok(true),
        _ => Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content encoding is `gzip` or none",
        )),
    }
}

async fn receive(body: hyper::body::Incoming) -> Result<Bytes, Refusal> {
    match timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            Err(refusal(StatusCode::BAD_REQUEST, &format!("the body was cut short: {error}")))
        }
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

fn decompress(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    let limit = LARGEST as u64 + 1;
    MultiGzDecoder::new(body).take(limit).read_to_end(&mut text).map_err(|error| {
        refusal(StatusCode::BAD_REQUEST, &format!("the body is not gzip: {error}"))
    })?;
    if text.len() > LARGEST { Err(too_large()) } else { Ok(text) }
}

fn keep(
    store: &Store,
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
) -> Result<Response<Full<Bytes>>, Refusal> {
    let export = match encoding {
        Encoding::Json => signal.read_json(body),
        Encoding::Protobuf => signal.read_protobuf(body),
    };
    let export = export
        .map_err(|error: ExportError| refusal(StatusCode::BAD_REQUEST, &error.to_string()))?;
    if export.items == 0 {
        return Ok(accept(signal, encoding, &export, None));
    }
    let error = store.append(signal, &export).err();
    Ok(accept(signal, encoding, &export, error.as_ref()))
}

/// What can't be kept is told as a partial success, which no client may repeat: on a full disk the
/// application should not fill its memory with what it tries to send.
fn accept(
    signal: Signal,
    encoding: Encoding,
    export: &Export,
    error: Option<&io::Error>,
) -> Response<Full<Bytes>> {
    let body = match (encoding, error) {
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(error)) => {
            let partial = json!({ signal.rejected(): export.items.to_string(), "errorMessage": error.to_string() });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
        (Encoding::Protobuf, error) => {
            let partial_success = error.map(|error| otlp::PartialSuccess {
                rejected: i64::try_from(export.items).unwrap_or(i64::MAX),
                error_message: error.to_string(),
            });
            otlp::ExportResponse { partial_success }.encode_to_vec()
        }
    };
    respond(StatusCode::OK, encoding, body)
}

fn refuse(refusal: &Refusal, encoding: Encoding) -> Response<Full<Bytes>> {
    let status = otlp::Status { code: 0, message: refusal.message.clone() };
    let body = match encoding {
        Encoding::Json => serde_json::to_vec(&status).expect("a text is JSON"),
        Encoding::Protobuf => status.encode_to_vec(),
    };
    let mut response = respond(refusal.status, encoding, body);
    let headers = response.headers_mut();
    match refusal.status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, http::HeaderValue::from_static("POST"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}

fn respond(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response<Full<Bytes>> {
    let content_type = match encoding {
        Encoding::Json => "application/json",
        Encoding::Protobuf => "application/x-protobuf",
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::new(Bytes::from(body)))
        .expect("these headers are valid")
}

fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, message: message.to_owned() }
}

fn too_large() -> Refusal {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, &format!("a request is at most {LARGEST} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}"#;

    struct Receiver {
        directory: tempfile::TempDir,
        port: u16,
    }

    impl Receiver {
        async fn start() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(serve(listener, Arc::new(Store::new(directory.path().to_owned()))));
            Self { directory, port }
        }

        /// Sends a request and returns the answer's head and body.
        async fn send(
            &self,
            method: &str,
            path: &str,
            headers: &str,
            body: &[u8],
        ) -> (String, Vec<u8>) {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            // Refused before it is read, a large body meets a closed connection.
            let _ = stream.write_all(body).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
            let body = answer.split_off(end + 4);
            (String::from_utf8(answer).unwrap().to_ascii_lowercase(), body)
        }

        async fn check(&self, path: &str, headers: &str, body: &[u8], status: u16, expected: &str) {
            let (head, body) = self.send("POST", path, headers, body).await;
            assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }

        fn kept(&self, name: &str) -> String {
            std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    const JSON: &str = "Content-Type: application/json; charset=utf-8\r\n";

    #[tokio::test]
    async fn both_encodings_are_kept_compressed_or_not() {
        let receiver = Receiver::start().await;
        receiver.check("/v1/traces", JSON, SPAN.as_bytes(), 200, "{}").await;
        let headers = format!("{JSON}Content-Encoding: gzip\r\n");
        receiver.check("/v1/traces", &headers, &gzip(SPAN.as_bytes()), 200, "{}").await;
        assert_eq!(receiver.kept("traces.ndjson"), format!("{SPAN}\n{SPAN}\n"));

        let metric = otlp::Metric { name: "up".to_owned(), ..otlp::Metric::default() };
        let scope_metrics =
            vec![otlp::ScopeMetrics { metrics: vec![metric], ..otlp::ScopeMetrics::default() }];
        let resource_metrics =
            vec![otlp::ResourceMetrics { scope_metrics, ..otlp::ResourceMetrics::default() }];
        let body = otlp::Metrics { resource_metrics }.encode_to_vec();
        let (head, answer) = receiver
            .send("POST", "/v1/metrics", "Content-Type: application/x-protobuf\r\n", &body)
            .await;
        assert!(
            head.starts_with("http/1.1 200 ")
                && head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        assert_eq!(answer, b"");
    }

    #[tokio::test]
    async fn an_empty_request_is_fine_and_leaves_nothing() {
        let receiver = Receiver::start().await;
        receiver.check("/v1/logs", JSON, b"{}", 200, "{}").await;
        receiver.check("/v1/logs", "Content-Type: application/x-protobuf\r\n", b"", 200, "").await;
        assert_eq!(std::fs::read_dir(receiver.directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let receiver = Receiver::start().await;
        let message = |text: &str| format!("{{\"message\":\"{text}\"}}");
        let json = "the body is not JSON: EOF while parsing an object at line 1 column 1";
        receiver.check("/v1/traces", JSON, b"{", 400, &message(json)).await;
        let expected = "the content type is `application/json` or `application/x-protobuf`";
        receiver
            .check("/v1/traces", "Content-Type: text/plain\r\n", b"{}", 415, &message(expected))
            .await;
        let headers = format!("{JSON}Content-Encoding: br\r\n");
        receiver
            .check(
                "/v1/traces",
                &headers,
                b"{}",
                415,
                &message("the content encoding is `gzip` or none"),
            )
            .await;
        receiver
            .check(
                "/v1/profiles",
                JSON,
                b"{}",
                404,
                &message("there are /v1/traces, /v1/metrics and /v1/logs"),
            )
            .await;
        let headers = format!("{JSON}Content-Encoding: gzip\r\n");
        let bomb = gzip(&vec![b' '; LARGEST + 1]);
        let large = "a request is at most 8388608 bytes";
        receiver.check("/v1/traces", &headers, &bomb, 413, &message(large)).await;
        let (head, _) = receiver.send("GET", "/v1/traces", "", b"").await;
        assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: post"), "{head}");
        let (head, _) = receiver.send("POST", "/v1/traces", JSON, &vec![b' '; LARGEST + 1]).await;
        assert!(head.starts_with("http/1.1 413 "), "{head}");
        let (head, body) = receiver
            .send("POST", "/v1/traces", "Content-Type: application/x-protobuf\r\n", b"\xff\xff")
            .await;
        assert!(head.starts_with("http/1.1 400 "), "{head}");
        let status = otlp::Status::decode(&body[..]).unwrap();
        assert!(status.message.starts_with("the body is not protobuf"), "{}", status.message);
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away_for_a_moment() {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, Arc::new(Store::new(directory.path().to_owned()))));
        let mut slow = Vec::new();
        for _ in 0..AT_ONCE {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream
                .write_all(
                    format!(
                        "POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{JSON}\r\n{{"
                    )
                    .as_bytes(),
                )
                .await
                .unwrap();
            slow.push(stream);
        }
        // They have their turns once a byte of theirs was read; nothing tells, so the others are asked until it is so.
        let receiver = Receiver { directory, port };
        let mut head = String::new();
        for _ in 0..100 {
            head = receiver.send("POST", "/v1/logs", JSON, b"{}").await.0;
            if head.starts_with("http/1.1 503 ") {
                break;
            }
        }
        assert!(head.starts_with("http/1.1 503 ") && head.contains("retry-after: 1"), "{head}");
        for stream in &mut slow {
            stream.write_all(b"}").await.unwrap();
        }
        receiver.check("/v1/logs", JSON, b"{}", 200, "{}").await;
    }
}
