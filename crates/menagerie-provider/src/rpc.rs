//! gRPC over `h2`, unary only: five bytes of prefix and a message, the same back, the status in trailers.

use crate::provider::{INTERNAL, Status, UNIMPLEMENTED};
use bytes::{Bytes, BytesMut};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, Request, Response};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    net::UnixStream,
    task::{JoinSet, spawn_blocking},
};

/// Largest message: a plan of thousands of services is far below.
const LARGEST: usize = 64 * 1024 * 1024;

const SERVICE: &str = "/tfplugin6.Provider/";

/// Serves one connection until the client closes it; `answer` runs on a thread where it may block.
///
/// `cancelled` is set when the client has gone: nobody waits for the answers any more.
pub(crate) async fn serve<A>(stream: UnixStream, cancelled: Arc<AtomicBool>, answer: A)
where
    A: Fn(&str, &[u8], &AtomicBool) -> Result<Vec<u8>, Status> + Clone + Send + Sync + 'static,
{
    let handshake = h2::server::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 24)
        .handshake(stream)
        .await;
    let Ok(mut connection) = handshake else { return };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        calls.spawn(handle(request, respond, answer.clone(), Arc::clone(&cancelled)));
        while calls.try_join_next().is_some() {}
    }
    cancelled.store(true, Ordering::Relaxed);
    // An order that was given is carried out: what it made is recorded, whoever asks next finds it.
    while calls.join_next().await.is_some() {}
}

async fn handle<A>(
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    answer: A,
    cancelled: Arc<AtomicBool>,
) -> Result<(), h2::Error>
where
    A: Fn(&str, &[u8], &AtomicBool) -> Result<Vec<u8>, Status> + Send + Sync + 'static,
{
    // go-plugin opens streams of its own (stdio, broker) and leaves them open: answered before their body.
    let Some(method) = request.uri().path().strip_prefix(SERVICE).map(str::to_owned) else {
        return refuse(respond, &Status { code: UNIMPLEMENTED, message: String::new() });
    };
    let outcome = match receive(request.into_body()).await? {
        Ok(message) => match spawn_blocking(move || answer(&method, &message, &cancelled)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Status { code: INTERNAL, message: error.to_string() }),
        },
        Err(status) => Err(status),
    };
    match outcome {
        Ok(message) => reply(respond, &message),
        Err(status) => refuse(respond, &status),
    }
}

async fn receive(mut body: RecvStream) -> Result<Result<Bytes, Status>, h2::Error> {
    let error = |message: &str| Ok(Err(Status { code: INTERNAL, message: message.to_owned() }));
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if bytes.len() + chunk.len() > LARGEST {
            return error("the message is too large");
        }
        bytes.extend_from_slice(&chunk);
    }
    match unframe(&bytes) {
        Some(_) => Ok(Ok(bytes.freeze().slice(5..))),
        None => error("the message is not framed, or compressed"),
    }
}

fn reply(mut respond: SendResponse<Bytes>, message: &[u8]) -> Result<(), h2::Error> {
    let mut stream = respond.send_response(head(Response::builder()), false)?;
    stream.send_data(frame(message), false)?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", 0.into());
    stream.send_trailers(trailers)
}

/// A reply of headers only.
fn refuse(mut respond: SendResponse<Bytes>, status: &Status) -> Result<(), h2::Error> {
    let message: String =
        status.message.chars().filter(|character| (' '..='~').contains(character)).collect();
    let builder =
        Response::builder().header("grpc-status", status.code).header("grpc-message", message);
    respond.send_response(head(builder), true).map(drop)
}

fn head(builder: http::response::Builder) -> Response<()> {
    builder.header("content-type", "application/grpc").body(()).expect("these headers are valid")
}

fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("our answers are far below 4 GiB");
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.extend_from_slice(&[0]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    frame.freeze()
}

/// Returns the one uncompressed message that fills a frame.
fn unframe(frame: &[u8]) -> Option<&[u8]> {
    let (prefix, message) = frame.split_at_checked(5)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    (prefix[0] == 0 && usize::try_from(length).ok()? == message.len()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_opens_to_its_message(message in prop::collection::vec(any::<u8>(), 0..200)) {
            let framed = frame(&message);
            prop_assert_eq!(unframe(&framed), Some(&message[..]));
        }

        #[test]
        fn opening_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = unframe(&bytes);
        }
    }
}
