//! Session of one git operation, carried past libgit2, whose callbacks take no context: the HTTP policy, the
//! logins, the stop signal, and the first failure as an error of its own (libgit2 passes on only a text).
//! Each operation runs on one thread and has its session there.

use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use git2::{ErrorClass, ErrorCode};
use reqwest::Url;

use super::GitError;
use super::error::RepositoryFormat;
use super::login::Login;
use super::logins::{Logins, origin};
use super::url::{GitUrl, Scheme};
use crate::base::http::{HttpClient, is_loopback};
use crate::host::signals::Shutdown;

thread_local! {
    static CURRENT: RefCell<Option<Arc<GitSession>>> = const { RefCell::new(None) };
}

/// Context of one operation.
pub(super) struct GitSession {
    http: Arc<HttpClient>,
    logins: Logins,
    url: GitUrl,
    stop: Shutdown,
    failure: Mutex<Option<GitError>>,
}

/// Guard: while it lives, the session belongs to the thread.
pub(super) struct EnteredSession(());

impl Drop for EnteredSession {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| *current = None);
    }
}

impl GitSession {
    pub(super) fn new(http: Arc<HttpClient>, logins: Logins, url: GitUrl, stop: Shutdown) -> Arc<Self> {
        Arc::new(Self { http, logins, url, stop, failure: Mutex::new(None) })
    }

    /// Makes this session that of the thread.
    pub(super) fn enter(self: &Arc<Self>) -> EnteredSession {
        CURRENT.with_borrow_mut(|current| *current = Some(self.clone()));
        EnteredSession(())
    }

    /// Returns the session of the thread.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Returns the repository's name for messages.
    pub(super) fn shown(&self) -> String {
        self.url.to_string()
    }

    /// Returns the HTTP client for the server of an address.
    pub(super) fn client(&self, to: &Url) -> Result<&reqwest::Client, GitError> {
        Ok(self.http.client(to)?)
    }

    /// Checks that connections to a host are allowed.
    pub(super) fn permit(&self, host: &str) -> Result<(), GitError> {
        if self.http.policy().offline && !is_loopback(host) {
            return Err(GitError::Offline { url: self.shown() });
        }
        Ok(())
    }

    /// Returns the login for the server of an address: the one in the repository's own address before one
    /// that is known for the server.
    pub(super) fn login(&self, url: &Url) -> Option<&Login> {
        let own = self
            .url
            .login()
            .filter(|_| Url::parse(self.url.as_str()).is_ok_and(|mine| origin(&mine) == origin(url)));
        own.or_else(|| self.logins.of(url))
    }

    /// Returns the repository's own server, and the login for it.
    pub(super) fn own_login(&self) -> Option<(String, &Login)> {
        let url = Url::parse(self.url.as_str()).ok().filter(|_| self.url.scheme() == Scheme::Http)?;
        self.login(&url).map(|login| (origin(&url), login))
    }

    /// Returns the repository's own server, and the additional authorities for it.
    pub(super) fn ca_file(&self) -> Option<(String, &Path)> {
        let url = Url::parse(self.url.as_str()).ok().filter(|_| self.url.scheme() == Scheme::Http)?;
        self.http.ca_file(&url).map(|file| (origin(&url), file))
    }

    pub(super) fn stop(&self) -> &Shutdown {
        &self.stop
    }

    pub(super) fn stopped(&self) -> GitError {
        GitError::Stopped { what: self.shown() }
    }

    /// Waits for a future, unless the work is stopped. Requires a thread that belongs to the runtime and may
    /// block.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, GitError> {
        tokio::runtime::Handle::current().block_on(async {
            tokio::select! {
                biased;
                _ = self.stop.requested() => Err(self.stopped()),
                value = future => Ok(value),
            }
        })
    }

    /// Stores the first failure, for [`Session::explain`], and returns one for libgit2 to pass on.
    pub(super) fn fail(&self, error: GitError) -> git2::Error {
        let passed_on = git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, error.to_string());
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        passed_on
    }

    /// Returns the stored failure in place of libgit2's error.
    pub(super) fn explain(&self, error: git2::Error) -> GitError {
        if self.stop.now().is_some() {
            return self.stopped();
        }
        let kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.unwrap_or_else(|| self.classify(error))
    }

    fn is_directory(&self) -> bool {
        Path::new(self.url.path()).is_dir()
    }

    fn classify(&self, error: git2::Error) -> GitError {
        let url = self.shown();
        let why = error.message().to_owned();
        if let Some(format) = RepositoryFormat::of_error(&error) {
            return GitError::Unsupported { what: url, format };
        }
        match (self.url.scheme(), error.class(), error.code()) {
            // libgit2's transport for directories passes on only the text.
            (Scheme::Local, ..) if why.contains("is not owned by current user") => {
                GitError::Foreign { path: self.url.path().into() }
            }
            (Scheme::Local, ErrorClass::Repository, _) => GitError::NotFound { url },
            (Scheme::Local, ..) if !self.is_directory() => GitError::NotFound { url },
            (Scheme::Local, ..) => GitError::Library { what: url, error },
            (Scheme::Git, ErrorClass::Net, _) if why.contains("repository not exported") => {
                GitError::NotFound { url }
            }
            (Scheme::Git, ErrorClass::Net | ErrorClass::Os, _) => GitError::Unreachable { url, why },
            (_, ErrorClass::Net, ErrorCode::Eof) => GitError::Broken { url, why },
            (_, ErrorClass::Net, _) => GitError::NotGit { url, why },
            _ => GitError::Library { what: url, error },
        }
    }
}
