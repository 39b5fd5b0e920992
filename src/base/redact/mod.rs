//! Masks secrets in a stream of bytes, wherever the stream is cut. Secrets are found as a reader would see
//! them: without terminal control sequences; escaped for URLs, JSON, programs or HTML; in base64 and
//! base32, at any alignment and across lines; and as numbers in dumps. Each line of a multi-line secret is
//! masked, and so are the secrets within an address or a document. All other bytes pass unchanged. Memory
//! is bounded by the longest secret. The choice of secrets is up to the code that creates the [`Redactor`].

mod char_forms;
mod dump;
mod folded;
mod forms;
mod number_reader;
mod numbers;
mod parts;
mod phrases;
mod sought;
mod stream;
mod stream_view;
mod terminal;
mod tokens;
mod units;
mod views;

use std::fmt;
use std::sync::Arc;

use super::secret::Secret;
use folded::FoldOptions;
use phrases::PatternSet;
use sought::Sought;
pub use stream::RedactStream;

pub use tokens::without_tokens;
use tokens::{LONGEST_KEY, TokenStream};

/// Secrets to mask, prepared once and shared by any number of streams.
#[derive(Clone, Default)]
pub struct Redactor {
    sought: Option<Arc<Sought>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Prepares to mask secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let secrets: Vec<&Secret> = secrets.into_iter().collect();
        let folding =
            FoldOptions { quotes: secrets.iter().any(|secret| secret.expose().contains(['"', '\''])) };
        let mut all = forms::Forms::default();
        for secret in secrets {
            let mut forms = forms::of(secret.expose(), folding);
            all.raw.append(&mut forms.raw);
            all.folded.append(&mut forms.folded);
            all.needs_raw |= forms.needs_raw;
        }
        let Some(raw) = PatternSet::new(all.raw) else { return Self::default() };
        let sought = Sought { raw, folded: PatternSet::new(all.folded), needs_raw: all.needs_raw, folding };
        Self { sought: Some(Arc::new(sought)) }
    }

    /// Masks a complete text.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Masks complete bytes that need not be UTF-8.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut out = Vec::with_capacity(bytes.len());
        stream.push(bytes, &mut out);
        stream.finish(&mut out);
        out
    }

    /// Returns whether there are no secrets to mask.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sought.is_none()
    }

    /// Returns the number of bytes before any place in a text that may decide about the bytes after it: the text of the
    /// longest secret as a dump with other text in each line, or a private key.
    #[must_use]
    pub fn reach(&self) -> usize {
        /// Bytes of a dump for each byte of the secret: eight in a line of 256 bytes at most.
        const DUMPED: usize = 32;
        2 * LONGEST_KEY + DUMPED * self.sought.as_ref().map_or(0, |sought| sought.longest())
    }

    /// Starts a stream.
    #[must_use]
    pub fn stream(&self) -> RedactStream {
        RedactStream::new(self.sought.clone(), None)
    }

    /// Starts a stream of text from outside, in which tokens and private keys are also recognised by their
    /// form.
    #[must_use]
    pub fn outside_stream(&self) -> RedactStream {
        RedactStream::new(self.sought.clone(), Some(TokenStream::default()))
    }
}

/// Decodes escapes in a text, as the search for secrets does, and removes invisible characters; `None` if
/// that changes nothing.
#[must_use]
pub fn as_read(text: &str) -> Option<String> {
    let read = folded::fold(text.as_bytes(), FoldOptions { quotes: false }).bytes;
    (read != text.as_bytes()).then(|| String::from_utf8_lossy(&read).into_owned())
}

#[cfg(test)]
mod tests;
