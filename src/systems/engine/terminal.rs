//! A command in a container that has a terminal. Its connection is made here and not by bollard,
//! which takes the first bytes of a terminal for the head of a frame if they are small: what goes
//! over this one is passed on as it is.

use std::io;

use bollard::exec::CreateExecOptions;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::address::{Address, Answer};
use super::container::short;
use super::error::{EngineError, clean};
use super::exec::not_running;
use super::{ContainerEngine, QUICK, SLOW};

/// No answer's head is longer.
const LONGEST_HEAD: usize = 64 << 10;

/// What a terminal shows.
pub type TerminalReader = Box<dyn AsyncRead + Send + Unpin>;
/// What is typed at it.
pub type TerminalWriter = Box<dyn AsyncWrite + Send + Unpin>;

/// A command that runs on a terminal of its own. It goes on when this is dropped, unless it minds
/// that its terminal is gone, as a shell does.
pub struct TerminalExec {
    engine: ContainerEngine,
    id: String,
    container: String,
}

impl std::fmt::Debug for TerminalExec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TerminalExec").field("container", &self.container).finish_non_exhaustive()
    }
}

impl ContainerEngine {
    /// Runs a command in a running container, on a terminal. `term` is what kind of terminal it is.
    ///
    /// # Errors
    /// As [`ContainerEngine::exec`].
    pub async fn exec_on_terminal(
        &self,
        id: &str,
        command: Vec<String>,
        workdir: Option<String>,
        term: Option<&str>,
    ) -> Result<(TerminalExec, TerminalReader, TerminalWriter), EngineError> {
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(true),
            env: term.map(|term| vec![format!("TERM={term}")]),
            cmd: Some(command),
            working_dir: workdir,
            ..Default::default()
        };
        let exec = self.create_exec(id, options).await?;
        let doing = format!("run a command in container `{}`", short(id));
        let path = format!("/exec/{exec}/start");
        let begun = upgrade(&self.shared.address, &path, r#"{"Detach":false,"Tty":true}"#);
        let (answer, reader, writer) = match tokio::time::timeout(SLOW, begun).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(error)) => {
                let (address, reason) = (self.shared.shown.clone(), error.to_string());
                return Err(EngineError::Unreachable { address, reason });
            }
            Err(_) => return Err(EngineError::Silent { address: self.shared.shown.clone(), doing }),
        };
        match answer.status() {
            101 | 200 => {}
            status => {
                let message = clean(&String::from_utf8_lossy(&answer.body));
                return Err(not_running(EngineError::Refused { doing, status, message }, id));
            }
        }
        let command = TerminalExec { engine: self.clone(), id: exec, container: short(id).to_owned() };
        Ok((command, reader, writer))
    }
}

impl TerminalExec {
    /// Tells the size of the person's terminal. One that has ended, or not quite begun, is no error.
    pub async fn resize(&self, rows: u16, columns: u16) {
        let options = ResizeExecOptionsBuilder::new().h(rows.into()).w(columns.into()).build();
        let doing = format!("resize a terminal in container `{}`", self.container);
        let resize = self.engine.docker.resize_exec(&self.id, options);
        // A terminal of the wrong size is no reason to end what runs on it.
        let _ = self.engine.call(&doing, QUICK, resize).await;
    }

    /// The exit code, once the terminal shows nothing more.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn wait(self) -> Result<i64, EngineError> {
        self.engine.exec_ended(&self.id, &self.container).await
    }
}

/// Sends a request after whose answer the connection is no HTTP any more. Of an answer that is none
/// of these, the body is read.
async fn upgrade(
    address: &Address,
    path: &str,
    body: &str,
) -> io::Result<(Answer, TerminalReader, TerminalWriter)> {
    match address {
        Address::Unix(socket) => exchange(UnixStream::connect(socket).await?, path, body).await,
        Address::Tcp(host) => exchange(TcpStream::connect(host.as_str()).await?, path, body).await,
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    path: &str,
    body: &str,
) -> io::Result<(Answer, TerminalReader, TerminalWriter)> {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > LONGEST_HEAD || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let mut rest = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut answer = Answer { head, body: Vec::new() };
    if !matches!(answer.status(), 101 | 200) {
        // Errors come with their length, and are read for as long as they come.
        let _ = tokio::time::timeout(QUICK, async {
            let wanted = answer.header("content-length").and_then(|length| length.parse().ok());
            while rest.len() < wanted.unwrap_or(0).min(LONGEST_HEAD) && stream.read_buf(&mut rest).await? > 0
            {
            }
            io::Result::Ok(())
        })
        .await;
        answer.body = std::mem::take(&mut rest);
    }
    let (reader, writer) = tokio::io::split(stream);
    Ok((answer, Box::new(io::Cursor::new(rest).chain(reader)), Box::new(writer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer, and what is read from the terminal after it.
    async fn answered(text: &'static str) -> (u16, String, Vec<u8>) {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(text.as_bytes()).await.expect("has room");
        let begun = tokio::spawn(async move { exchange(ours, "/exec/x/start", "{}").await });
        let mut request = vec![0; 512];
        let length = theirs.read(&mut request).await.expect("reads");
        assert!(String::from_utf8_lossy(&request[..length]).ends_with("Content-Length: 2\r\n\r\n{}"));
        drop(theirs);
        let (answer, mut reader, _writer) = begun.await.expect("ends").expect("is an answer");
        let mut shown = Vec::new();
        reader.read_to_end(&mut shown).await.expect("reads");
        (answer.status(), String::from_utf8_lossy(&answer.body).into_owned(), shown)
    }

    #[tokio::test]
    async fn what_is_shown_is_passed_on_as_it_is() {
        let upgraded = answered("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\u{1}\0\0small").await;
        assert_eq!(upgraded, (101, String::new(), b"\x01\0\0small".to_vec()));
        let refused = answered("HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno!").await;
        assert_eq!(refused, (409, "no!".to_owned(), Vec::new()));
    }
}
