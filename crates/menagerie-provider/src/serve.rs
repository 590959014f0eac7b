//! Lets Terraform in: a Unix socket, and the value of `TF_REATTACH_PROVIDERS` that leads to it.

use crate::{
    client::Client,
    environment::Environment,
    layout::Layout,
    lock::Lock,
    process::Identity,
    provider,
    resource::Caller,
    rpc,
    socket::{self, SocketDirectory, SocketError},
};
use serde_json::json;
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    net::UnixStream,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::{Instant, interval, sleep},
};

/// The provider's source address: on a host that no registry can have.
const SOURCE: &str = "menagerie.local/menagerie/menagerie";

/// How often it looks whether it may leave.
const LOOK: Duration = Duration::from_millis(20);

/// A server that can't work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("failed to lock the runtime directory")]
    Lock(#[source] io::Error),
    #[error("the runtime directory is being taken down")]
    Down,
    #[error("failed to handle signals")]
    Signals(#[source] io::Error),
    #[error("failed to write to standard output")]
    Output(#[source] io::Error),
}

/// Serves until standard input has ended and no client is left.
///
/// A client is a process, not a connection: Terraform opens several, one after another. So the one who
/// started this may be killed, and a running Terraform keeps its provider.
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
    let served = accept(listener, &path, Arc::new(Client::new(layout, environment)), idle).await;
    socket::forget(&path);
    served
}

async fn accept(
    listener: tokio::net::UnixListener,
    path: &Path,
    client: Arc<Client>,
    idle: Duration,
) -> Result<(), ServeError> {
    // A handler, since ignoring the signal would be inherited by what is started. ^C is Terraform's to judge.
    let _interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let _hangup = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    announce(path).map_err(ServeError::Output)?;
    let mut input = end_of_input();
    let mut ended = false;
    let mut connections = JoinSet::new();
    let mut clients: Vec<Identity> = Vec::new();
    let mut served_any = false;
    let mut unused_since = None;
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if socket::is_peer_allowed(&stream) => {
                    served_any = true;
                    let peer = peer(&stream);
                    if let Some(peer) = peer.clone().filter(|peer| !clients.contains(peer)) {
                        clients.push(peer);
                    }
                    connections.spawn(converse(stream, peer, Arc::clone(&client)));
                }
                Ok(_) => {}
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            _ = terminate.recv() => return Ok(()),
            _ = input.wait_for(|over| *over), if !ended => ended = true,
            _ = look.tick(), if ended => {
                while connections.try_join_next().is_some() {}
                clients.retain(Identity::is_alive);
                let since = *unused_since.get_or_insert_with(Instant::now);
                if connections.is_empty() && clients.is_empty() && (served_any || since.elapsed() >= idle) {
                    return Ok(());
                }
            }
        }
    }
}

async fn converse(stream: UnixStream, peer: Option<Identity>, client: Arc<Client>) {
    // Terraform sends StopProvider on the connection of the apply it means.
    let cancelled = Arc::new(AtomicBool::new(false));
    let answer = move |method: &str, body: &[u8], cancelled: &AtomicBool| {
        provider::call(&client, method, body, Caller { process: peer.as_ref(), cancelled })
    };
    rpc::serve(stream, cancelled, answer).await;
}

/// Says where it listens, in one line, and closes standard output so that the reader sees its end.
fn announce(path: &Path) -> io::Result<()> {
    let value = json!({ SOURCE: {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": std::process::id(),
        // Without it Terraform would end the process, or crash when it can't.
        "Test": true,
        "Addr": { "Network": "unix", "String": path },
    }});
    let mut output = io::stdout().lock();
    writeln!(output, "{value}")?;
    output.flush()?;
    close_output()
}

/// Puts `/dev/null` in the place of standard output.
pub(crate) fn close_output() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(null)?)
}

/// Becomes `true` when standard input has ended.
fn end_of_input() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut bytes = [0; 256];
        loop {
            match input.read(&mut bytes) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        sender.send_replace(true);
    });
    receiver
}

fn peer(stream: &UnixStream) -> Option<Identity> {
    Identity::of(stream.peer_cred().ok()?.pid()?)
}
