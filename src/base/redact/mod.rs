//! Masks secrets in a stream of bytes, wherever the stream is cut. A secret is found as a reader would
//! see it: without the control sequences of a terminal, and also where it was escaped for a URL, JSON, a
//! program or HTML, in base64 and base32 (whatever it is aligned to, in lines or not), and in numbers, as
//! dumps have them; of a secret of several lines, every line is found as well, and of one that is an
//! address or a document, the secrets in it. What is not masked passes unchanged.
//! Memory is bounded by the longest secret. What counts as one is decided by whoever makes the
//! [`Redactor`].

mod dump;
mod folded;
mod forms;
mod parts;
mod phrases;
mod stream;
mod terminal;
mod tokens;
mod units;
mod views;

use std::fmt;
use std::sync::Arc;

use super::secret::Secret;
use folded::Folding;
use phrases::Phrases;
pub use stream::RedactStream;
use stream::Sought;
use tokens::TokenStream;
pub use tokens::without_tokens;

/// Secrets shorter than this are not looked for: masking them would eat ordinary words.
pub const SHORTEST: usize = phrases::SHORTEST;

/// The secrets to mask, prepared once and shared by any number of streams.
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
    /// Prepares to mask these secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let secrets: Vec<&Secret> = secrets.into_iter().collect();
        let folding = Folding { quotes: secrets.iter().any(|secret| secret.expose().contains(['"', '\''])) };
        let mut all = forms::Forms::default();
        for secret in secrets {
            let mut forms = forms::of(secret.expose(), folding);
            all.raw.append(&mut forms.raw);
            all.folded.append(&mut forms.folded);
            all.needs_raw |= forms.needs_raw;
        }
        let Some(raw) = Phrases::new(all.raw) else { return Self::default() };
        let sought = Sought { raw, folded: Phrases::new(all.folded), needs_raw: all.needs_raw, folding };
        Self { sought: Some(Arc::new(sought)) }
    }

    /// Masks a whole text.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Masks a whole text that need not be UTF-8.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut out = Vec::with_capacity(bytes.len());
        stream.push(bytes, &mut out);
        stream.finish(&mut out);
        out
    }

    /// Whether there is nothing to mask.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sought.is_none()
    }

    /// Begins a stream.
    #[must_use]
    pub fn stream(&self) -> RedactStream {
        RedactStream::new(self.sought.clone(), None)
    }

    /// Begins a stream of text from outside, in which tokens and private keys are known by their form.
    #[must_use]
    pub fn outside_stream(&self) -> RedactStream {
        RedactStream::new(self.sought.clone(), Some(TokenStream::default()))
    }
}

/// Decodes what is escaped in a text, as the search for secrets does, and leaves out what nobody sees;
/// `None` if that changes nothing.
#[must_use]
pub fn as_read(text: &str) -> Option<String> {
    let read = folded::fold(text.as_bytes(), Folding { quotes: false }).bytes;
    (read != text.as_bytes()).then(|| String::from_utf8_lossy(&read).into_owned())
}

#[cfg(test)]
mod tests;
