//! What a workspace keeps for its reference secrets: a seed, certificates and keys. Where it is kept is not
//! known here.

use std::sync::{Arc, LazyLock};

use crate::base::x509::Material;

/// A seed, and certificates and keys.
pub type Keeping = (Arc<str>, Option<Arc<Material>>);

/// What a workspace keeps, which is opened when a reference secret is made: nothing else needs it.
#[derive(Clone)]
pub struct Kept(Arc<LazyLock<Result<Keeping, Cause>, Opening>>);

/// Why it cannot be opened.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

type Opening = Box<dyn FnOnce() -> Result<Keeping, Cause> + Send>;

impl Kept {
    /// Opened by a function, once.
    pub fn new(open: impl FnOnce() -> Result<Keeping, Cause> + Send + 'static) -> Self {
        let open: Opening = Box::new(open);
        Self(Arc::new(LazyLock::new(open)))
    }

    /// A seed with certificates and keys.
    #[must_use]
    pub fn of(seed: &str, material: Option<Arc<Material>>) -> Self {
        let seed: Arc<str> = seed.into();
        Self::new(move || Ok((seed, material)))
    }

    /// What is kept; it is opened if it has not been yet.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn open(&self) -> Result<&Keeping, Cause> {
        LazyLock::force(&self.0).as_ref().map_err(Arc::clone)
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::of("", None)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_opened_once_and_only_if_asked_for() {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        let kept = Kept::new(move || {
            seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Err(Arc::new(std::io::Error::other("no room")))
        });
        let opened = || count.load(std::sync::atomic::Ordering::SeqCst);
        let other = kept.clone();
        assert_eq!(opened(), 0);
        assert!(kept.open().is_err_and(|error| error.to_string() == "no room"));
        assert!(other.open().is_err());
        assert_eq!(opened(), 1);
    }
}
