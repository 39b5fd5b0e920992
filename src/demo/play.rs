//! Acts as a component of the demo, as a file describes: listens, answers HTTP, connects to dependencies,
//! writes lines. It replaces real code, and runs in the same way.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::base::{files, yaml};
use crate::host::Env;
use crate::host::signals::Shutdown;

/// Maximum bytes of a file that describes a component.
const LIMIT: u64 = 64 << 10;

/// The behaviour of a component.
#[derive(Debug, Deserialize)]
struct DemoPart {
    /// A port that accepts connections.
    listen: Option<u16>,
    /// A port that answers every GET with 200.
    http: Option<u16>,
    /// An address that must accept a connection.
    connect: Option<String>,
    /// Lines to write at the start. `${NAME}` stands for a variable.
    #[serde(default)]
    lines: Vec<String>,
    /// A line to write repeatedly.
    repeat: Option<Repeat>,
    /// The exit code of a component that ends without being stopped.
    exit: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Repeat {
    seconds: f64,
    lines: Vec<String>,
}

/// Acts as a component until it ends or a signal comes, and returns the exit code. `say` writes a line.
///
/// # Errors
/// Fails when the file describes no component, or a port is not available.
pub async fn play(file: &Path, env: &Env, stop: &Shutdown, say: &dyn Fn(&str)) -> anyhow::Result<u8> {
    let text = files::read_text(file, LIMIT)?;
    let (part, _) = yaml::parse::<DemoPart>(&file.display().to_string(), &text)?;
    let variables: BTreeMap<String, String> = env
        .iter()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    if let Some(address) = &part.connect {
        let address = fill(address, &variables);
        if let Err(error) = TcpStream::connect(&address).await {
            say(&format!("ERROR Cannot connect to {address}: {error}"));
            return Ok(1);
        }
    }
    let mut servers = tokio::task::JoinSet::new();
    for (port, is_http) in [(part.listen, false), (part.http, true)] {
        let Some(port) = port else { continue };
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
            .await
            .with_context(|| format!("cannot listen on port {port}"))?;
        servers.spawn(serve(listener, is_http));
    }
    for line in &part.lines {
        say(&fill(line, &variables));
    }
    if let Some(code) = part.exit {
        return Ok(code);
    }
    let write = async {
        let Some(repeat) = &part.repeat else { return std::future::pending().await };
        for line in repeat.lines.iter().cycle() {
            // The file sets this interval.
            tokio::time::sleep(Duration::from_secs_f64(repeat.seconds.clamp(0.01, 60.0))).await;
            say(&fill(line, &variables));
        }
    };
    tokio::select! {
        () = write => {}
        _ = stop.requested() => say("INFO  Stopping."),
    }
    Ok(0)
}

async fn serve(listener: TcpListener, is_http: bool) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut request = [0; 1024];
            // A client may disconnect at any time.
            let _ = stream.read(&mut request).await;
            if is_http {
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nup 1\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
    }
}

/// Replaces `${NAME}` by the values of variables; a name that is not set stays unchanged.
fn fill(line: &str, variables: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| Some((variables.get(name)?, tail)));
        if let Some((value, tail)) = known {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push_str("${");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_replaces_known_variables() {
        let variables = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(fill("x ${A} ${B} ${", &variables), "x 1 ${B} ${");
    }

    #[tokio::test]
    async fn play_returns_exit_code_of_script() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(&file, "lines: ['a ${X}']\nexit: 3\n").expect("writes");
        let said = std::sync::Mutex::new(Vec::new());
        let say = |line: &str| said.lock().expect("no panic").push(line.to_owned());
        let env = Env::new([("X", "y")]);
        let code = play(file.path(), &env, &Shutdown::new(), &say).await.expect("plays");
        assert_eq!(code, 3);
        assert_eq!(*said.lock().expect("no panic"), ["a y"]);
    }
}
