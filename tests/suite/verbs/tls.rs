//! Tests of `ca_file` with a server whose certificate comes from a private authority: trust in it, and the sending
//! of tokens. The files that may set it are tested in `config::certificates`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cki::base::x509::TestPki;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::cli::{Cli, Outcome};

const TOKEN: &str = "glpat-0123456789abcdefghij";

/// Answers each request with 404, and keeps the requests that arrived.
struct TlsServer {
    url: String,
    authority: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl TlsServer {
    fn start() -> Self {
        let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
        let pki = TestPki::new(&["localhost".into()], now - hour, now + hour).expect("makes certificates");
        let certificates = CertificateDer::pem_slice_iter(pki.server.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .expect("is PEM");
        let key = PrivateKeyDer::from_pem_slice(pki.server.key.expose().as_bytes()).expect("is PEM");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("is known")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("fit together");
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let url = format!("https://localhost:{}", listener.local_addr().expect("has one").port());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (config, log) = (Arc::new(config), seen.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut connection = rustls::ServerConnection::new(config.clone()).expect("begins");
                let mut tls = rustls::Stream::new(&mut connection, &mut stream);
                let (mut head, mut part) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    match tls.read(&mut part) {
                        Ok(length @ 1..) => head.extend_from_slice(&part[..length]),
                        _ => break,
                    }
                }
                if !head.is_empty() {
                    log.lock().expect("is whole").push(String::from_utf8_lossy(&head).to_lowercase());
                    let _ = tls.write_all(
                        b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                    );
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            }
        });
        Self { url, authority: pki.authority, seen }
    }

    /// The requests so far, which are forgotten by that.
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("is whole"))
    }
}

fn project(server: &TlsServer) -> (Cli, PathBuf) {
    let mut cli = Cli::new();
    cli.set("CKI_GITLAB_URL", &server.url);
    cli.set("CKI_GITLAB_TOKEN", TOKEN);
    cli.place("server", &server.url);
    cli.inventory(
        "repos: {r: '{server}/g/p.git'}\ncomponents: [{name: a, category: x, sources: [{repo: r}]}]\n",
    );
    let file = cli.write("authority.pem", &server.authority);
    (cli, file)
}

const LINES: [&str; 2] = ["stage --mr 1 --project g/p -n", "clone a"];

#[track_caller]
fn nothing_arrived(server: &TlsServer, outcome: &Outcome) {
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(shown.contains("no secure connection to") && shown.contains("UnknownIssuer"), "{outcome}");
    assert!(outcome.stderr.contains("hint: if an authority of your own signs for this server"), "{outcome}");
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn stage_and_clone_send_nothing_to_a_server_of_an_unknown_authority() {
    let server = TlsServer::start();
    let (cli, _) = project(&server);
    for line in LINES {
        nothing_arrived(&server, &cli.run(line).ends_with(6));
    }
}

#[test]
fn stage_and_clone_trust_the_authority_in_ca_file() {
    let server = TlsServer::start();
    let (mut cli, file) = project(&server);
    cli.set("CKI_CA_FILE", file);
    for line in LINES {
        cli.run(line).fails();
        let seen = server.seen();
        assert!(!seen.is_empty(), "cki {line}");
        // Git asks without a login first, and the answer says that there is nothing to log in for.
        assert!(line.starts_with("clone") || seen[0].contains(TOKEN), "{seen:?}");
    }
}

#[test]
fn requests_stay_below_the_path_of_a_server() {
    let server = TlsServer::start();
    let (mut cli, file) = project(&server);
    cli.set("CKI_CA_FILE", file);
    cli.set("CKI_GITLAB_URL", format!("{}/gitlab", server.url));
    cli.run("stage --mr 1 --project g/p -n").ends_with(4).says("is not a GitLab server");
    cli.call("login --stdin").stdin(TOKEN).end().ends_with(3);
    let seen = server.seen();
    assert!(seen.iter().all(|head| head.starts_with("get /gitlab/api/v4/")), "{seen:?}");
    assert!(seen.iter().all(|head| head.contains(TOKEN)), "{seen:?}");
}

#[test]
fn the_ca_file_of_a_project_does_not_count_for_the_users_own_server() {
    let server = TlsServer::start();
    let (cli, _) = project(&server);
    let settings = format!(
        "inventory = 'inventory.yaml'\nca_file = 'authority.pem'\n[gitlab]\nurl = '{}'\n",
        server.url
    );
    cli.write("cki.toml", &settings);
    for line in LINES {
        let outcome = cli.run(line).ends_with(6).says("`ca_file` is ignored: ");
        nothing_arrived(&server, &outcome);
    }
}

#[test]
fn the_ca_file_of_a_project_counts_for_its_own_server_without_your_token() {
    let server = TlsServer::start();
    let (mut cli, _) = project(&server);
    cli.set("CKI_GITLAB_URL", "");
    cli.write(
        "cki.toml",
        &format!(
            "inventory = 'inventory.yaml'\nca_file = 'authority.pem'\n[gitlab]\nurl = '{}'\n",
            server.url
        ),
    );
    for line in LINES {
        cli.run(line).fails().says("No token is sent to");
        let seen = server.seen();
        assert!(!seen.is_empty() && !seen.iter().any(|head| head.contains(TOKEN)), "{seen:?}");
    }
}
