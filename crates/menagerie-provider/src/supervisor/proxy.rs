//! Spreads the connections to a service's port over its ready replicas.

use super::service::Service;
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

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
                tokio::spawn(forward(client, service.ready_ports(), turn));
            }
            // Out of file descriptors: those in use must be given time to close.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn forward(mut client: TcpStream, mut ports: Vec<u16>, turn: usize) {
    if !ports.is_empty() {
        let first = turn % ports.len();
        ports.rotate_left(first);
    }
    let _ = client.set_nodelay(true);
    for port in ports {
        if let Ok(Ok(mut replica)) =
            timeout(Duration::from_secs(2), TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await
        {
            let _ = replica.set_nodelay(true);
            let _ = copy_bidirectional(&mut client, &mut replica).await;
            return;
        }
    }
    let _ = timeout(Duration::from_secs(2), refuse(client)).await;
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
    fn the_length_is_that_of_the_body() {
        let text = std::str::from_utf8(UNAVAILABLE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
