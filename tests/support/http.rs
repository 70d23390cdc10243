//! A small HTTP server on the loopback, with the faults that real ones have.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a file is served.
#[derive(Clone)]
pub struct Served {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether parts of it may be asked for.
    pub ranges: bool,
    /// The connection is cut after so many bytes of a body.
    pub cut: Option<usize>,
}

/// Serves until the process ends.
pub struct Server {
    /// The address that names are put behind.
    pub home: String,
    /// The requests that came: path, and the first byte asked for.
    pub requests: Arc<Mutex<Vec<(String, usize)>>>,
}

impl Server {
    /// Serves `files` by path (`/name`); anything else is not found.
    pub fn start(files: BTreeMap<String, Served>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let home = format!("http://{}/", listener.local_addr().expect("its address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle is part of the tests.
                let _ = answer(stream, &files, &seen);
            }
        });
        Self { home, requests }
    }
}

fn answer(
    mut stream: TcpStream,
    files: &BTreeMap<String, Served>,
    seen: &Mutex<Vec<(String, usize)>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut start = 0;
    for line in lines {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap_or(0);
        }
    }
    seen.lock().unwrap().push((path.clone(), start));
    let Some(file) = files.get(&path) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let total = file.bytes.len();
    let body = if file.ranges { &file.bytes[start.min(total)..] } else { &file.bytes[..] };
    let status = if file.ranges && start > 0 {
        format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}", total - 1)
    } else {
        "200 OK".to_owned()
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body[..file.cut.unwrap_or(body.len()).min(body.len())])
}
