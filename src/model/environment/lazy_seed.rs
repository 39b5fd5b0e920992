//! Stored inputs of a workspace's placeholder secrets: a seed, certificates and keys. Their storage
//! belongs in the caller.

use std::sync::{Arc, LazyLock};

use crate::base::x509::TestPki;

/// Seed, and certificates and keys.
pub type StoredSecrets = (Arc<str>, Option<Arc<TestPki>>);

/// Stored inputs, opened on demand, since only placeholder secrets need them.
#[derive(Clone)]
pub struct LazySeed(Arc<LazyLock<Result<StoredSecrets, Cause>, OpenFn>>);

/// Underlying error of opening them.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

type OpenFn = Box<dyn FnOnce() -> Result<StoredSecrets, Cause> + Send>;

impl LazySeed {
    /// Returns inputs that a function opens once.
    pub fn new(open: impl FnOnce() -> Result<StoredSecrets, Cause> + Send + 'static) -> Self {
        let open: OpenFn = Box::new(open);
        Self(Arc::new(LazyLock::new(open)))
    }

    /// Returns inputs with a seed, certificates and keys.
    #[must_use]
    pub fn of(seed: &str, material: Option<Arc<TestPki>>) -> Self {
        let seed: Arc<str> = seed.into();
        Self::new(move || Ok((seed, material)))
    }

    /// Returns the inputs, and opens them first if necessary.
    ///
    /// # Errors
    /// Fails when they cannot be read or created.
    pub fn open(&self) -> Result<&StoredSecrets, Cause> {
        LazyLock::force(&self.0).as_ref().map_err(Arc::clone)
    }
}

impl Default for LazySeed {
    fn default() -> Self {
        Self::of("", None)
    }
}

impl std::fmt::Debug for LazySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LazySeed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lazy_seed_opens_once_on_demand() {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        let kept = LazySeed::new(move || {
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
