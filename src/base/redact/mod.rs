//! Masks secrets in a stream of bytes, wherever the stream is cut. A phrase is found as it is, in
//! base64 (whatever it is aligned to) and percent-encoded; of a phrase of several lines, every
//! line is found as well. Memory is bounded by the longest phrase.
//! What counts as a secret is decided by whoever makes the [`Redactor`].

mod phrases;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;

use super::secret::{MASK, Secret};
use phrases::Phrases;

/// Phrases shorter than this are not looked for: masking them would eat ordinary words.
pub const SHORTEST: usize = phrases::SHORTEST;

/// The phrases to mask, prepared once and shared by any number of streams.
#[derive(Clone, Default)]
pub struct Redactor {
    phrases: Option<Arc<Phrases>>,
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
        let phrases = Phrases::new(secrets.into_iter().flat_map(|secret| forms(secret.expose())));
        Self { phrases: phrases.map(Arc::new) }
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
        self.phrases.is_none()
    }

    /// Begins a stream.
    #[must_use]
    pub fn stream(&self) -> RedactStream {
        RedactStream { redactor: self.clone(), held: Vec::new(), masked: 0, in_mask: false }
    }
}

/// One stream being masked.
#[derive(Debug)]
pub struct RedactStream {
    redactor: Redactor,
    /// What may be the start of a phrase, or has been masked but may still run on.
    held: Vec<u8>,
    /// So many bytes at the start of `held` belong to a phrase that was found.
    masked: usize,
    /// The last thing written was a mask.
    in_mask: bool,
}

impl RedactStream {
    /// Takes bytes in and appends what may be shown to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        let open = self.redactor.phrases.as_ref().map_or(0, |phrases| phrases.open_end(&self.held));
        let end = self.held.len() - open;
        self.write(end, out);
    }

    /// Ends the stream: what was held back cannot become a phrase any more.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.write(self.held.len(), out);
        self.in_mask = false;
    }

    /// The ranges of `held` that belong to phrases, sorted by start.
    fn hidden(&self) -> Vec<(usize, usize)> {
        let mut hidden = vec![(0, self.masked)];
        if let Some(phrases) = &self.redactor.phrases {
            phrases.find(&self.held, |from, to| hidden.push((from, to)));
        }
        hidden
    }

    /// Writes `held[..end]`, each unbroken run of hidden bytes as one mask, and keeps the rest.
    fn write(&mut self, end: usize, out: &mut Vec<u8>) {
        if end == 0 {
            return;
        }
        let mut at = 0;
        // What begins in the part held back is found again when more has come.
        for (from, to) in self.hidden().into_iter().take_while(|(from, _)| *from < end) {
            if from > at {
                out.extend_from_slice(&self.held[at..from]);
                self.in_mask = false;
            }
            if to > at && !self.in_mask {
                out.extend_from_slice(MASK.as_bytes());
                self.in_mask = true;
            }
            at = at.max(to);
        }
        if end > at {
            out.extend_from_slice(&self.held[at..end]);
            self.in_mask = false;
        }
        self.masked = at.saturating_sub(end);
        self.held.drain(..end);
    }
}

/// The forms in which a secret may appear.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let mut add = |phrase: &[u8]| {
        if phrase.len() >= SHORTEST {
            forms.push(phrase.to_vec());
        }
    };
    let trimmed = secret.trim();
    if trimmed.len() < SHORTEST {
        return forms;
    }
    add(trimmed.as_bytes());
    for line in trimmed.lines().map(str::trim).filter(|line| line.len() >= 8) {
        add(line.as_bytes());
    }
    add(percent_encode(trimmed).as_bytes());
    add(trimmed.replace('\n', "\\n").replace('"', "\\\"").as_bytes());
    if trimmed.len() >= 8 {
        // At each of the three alignments, the part of the encoding that does not depend on the
        // neighbours.
        for shift in 0..3 {
            let padded = [&b"\0\0"[..shift], trimmed.as_bytes()].concat();
            let whole = padded.len() / 3 * 3;
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&padded[..whole]);
            let skip = [0, 2, 3][shift];
            let core = &encoded[skip.min(encoded.len())..];
            add(core.as_bytes());
            add(core.replace('+', "-").replace('/', "_").as_bytes());
        }
    }
    forms
}

fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
        Redactor::new(&secrets)
    }

    #[test]
    fn a_secret_is_masked_once_in_all_its_forms() {
        let redactor = redactor(&["s3cr3t/väl ue"]);
        assert_eq!(redactor.text("a s3cr3t/väl ue b"), format!("a {MASK} b"));
        assert_eq!(redactor.text("u=s3cr3t%2Fv%C3%A4l%20ue&x"), format!("u={MASK}&x"));
        for prefix in ["", "x", "xy"] {
            let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{prefix}s3cr3t/väl ue"));
            assert!(redactor.text(&encoded).contains(MASK), "{prefix}");
        }
        assert_eq!(redactor.text("s3cr3t"), "s3cr3t");
    }

    #[test]
    fn a_prefix_is_shown_as_soon_as_it_cannot_become_a_secret() {
        let redactor = redactor(&["secret"]);
        let mut stream = redactor.stream();
        let mut out = Vec::new();
        stream.push(b"login: sec", &mut out);
        assert_eq!(out, b"login: ");
        stream.push(b"tor", &mut out);
        assert_eq!(out, b"login: sector");
    }

    #[test]
    fn an_endless_chain_of_overlaps_takes_no_memory() {
        let redactor = redactor(&["abab"]);
        let mut stream = redactor.stream();
        let mut out = Vec::new();
        for _ in 0..1000 {
            stream.push(b"abababab", &mut out);
            assert!(stream.held.len() < 16);
        }
        stream.finish(&mut out);
        assert_eq!(out, MASK.as_bytes());
    }

    proptest! {
        #[test]
        fn no_secret_survives_any_split(
            words in prop::collection::vec("[ab]{4,7}|[a-d]{1,3}|secret|secretive|[ -~]{0,9}", 0..30),
            cuts in prop::collection::vec(0usize..12, 1..40),
        ) {
            let secrets = ["secret", "secretive", "abab", "babba", "retbab"];
            let redactor = redactor(&secrets);
            let text = words.concat();
            let mut stream = redactor.stream();
            let (mut out, mut rest) = (Vec::new(), text.as_bytes());
            let mut cuts = cuts.iter().cycle();
            let mut steps = 0;
            while !rest.is_empty() {
                // A run of zeros makes no progress for ever; every few steps take one byte.
                steps += 1;
                let cut = cuts.next().copied().unwrap_or(1).max(usize::from(steps % 3 == 0)).min(rest.len());
                stream.push(&rest[..cut], &mut out);
                rest = &rest[cut..];
            }
            stream.finish(&mut out);
            let out = String::from_utf8(out).expect("the mask is UTF-8");
            for secret in secrets {
                prop_assert!(!out.replace(MASK, "\0").contains(secret), "{secret} in {out:?}");
            }
            prop_assert_eq!(&out, &redactor.text(&text));
            if !secrets.iter().any(|secret| text.contains(secret)) {
                prop_assert_eq!(out, text);
            }
        }
    }
}
