//! The life of what serves Terraform: it says where it listens, and leaves when nobody needs it.

use crate::{process::Identity, socket};
use serde_json::json;
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};
use tokio::{
    net::{UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, interval, sleep},
};

/// How often it looks whether it may leave.
const LOOK: Duration = Duration::from_millis(20);

/// A server that can't live.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LifeError {
    #[error("failed to handle signals")]
    Signals(#[source] io::Error),
    #[error("failed to write to standard output")]
    Output(#[source] io::Error),
}

/// Serves until standard input has ended and no client is left.
///
/// A client is a process, not a connection: Terraform opens several, one after another. So the one who
/// started this may be killed, and a running Terraform keeps its provider. `converse` is told which of
/// the listeners was called, and by whom.
pub(crate) async fn run<C, F>(
    listeners: Vec<UnixListener>,
    announcement: &str,
    idle: Duration,
    converse: C,
) -> Result<(), LifeError>
where
    C: Fn(usize, UnixStream, Option<Identity>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    // A handler, since ignoring the signal would be inherited by what is started. ^C is Terraform's to judge.
    let _interrupt = signal(SignalKind::interrupt()).map_err(LifeError::Signals)?;
    let _hangup = signal(SignalKind::hangup()).map_err(LifeError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(LifeError::Signals)?;
    announce(announcement).map_err(LifeError::Output)?;
    let mut input = end_of_input();
    let mut ended = false;
    let mut callers = accept(listeners);
    let mut connections = JoinSet::new();
    let mut clients: Vec<Identity> = Vec::new();
    let mut served_any = false;
    let mut unused_since = None;
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            Some((index, stream)) = callers.recv() => {
                served_any = true;
                let peer = peer(&stream);
                if let Some(peer) = peer.clone().filter(|peer| !clients.contains(peer)) {
                    clients.push(peer);
                }
                connections.spawn(converse(index, stream, peer));
            }
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

/// Returns what leads Terraform to a socket, as `TF_REATTACH_PROVIDERS` says it for one source.
pub(crate) fn reattach(path: &Path) -> serde_json::Value {
    json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": std::process::id(),
        // Without it Terraform would end the process, or crash when it can't.
        "Test": true,
        "Addr": { "Network": "unix", "String": path },
    })
}

/// Puts `/dev/null` in the place of standard output.
pub(crate) fn close_output() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(null)?)
}

/// Hands on who calls and may, with the listener that was called.
fn accept(listeners: Vec<UnixListener>) -> mpsc::Receiver<(usize, UnixStream)> {
    let (sender, receiver) = mpsc::channel(1);
    for (index, listener) in listeners.into_iter().enumerate() {
        let sender = sender.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if socket::is_peer_allowed(&stream) => {
                        if sender.send((index, stream)).await.is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
    receiver
}

/// Says where it listens, in one line, and closes standard output so that the reader sees its end.
fn announce(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    close_output()
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
