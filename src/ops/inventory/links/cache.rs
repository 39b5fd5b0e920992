//! The cache of links: pages that were there, or need a login, for a day. It may be deleted or broken at any time; `cki`
//! asks again. It has hashes of addresses only.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::base::digest::sha256_hex;
use crate::base::files;
use crate::systems::web::PageState;

/// Version of the form. A file of another one is ignored.
const FORM: u32 = 1;
/// Time for which a page counts as it was found.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Time by which another check may have begun later, and still have ended before.
const OVERLAP: Duration = Duration::from_secs(600);
/// Maximum number of pages.
const MOST: usize = 20_000;
/// Maximum bytes of the file.
const LONGEST: u64 = 16 << 20;

/// Pages that were found earlier.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CachedPages {
    form: u32,
    /// Pages by the hash of their address.
    pages: BTreeMap<String, CachedPage>,
}

/// A page that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct CachedPage {
    /// Time in seconds since 1970.
    at: u64,
    state: CachedState,
}

/// The states that are kept: those that do not change from one moment to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CachedState {
    Reached,
    NeedsLogin,
}

/// The cache in a file.
#[derive(Debug)]
pub(super) struct LinkCache {
    file: Option<PathBuf>,
    known: BTreeMap<String, CachedPage>,
    found: BTreeMap<String, CachedPage>,
    now: u64,
}

impl LinkCache {
    /// Opens the cache in a directory of data that can be made again.
    pub(super) fn open(directory: Option<&Path>, now: SystemTime) -> Self {
        let file = directory.map(|directory| directory.join("links.json"));
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let known = file.as_deref().map(|file| read(file, now)).unwrap_or_default();
        Self { file, known, found: BTreeMap::new(), now }
    }

    /// Returns the state of a page, if it was found lately.
    pub(super) fn get(&self, url: &Url) -> Option<PageState> {
        Some(match self.known.get(&key(url))?.state {
            CachedState::Reached => PageState::Reached,
            CachedState::NeedsLogin => PageState::NeedsLogin,
        })
    }

    /// Keeps the state of a page, unless the next check is to ask again.
    pub(super) fn put(&mut self, url: &Url, state: &PageState) {
        let state = match state {
            PageState::Reached => CachedState::Reached,
            PageState::NeedsLogin => CachedState::NeedsLogin,
            PageState::Moved(_)
            | PageState::Gone(_)
            | PageState::Faulty(_)
            | PageState::Unreachable(_)
            | PageState::RateLimited => return,
        };
        self.found.insert(key(url), CachedPage { at: self.now, state });
    }

    /// Writes the pages that were found, with those that other processes found meanwhile. A failure is none: the next
    /// check asks again.
    pub(super) fn store(self) {
        let Some(file) = self.file.filter(|_| !self.found.is_empty()) else { return };
        let mut pages = read(&file, self.now);
        pages.extend(self.found);
        if pages.len() > MOST {
            let mut ages: Vec<u64> = pages.values().map(|page| page.at).collect();
            ages.sort_unstable_by(|a, b| b.cmp(a));
            let oldest = ages[MOST - 1];
            pages.retain(|_, page| page.at >= oldest);
        }
        if let Ok(text) = serde_json::to_vec(&CachedPages { form: FORM, pages }) {
            let _ = files::write_atomic(&file, &text, 0o600);
        }
    }
}

/// Reads the fresh pages of a file that this user alone can change.
fn read(file: &Path, now: u64) -> BTreeMap<String, CachedPage> {
    let is_own = file.symlink_metadata().is_ok_and(|facts| {
        facts.is_file() && facts.uid() == nix::unistd::geteuid().as_raw() && facts.mode() & 0o077 == 0
    });
    let text = is_own.then(|| files::read(file, LONGEST).ok()).flatten().unwrap_or_default();
    let cached: CachedPages = serde_json::from_slice(&text).unwrap_or_default();
    if cached.form != FORM {
        return BTreeMap::new();
    }
    let mut pages = cached.pages;
    // A page from the future was found with another clock, unless a check that began later found it.
    pages.retain(|_, page| {
        page.at <= now + OVERLAP.as_secs() && now.saturating_sub(page.at) < FRESH.as_secs()
    });
    pages
}

fn key(url: &Url) -> String {
    sha256_hex([url.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn cache_keeps_found_pages_for_a_day() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (a, b, c) =
            (url("https://x.test/a?key=glpat-0"), url("https://x.test/b"), url("https://x.test/c"));
        let mut cache = LinkCache::open(Some(directory.path()), at(100_000));
        assert_eq!(cache.get(&a), None);
        cache.put(&a, &PageState::Reached);
        cache.put(&b, &PageState::Moved(c.clone()));
        cache.put(&c, &PageState::Gone("answers 404".to_owned()));
        // Another process at the same time.
        let mut other = LinkCache::open(Some(directory.path()), at(100_001));
        other.put(&c, &PageState::NeedsLogin);
        other.store();
        cache.store();
        let cache = LinkCache::open(Some(directory.path()), at(100_000 + 86_399));
        assert_eq!(cache.get(&a), Some(PageState::Reached));
        assert_eq!(cache.get(&b), None, "the link is to be corrected");
        assert_eq!(cache.get(&c), Some(PageState::NeedsLogin));
        let later = LinkCache::open(Some(directory.path()), at(100_000 + 86_400));
        assert_eq!((later.get(&a), later.get(&c)), (None, Some(PageState::NeedsLogin)));
        assert_eq!(LinkCache::open(Some(directory.path()), at(90_000)).get(&a), None);
        let text = std::fs::read_to_string(directory.path().join("links.json")).expect("is there");
        assert!(!text.contains("x.test/a") && !text.contains("glpat"), "{text}");
    }

    #[test]
    fn cache_ignores_files_that_are_broken_or_of_others() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("links.json");
        let page = url("https://x.test/");
        let known = || LinkCache::open(Some(directory.path()), at(100_000)).get(&page);
        let store = || {
            let mut cache = LinkCache::open(Some(directory.path()), at(100_000));
            cache.put(&page, &PageState::Reached);
            cache.store();
        };
        store();
        assert_eq!(known(), Some(PageState::Reached));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o620)).expect("changes");
        assert_eq!(known(), None, "others can write it");
        for content in ["", "{", "[]", "{\"form\":2,\"pages\":{}}", "\u{0}\u{1}"] {
            std::fs::write(&file, content).expect("writes");
            assert_eq!(known(), None, "{content}");
            store();
            assert_eq!(known(), Some(PageState::Reached), "{content}");
        }
        // Without a place for a cache, and with one that cannot be written.
        LinkCache::open(None, at(1)).store();
        let mut nowhere = LinkCache::open(Some(&file), at(1));
        nowhere.put(&page, &PageState::Reached);
        nowhere.store();
    }
}
