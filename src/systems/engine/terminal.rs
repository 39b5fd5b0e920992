//! A command in a container with a terminal. Its connection does not go through bollard, which mistakes the
//! first bytes of a terminal for a frame header if they are small: this one passes all bytes on unchanged.

use std::io;

use bollard::exec::CreateExecOptions;
use bollard::query_parameters::{ResizeContainerTTYOptionsBuilder, ResizeExecOptionsBuilder};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::address::{Address, PingAnswer, connect};
use super::container::short;
use super::error::EngineError;
use super::exec::{not_running, surroundings};
use super::exec_record::ExecRecord;
use super::mark::{Ender, Mark};
use super::message::clean;
use super::{ContainerEngine, READ_TIMEOUT, WRITE_TIMEOUT};
use crate::base::secret::Secret;
use crate::model::container::{ContainerInspect, ExecSettings};
use crate::model::guard::GatePass;

/// Maximum bytes of an answer's head.
const LONGEST_HEAD: usize = 64 << 10;

/// Output of a terminal.
pub type TerminalReader = Box<dyn AsyncRead + Send + Unpin>;
/// Input of a terminal.
pub type TerminalWriter = Box<dyn AsyncWrite + Send + Unpin>;

/// A command that runs on its own terminal. If dropped without [`TerminalExec::remove`], it continues, unless
/// it reacts to the loss of its terminal, as a shell does.
pub struct TerminalExec {
    engine: ContainerEngine,
    what: TerminalTarget,
    container: String,
}

/// Process on the terminal.
enum TerminalTarget {
    /// Command in a container, by its id, and the means to end it.
    Exec(String, Box<Ender>),
    /// Container that exists only for this command.
    Container(String),
}

impl std::fmt::Debug for TerminalExec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TerminalExec").field("container", &self.container).finish_non_exhaustive()
    }
}

impl ContainerEngine {
    /// Runs a command in a running container, on a terminal of the type `term`.
    ///
    /// # Errors
    /// As [`ContainerEngine::exec`].
    pub async fn exec_on_terminal(
        &self,
        id: &str,
        command: GatePass<Vec<String>>,
        mut settings: ExecSettings,
        term: Option<&str>,
    ) -> Result<(TerminalExec, TerminalReader, TerminalWriter), EngineError> {
        let mark = Mark::new();
        let user = settings.user.clone();
        let term = term.map(|term| ("TERM".to_owned(), Secret::new(term)));
        // The user's own choice comes last, and counts.
        settings.environment.splice(..0, term);
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(true),
            cmd: Some(command.into_inner()),
            ..surroundings(settings, &mark)
        };
        let exec = self.create_exec(id, options).await?;
        let record = ExecRecord::write(self, id, &exec, mark.as_str());
        let (engine, container) = (self.clone(), id.to_owned());
        let ender = Ender { engine, container, exec: Some(exec.clone()), mark, record, user };
        let doing = format!("run a command in container `{}`", short(id));
        let path = format!("/exec/{exec}/start");
        let (reader, writer) = self
            .upgrade(&path, r#"{"Detach":false,"Tty":true}"#, doing)
            .await
            .inspect_err(|_| ender.forget())
            .map_err(|error| not_running(error, id))?;
        let (what, container) = (TerminalTarget::Exec(exec, Box::new(ender)), short(id).to_owned());
        Ok((TerminalExec { engine: self.clone(), what, container }, reader, writer))
    }

    /// Starts a container that has a terminal. It is removed after [`TerminalExec::wait`], or as
    /// a leftover, found by its labels.
    ///
    /// # Errors
    /// Fails if its program is missing, or the engine refuses for another reason.
    pub async fn start_on_terminal(
        &self,
        container: &GatePass<ContainerInspect>,
    ) -> Result<(TerminalExec, TerminalReader, TerminalWriter), EngineError> {
        let id = &container.id;
        let doing = format!("attach to container `{}`", short(id));
        let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1");
        let (reader, writer) = self.upgrade(&path, "", doing).await?;
        self.start(container).await?;
        let (what, short) = (TerminalTarget::Container(id.clone()), short(id).to_owned());
        Ok((TerminalExec { engine: self.clone(), what, container: short }, reader, writer))
    }

    async fn upgrade(
        &self,
        path: &str,
        body: &str,
        doing: String,
    ) -> Result<(TerminalReader, TerminalWriter), EngineError> {
        let begun = upgrade(&self.shared.address, path, body);
        let (answer, reader, writer) = match tokio::time::timeout(WRITE_TIMEOUT, begun).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(error)) => {
                return Err(self.failed(&doing, &error.into()).await);
            }
            Err(_) => return Err(EngineError::Silent { address: self.shared.shown.clone(), doing }),
        };
        match answer.status() {
            101 | 200 => Ok((reader, writer)),
            status => {
                let message = clean(&String::from_utf8_lossy(&answer.body));
                Err(EngineError::Refused { doing, status, message })
            }
        }
    }
}

impl TerminalExec {
    /// Sets the size of the terminal. Ignores a command that has ended or not quite started.
    pub async fn resize(&self, rows: u16, columns: u16) {
        let doing = format!("resize a terminal in container `{}`", self.container);
        let (rows, columns) = (rows.into(), columns.into());
        // A terminal of the wrong size is no reason to end its command.
        let _ = match &self.what {
            TerminalTarget::Exec(id, _) => {
                let options = ResizeExecOptionsBuilder::new().h(rows).w(columns).build();
                self.engine.call(&doing, READ_TIMEOUT, self.engine.docker.resize_exec(id, options)).await
            }
            TerminalTarget::Container(id) => {
                let options = ResizeContainerTTYOptionsBuilder::new().h(rows).w(columns).build();
                self.engine
                    .call(&doing, READ_TIMEOUT, self.engine.docker.resize_container_tty(id, options))
                    .await
            }
        };
    }

    /// Waits for the end of the output, and returns the exit code.
    ///
    /// # Errors
    /// Fails if the engine does not report the exit code.
    pub async fn wait(self) -> Result<i64, EngineError> {
        match &self.what {
            TerminalTarget::Exec(id, ender) => {
                self.engine.exec_ended(id, &self.container).await.inspect(|_| ender.forget())
            }
            TerminalTarget::Container(id) => {
                let ended = self.engine.wait_for_end(id).await;
                self.engine.remove(id).await?;
                ended
            }
        }
    }

    /// Ends the command and its descendants; removes the container, if it exists only for this command.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn remove(self) -> Result<(), EngineError> {
        match &self.what {
            TerminalTarget::Exec(_, ender) => ender.end().await,
            TerminalTarget::Container(id) => self.engine.remove(id).await,
        }
    }
}

/// Sends a request whose answer upgrades the connection to a raw stream. Of any other answer, the body is
/// read.
async fn upgrade(
    address: &Address,
    path: &str,
    body: &str,
) -> io::Result<(PingAnswer, TerminalReader, TerminalWriter)> {
    match address {
        Address::Unix(socket) => exchange(connect(socket).await?, path, body).await,
        Address::Tcp(host) => exchange(TcpStream::connect(host.as_str()).await?, path, body).await,
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    path: &str,
    body: &str,
) -> io::Result<(PingAnswer, TerminalReader, TerminalWriter)> {
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
    let mut answer = PingAnswer { head, body: Vec::new() };
    if !matches!(answer.status(), 101 | 200) {
        // Errors have a length, and are read for as long as they come.
        let _ = tokio::time::timeout(READ_TIMEOUT, async {
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

    /// Returns an answer, and the bytes read from the terminal after it.
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
    async fn upgraded_stream_passes_bytes_unchanged() {
        let upgraded = answered("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\u{1}\0\0small").await;
        assert_eq!(upgraded, (101, String::new(), b"\x01\0\0small".to_vec()));
        let refused = answered("HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno!").await;
        assert_eq!(refused, (409, "no!".to_owned(), Vec::new()));
    }
}
