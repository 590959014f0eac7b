//! Spreads the connections to a service's port over the zones, and in a zone over its ready replicas.

use super::service::Service;
use crate::zone::Zone;
use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const CONNECT: Duration = Duration::from_secs(2);

const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
Content-Length: 32\r\nRetry-After: 1\r\nConnection: close\r\n\r\nno replica of this is ready yet\n";

/// Accepts for ever.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let mut turn = 0_usize;
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                turn = turn.wrapping_add(1);
                tokio::spawn(forward(client, Arc::clone(&service), turn));
            }
            // Out of file descriptors: those in use must be given time to close.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Chooses a replica when the first bytes of a request are there. The next one gets its turn where none of it was
/// sent, and where the request may be repeated and the replica ended before it answered.
async fn forward(mut client: TcpStream, service: Arc<Service>, turn: usize) {
    let _ = client.set_nodelay(true);
    let mut request = Vec::with_capacity(8 * 1024);
    if !client.read_buf(&mut request).await.is_ok_and(|count| count > 0) {
        return;
    }
    let may_repeat = may_repeat(&request);
    for port in in_turn(service.ready_ports(), turn) {
        let connecting = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let Ok(Ok(mut replica)) = timeout(CONNECT, connecting).await else { continue };
        let _ = replica.set_nodelay(true);
        let sent = replica.write_all(&request).await.is_ok();
        if may_repeat && !(sent && answers(&replica, &client).await) {
            continue;
        }
        if sent {
            let _ = copy_bidirectional(&mut client, &mut replica).await;
        }
        return;
    }
    let _ = timeout(Duration::from_secs(2), refuse(client)).await;
}

/// Returns the ports in the order in which they are tried: another zone each time, and in it another replica.
fn in_turn(ready: Vec<(Zone, u16)>, turn: usize) -> Vec<u16> {
    let mut zones: BTreeMap<Zone, VecDeque<u16>> = BTreeMap::new();
    for (zone, port) in ready {
        zones.entry(zone).or_default().push_back(port);
    }
    let mut zones: VecDeque<VecDeque<u16>> = zones.into_values().collect();
    if zones.is_empty() {
        return Vec::new();
    }
    let count = zones.len();
    zones.rotate_left(turn % count);
    for ports in &mut zones {
        let length = ports.len();
        ports.rotate_left(turn / count % length);
    }
    let mut order = Vec::new();
    while let Some(mut ports) = zones.pop_front() {
        if let Some(port) = ports.pop_front() {
            order.push(port);
            zones.push_back(ports);
        }
    }
    order
}

/// Whether a request may be sent twice: it changes nothing by HTTP's rules, and this is all of it.
fn may_repeat(request: &[u8]) -> bool {
    let is_safe = request.starts_with(b"GET ") || request.starts_with(b"HEAD ");
    if !is_safe || !request.ends_with(b"\r\n\r\n") {
        return false;
    }
    let head = request.to_ascii_lowercase();
    let has = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    !has(b"\r\ncontent-length:") && !has(b"\r\ntransfer-encoding:")
}

/// Waits for the first byte of an answer, or until the client says something more or leaves.
async fn answers(replica: &TcpStream, client: &TcpStream) -> bool {
    let (mut answer, mut more) = ([0], [0]);
    tokio::select! {
        found = replica.peek(&mut answer) => found.is_ok_and(|count| count > 0),
        _ = client.peek(&mut more) => true,
    }
}

async fn refuse(mut client: TcpStream) {
    let _ = client.write_all(UNAVAILABLE).await;
    let _ = client.shutdown().await;
    // Closing with unread input resets the connection, and the client never sees the answer.
    let mut rest = [0; 4096];
    while client.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_take_turns_and_so_do_the_replicas_in_them() {
        let check = |ready: &[(Zone, u16)], turn, expected: &[u16]| {
            assert_eq!(in_turn(ready.to_vec(), turn), expected, "turn {turn}");
        };
        let three = [(Zone::A, 1), (Zone::B, 2), (Zone::A, 3)];
        check(&three, 0, &[1, 2, 3]);
        check(&three, 1, &[2, 1, 3]);
        check(&three, 2, &[3, 2, 1]);
        check(&three, 3, &[2, 3, 1]);
        check(&[(Zone::B, 2), (Zone::B, 4)], 1, &[4, 2]);
        check(&[], 7, &[]);
    }

    #[test]
    fn only_what_changes_nothing_is_sent_twice() {
        assert!(may_repeat(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(may_repeat(b"HEAD / HTTP/1.1\r\n\r\n"));
        assert!(!may_repeat(b"POST / HTTP/1.1\r\n\r\n"));
        assert!(!may_repeat(b"GET / HTTP/1.1\r\nHost: x\r\n"), "the rest is still to come");
        assert!(!may_repeat(b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"));
        assert!(!may_repeat(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }

    #[test]
    fn the_length_is_that_of_the_body() {
        let text = std::str::from_utf8(UNAVAILABLE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
