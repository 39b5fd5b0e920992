//! Writing the files of a site, on all processors.

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::directory::SiteDirectory;
use crate::host::signals::Shutdown;

/// Writes files, whose content `content` returns by their place, to a directory. Returns whether all were written; if a
/// signal comes first, nothing of them stays.
///
/// # Errors
/// Fails with the first error, and leaves nothing behind.
pub fn write(
    target: &Path,
    paths: &[String],
    content: impl Fn(usize) -> anyhow::Result<String> + Sync,
    stop: &Shutdown,
) -> anyhow::Result<bool> {
    let directory = SiteDirectory::new(target, paths.to_vec())?;
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let lock = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        while stop.now().is_none() && lock().is_none() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(at) else { return };
            let put = content(at).and_then(|text| Ok(directory.put(path, text.as_bytes())?));
            if let Err(error) = put {
                lock().get_or_insert(error);
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if stop.now().is_some() {
        return Ok(false);
    }
    directory.finish()?;
    Ok(true)
}
