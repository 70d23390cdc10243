//! Which authorities a fetch trusts: those that `SSL_CERT_FILE` names, on a server whose authority nobody else knows.

use crate::fetch::{FILE, published_bytes};
use crate::make::place;
use attnlab::vision::dataset::fetch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

/// Serves the file of the tests at every address, over TLS; returns the port and the certificate of the authority.
fn serve() -> (u16, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            // A client that does not trust the server goes away.
            let mut line = String::from("begin");
            while !line.trim().is_empty() {
                line.clear();
                if stream.read_line(&mut line).is_err() {
                    break;
                }
            }
            let bytes = published_bytes();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            let out = stream.get_mut();
            let _ = out.write_all(head.as_bytes()).and_then(|()| out.write_all(&bytes));
            out.conn.send_close_notify();
            let _ = out.flush();
        }
    });
    (port, authority.as_ref().pem())
}

/// Fetches from the server at `ATTNLAB_TEST_HOME`, for the test below, which sets the environment of this one.
#[test]
#[ignore = "called by another test in a process of its own"]
fn fetches_from_the_home_that_is_set() {
    let home = std::env::var("ATTNLAB_TEST_HOME").unwrap();
    let place = place();
    match fetch::download("set", &[&home], &FILE, &place.path().join("file.bin"), &mut |_| true) {
        Ok(()) => println!("fetched"),
        Err(error) => println!("refused: {error}"),
    }
}

#[test]
fn a_company_s_authority_is_trusted_where_it_is_named() {
    let (port, authority) = serve();
    let folder = place();
    let (named, empty) = (folder.path().join("authority.pem"), folder.path().join("empty.pem"));
    std::fs::write(&named, authority).unwrap();
    std::fs::write(&empty, "").unwrap();
    let fetched = |certificates: Option<&std::path::Path>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--nocapture", "--exact", "trust::fetches_from_the_home_that_is_set"]);
        command.env("ATTNLAB_TEST_HOME", format!("https://localhost:{port}/"));
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(variable);
        }
        command.envs(certificates.map(|path| ("SSL_CERT_FILE", path)));
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (with, without, wrong) = (fetched(Some(&named)), fetched(None), fetched(Some(&empty)));
    assert!(with.contains("fetched"), "{with}");
    assert!(without.contains("refused") && without.to_lowercase().contains("certificate"), "{without}");
    assert!(wrong.contains("refused: SSL_CERT_FILE: no certificate in"), "{wrong}");
}
