//! Ports on loopback that stay the same for as long as a service lives.

use std::{
    fmt, fs, io,
    net::{Ipv4Addr, TcpListener},
};

/// Below what Linux (32768…) and macOS (49152…) hand out to outgoing connections, so that a port which is
/// free for a while, its supervisor being dead, is not taken by chance.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// Binds a port that nobody uses.
pub(crate) fn claim() -> io::Result<(u16, TcpListener)> {
    for _ in 0..200 {
        let [high, low] = crate::random::bytes()?;
        let port = FIRST + u16::from_be_bytes([high, low]) % COUNT;
        match bind(port) {
            Ok(listener) => return Ok((port, listener)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port was found between 20000 and 29999"))
}

/// Binds this very port on loopback.
pub(crate) fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// A process that listens on a port.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Holder {
    pid: i32,
    command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` (pid {})", self.command, self.pid)
    }
}

/// Says who listens on a port, where `/proc` tells.
pub(crate) fn holder(port: u16) -> Option<Holder> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let holds = fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten().any(
            |descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|target| {
                    sockets.iter().any(|socket| target.as_os_str() == socket.as_str())
                })
            },
        );
        if holds {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command =
                String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
            return Some(Holder { pid, command: command.chars().take(120).collect() });
        }
    }
    None
}

/// Reads the inodes of listening sockets from a table of `/proc/net`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == LISTEN;
            listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
        })
        .collect()
}

/// Says that a port is taken, and by whom.
pub(crate) fn in_use(port: u16) -> String {
    match holder(port) {
        Some(holder) => format!("port {port} on 127.0.0.1 is in use by {holder}"),
        None => format!("port {port} on 127.0.0.1 is in use by another process"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_held_and_its_holder_is_this_process() {
        let (port, _listener) = claim().unwrap();
        assert!((FIRST..FIRST + COUNT).contains(&port));
        assert_eq!(bind(port).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        if cfg!(target_os = "linux") {
            let pid = i32::try_from(std::process::id()).unwrap();
            assert_eq!(holder(port).map(|holder| holder.pid), Some(pid));
        }
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:5209 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:5209 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
";
        assert_eq!(listening_inodes(table, 0x5209), ["111"]);
    }
}
