//! Git's smart HTTP protocol (gitprotocol-http(5)) for libgit2, over the program's own HTTP client: one
//! policy for certificates, proxies, timeouts and logins. libgit2 reads and writes the packets; this module
//! only carries them. Answers and large requests are streamed.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use bytes::{Buf as _, Bytes};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::GitError;
use super::server_message;
use super::session::GitSession;
use super::url::without_login;
use crate::base::redact::Redactor;

/// The service of the server that sends packs.
const SERVICE: &str = "git-upload-pack";
/// User agent; some servers answer only clients whose name begins with `git`.
const AGENT: &str = concat!("git/2.0 (cki ", env!("CARGO_PKG_VERSION"), ")");
/// Maximum bytes of a request that is sent whole, with its length; a longer one is sent in pieces.
const WHOLE: usize = 1 << 20;
/// Bytes of a piece.
const PIECE: usize = 1 << 16;

/// Registers this transport with libgit2 for `http` and `https`. The calling thread must have entered a
/// [`Session`].
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for scheme in ["http", "https"] {
            let factory = |remote: &git2::Remote<'_>| {
                let session = GitSession::current().ok_or_else(|| git2::Error::from_str("no session"))?;
                let link = ServerLink { session, base: Mutex::new(None), with_login: AtomicBool::new(false) };
                Transport::smart(remote, true, GitHttp(Arc::new(link)))
            };
            #[expect(
                unsafe_code,
                reason = "this is done once, before anything else uses libgit2's transports"
            )]
            let registered = unsafe { git2::transport::register(scheme, factory) };
            registered.expect("nothing else registers a transport");
        }
        #[expect(unsafe_code, reason = "sets a number that libgit2 reads when it connects for `git://`")]
        let limited = unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(10_000)
                .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(60_000))
        };
        limited.expect("libgit2 has these options");
    });
}

/// State that the requests of one connection share.
struct ServerLink {
    session: Arc<GitSession>,
    /// Address of the repository after redirects.
    base: Mutex<Option<Url>>,
    /// The server has required the login, so each further request carries it.
    with_login: AtomicBool,
}

/// Transport that libgit2 calls.
struct GitHttp(Arc<ServerLink>);

impl SmartSubtransport for GitHttp {
    fn action(&self, url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let link = self.0.clone();
        let exchange = match service {
            Service::UploadPackLs => link.advertisement(url),
            Service::UploadPack => Ok(ExchangeState::Asking(Vec::new())),
            Service::ReceivePackLs | Service::ReceivePack => {
                return Err(git2::Error::from_str("`cki` pushes nothing"));
            }
        };
        let state = exchange.map_err(|error| self.0.session.fail(error))?;
        Ok(Box::new(Exchange { link, url: url.to_owned(), state }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        // Each request stands alone; the client pools the connections below.
        Ok(())
    }
}

impl ServerLink {
    /// Requests the refs, and learns the repository's final address and whether the server requires a login.
    fn advertisement(&self, url: &str) -> Result<ExchangeState, GitError> {
        let mut target = self.target(url, "info/refs")?;
        target.query_pairs_mut().append_pair("service", SERVICE);
        let mut response = self.ask(&target, Client::get)?;
        // The client follows redirects within one origin only. On a redirect to the same host over TLS, the
        // login is sent only if it is for that origin.
        if let Some(to) = encrypted(&target, &response) {
            self.session.permit(to.host_str().unwrap_or(""))?;
            response = self.ask(&to, Client::get)?;
        }
        let response = self.accept(response, &format!("application/x-{SERVICE}-advertisement"))?;
        self.follow(&target, response.url())?;
        Ok(ExchangeState::Reading(GitAnswer { response, rest: Bytes::new() }))
    }

    /// Returns the address of a part of the repository.
    fn target(&self, url: &str, part: &str) -> Result<Url, GitError> {
        let base = self.base.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refuse = |why| GitError::Url { url: without_login(url), why };
        let mut target = base.map_or_else(|| Url::parse(url), Ok).map_err(|_| refuse("it cannot be read"))?;
        // The session has taken the login out of the address.
        let _ = target.set_password(None);
        let _ = target.set_username("");
        self.session.permit(target.host_str().unwrap_or(""))?;
        target
            .path_segments_mut()
            .map_err(|()| refuse("it names no host"))?
            .pop_if_empty()
            .extend(part.split('/'));
        Ok(target)
    }

    /// Stores the target of redirects.
    fn follow(&self, asked: &Url, answered: &Url) -> Result<(), GitError> {
        if asked == answered {
            return Ok(());
        }
        let elsewhere =
            || GitError::Redirected { url: self.session.shown(), to: without_login(answered.as_str()) };
        // Refuses a step from `https` down to `http`, and a target without the repository's other parts.
        let base = answered
            .path()
            .strip_suffix("/info/refs")
            .filter(|_| asked.scheme() == answered.scheme() || answered.scheme() == "https");
        let path = base.ok_or_else(elsewhere)?.to_owned();
        let mut base = answered.clone();
        base.set_query(None);
        base.set_path(&path);
        *self.base.lock().unwrap_or_else(PoisonError::into_inner) = Some(base);
        Ok(())
    }

    /// Sends a repeatable request: with a login only once the server requires it.
    fn ask(&self, to: &Url, build: impl Fn(&Client, Url) -> RequestBuilder) -> Result<Response, GitError> {
        let send = || -> Result<Response, GitError> {
            let request = self.sign(build(self.session.client(to)?, to.clone()), to);
            let sent = self.session.wait(request.send())?;
            sent.map_err(|error| server_message::of_transfer(self.session.shown(), error, false))
        };
        let response = send()?;
        let may_retry = response.status() == StatusCode::UNAUTHORIZED
            && self.session.login(to).is_some()
            && !self.with_login.swap(true, Ordering::Relaxed);
        if may_retry { send() } else { Ok(response) }
    }

    fn sign(&self, request: RequestBuilder, to: &Url) -> RequestBuilder {
        let request = request.header(header::USER_AGENT, AGENT).header(header::ACCEPT, "*/*");
        match self.session.login(to).filter(|_| self.with_login.load(Ordering::Relaxed)) {
            Some(login) => request.basic_auth(&login.user, Some(login.secret.expose())),
            None => request,
        }
    }

    /// Checks that an answer is one of the git protocol.
    fn accept(&self, response: Response, kind: &str) -> Result<Response, GitError> {
        let status = response.status();
        let found = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let found = found.unwrap_or("nothing that says what it is").to_owned();
        if status == StatusCode::OK && found == kind {
            return Ok(response);
        }
        let url = self.session.shown();
        if status.is_success() {
            return Err(GitError::NotGit {
                url,
                why: format!("it sends {}", server_message::sanitize_message(&found)),
            });
        }
        let to = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let to = to.map(|to| without_login(&server_message::sanitize_message(to)));
        let user = self.session.login(response.url()).map(|login| login.user.clone());
        let words = if found.starts_with("text/plain") { self.words(response)? } else { None };
        Err(server_message::of_status(url, status, user, to, words))
    }

    /// Returns the first line of a plain-text answer, in which servers explain a refusal.
    fn words(&self, mut response: Response) -> Result<Option<String>, GitError> {
        let chunk = self.session.wait(response.chunk())?.ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&chunk[..chunk.len().min(1024)]).into_owned();
        let login = self.session.login(response.url()).map(|login| &login.secret);
        let text = Redactor::new(login).text(&text);
        Ok(text.lines().map(str::trim).find(|line| !line.is_empty()).map(server_message::sanitize_message))
    }
}

/// Returns the address to which a server redirects for TLS.
fn encrypted(asked: &Url, response: &Response) -> Option<Url> {
    let to = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let to = asked.join(to).ok()?;
    let is_upgrade = asked.scheme() == "http" && to.scheme() == "https" && asked.host() == to.host();
    (response.status().is_redirection() && is_upgrade).then_some(to)
}

/// One request and its answer: libgit2 writes the request, then reads the answer.
struct Exchange {
    link: Arc<ServerLink>,
    url: String,
    state: ExchangeState,
}

enum ExchangeState {
    /// The request is being written and may still be sent whole.
    Asking(Vec<u8>),
    /// The request is too long for that, and is being sent in pieces.
    Streaming(Upload),
    /// The answer is being read.
    Reading(GitAnswer),
    /// The exchange has ended.
    Over,
}

/// A request that is being streamed.
struct Upload {
    pieces: mpsc::Sender<Result<Bytes, io::Error>>,
    pending: Vec<u8>,
    answer: JoinHandle<reqwest::Result<Response>>,
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Has no effect on a finished request; any other must not end as if it were complete.
        self.answer.abort();
    }
}

/// An answer that is being streamed.
struct GitAnswer {
    response: Response,
    rest: Bytes,
}

impl Exchange {
    fn post(&self) -> Result<Url, GitError> {
        self.link.target(&self.url, SERVICE)
    }

    fn headers(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(header::CONTENT_TYPE, format!("application/x-{SERVICE}-request"))
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, GitError> {
        let session = self.link.session.clone();
        self.finish_asking()?;
        let ExchangeState::Reading(answer) = &mut self.state else { return Ok(0) };
        while answer.rest.is_empty() {
            let chunk = session.wait(answer.response.chunk())?;
            match chunk.map_err(|error| server_message::of_transfer(session.shown(), error, true))? {
                Some(chunk) => answer.rest = chunk,
                None => return Ok(0),
            }
        }
        let length = answer.rest.len().min(buffer.len());
        answer.rest.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }

    /// Ends the request: sends the rest of it and waits for the beginning of the answer.
    fn finish_asking(&mut self) -> Result<(), GitError> {
        let response = match std::mem::replace(&mut self.state, ExchangeState::Over) {
            ExchangeState::Asking(question) => {
                let question = Bytes::from(question);
                let to = self.post()?;
                self.link.ask(&to, |client, to| self.headers(client.post(to)).body(question.clone()))?
            }
            ExchangeState::Streaming(upload) => self.finish_upload(upload)?,
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let response = self.link.accept(response, &format!("application/x-{SERVICE}-result"))?;
        self.state = ExchangeState::Reading(GitAnswer { response, rest: Bytes::new() });
        Ok(())
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<(), GitError> {
        match &mut self.state {
            ExchangeState::Asking(question) => {
                question.extend_from_slice(bytes);
                if question.len() > WHOLE {
                    let begun = std::mem::take(question);
                    self.state = ExchangeState::Streaming(self.begin_upload(begun)?);
                }
            }
            ExchangeState::Streaming(upload) => {
                upload.pending.extend_from_slice(bytes);
                if upload.pending.len() >= PIECE {
                    let piece = Bytes::from(std::mem::take(&mut upload.pending));
                    let taken = self.link.session.wait(upload.pieces.send(Ok(piece)))?;
                    if taken.is_err() {
                        return self.refused();
                    }
                }
            }
            ExchangeState::Reading(_) | ExchangeState::Over => {
                return Err(GitError::NotGit {
                    url: self.link.session.shown(),
                    why: "it answered before it was asked".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn begin_upload(&self, begun: Vec<u8>) -> Result<Upload, GitError> {
        let (pieces, receiver) = mpsc::channel(4);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        let to = self.post()?;
        let client = self.link.session.client(&to)?;
        // A streamed request cannot be repeated, so it carries the login if one is known.
        self.link.with_login.store(true, Ordering::Relaxed);
        let request = self.link.sign(self.headers(client.post(to.clone())), &to);
        let request = request.body(reqwest::Body::wrap_stream(stream));
        let answer = tokio::runtime::Handle::current().spawn(request.send());
        let upload = Upload { pieces, pending: Vec::new(), answer };
        // The channel has room for the first piece; if the request has failed already, the next piece or the
        // answer reports it.
        let _ = upload.pieces.try_send(Ok(Bytes::from(begun)));
        Ok(upload)
    }

    fn finish_upload(&self, mut upload: Upload) -> Result<Response, GitError> {
        let session = &self.link.session;
        let last = Bytes::from(std::mem::take(&mut upload.pending));
        // If the receiver is gone, it left an answer or a failure.
        let _ = session.wait(upload.pieces.send(Ok(last)))?;
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut upload.pieces, closed));
        let broken = |why: String| GitError::Broken { url: session.shown(), why };
        let sent = session.wait(&mut upload.answer)?.map_err(|error| broken(error.to_string()))?;
        sent.map_err(|error| server_message::of_transfer(session.shown(), error, false))
    }

    /// Reads the answer of a server that answered before the whole request was sent.
    fn refused(&mut self) -> Result<(), GitError> {
        self.finish_asking()?;
        Err(GitError::Broken {
            url: self.link.session.shown(),
            why: "the server answered before everything was sent".to_owned(),
        })
    }

    fn pass_on(&self, error: GitError) -> io::Error {
        io::Error::other(self.link.session.fail(error).message().to_owned())
    }
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).map_err(|error| self.pass_on(error))
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_some(bytes).map_err(|error| self.pass_on(error))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
