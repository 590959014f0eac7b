//! Lets Terraform in: a Unix socket, and the value of `TF_REATTACH_PROVIDERS` that leads to it.

use crate::{
    client::Client,
    environment::Environment,
    layout::Layout,
    life::{self, LifeError},
    lock::Lock,
    process::Identity,
    provider,
    resource::Caller,
    rpc,
    socket::{self, SocketDirectory, SocketError},
};
use serde_json::json;
use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::net::UnixStream;

/// The provider's source address: on a host that no registry can have.
const SOURCE: &str = "menagerie.local/menagerie/menagerie";

/// A server that can't work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("failed to lock the runtime directory")]
    Lock(#[source] io::Error),
    #[error("the runtime directory is being taken down")]
    Down,
    #[error(transparent)]
    Life(#[from] LifeError),
}

/// Serves until standard input has ended and no client is left.
pub(crate) async fn run(
    layout: Layout,
    environment: Environment,
    idle: Duration,
) -> Result<(), ServeError> {
    // For `down`, which must not leave one behind. A `down` that has the lock alone right now is nearly done.
    let lock = Lock::share(&layout.serve_lock(), Duration::from_secs(5));
    let _lock = lock.map_err(ServeError::Lock)?.ok_or(ServeError::Down)?;
    let sockets = SocketDirectory::new(&layout, &environment);
    sockets.sweep();
    let (listener, path) = sockets.listen(&format!("serve-{}.sock", std::process::id()))?;
    let client = Arc::new(Client::new(layout, environment));
    let announcement = json!({ SOURCE: life::reattach(&path) }).to_string();
    let served = life::run(vec![listener], &announcement, idle, |_, stream, peer| {
        converse(stream, peer, Arc::clone(&client))
    })
    .await;
    socket::forget(&path);
    Ok(served?)
}

async fn converse(stream: UnixStream, peer: Option<Identity>, client: Arc<Client>) {
    // Terraform sends StopProvider on the connection of the apply it means.
    let cancelled = Arc::new(AtomicBool::new(false));
    let answer = move |method: &str, body: &[u8], cancelled: &AtomicBool| {
        provider::call(&client, method, body, Caller { process: peer.as_ref(), cancelled })
    };
    rpc::serve(stream, cancelled, answer).await;
}
