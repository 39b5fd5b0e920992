//! Reads files, several at a time. An unreadable file is reported, and does not stop the others.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::source_file::{FileReading, ReadOutcome, SourceRepository, WantedFile};
use crate::model::scan::{self, Getter, ScanRules, ScanRulesError};

/// Maximum number of threads.
const THREADS: usize = 4;

/// Results of files, by repository, path, and whether an image is built from the file.
#[derive(Debug, Default)]
pub(super) struct ReadingCache(Mutex<BTreeMap<(String, PathBuf, bool), ReadOutcome>>);

/// Reads files that are not in the cache, and returns all in the same order.
pub(super) fn all_cached(
    repositories: &[SourceRepository],
    wanted: &[WantedFile],
    rules: &ScanRules,
    cache: Option<&ReadingCache>,
) -> Result<Vec<FileReading>, ScanRulesError> {
    let Some(ReadingCache(cache)) = cache else { return all(repositories, wanted, rules, &BTreeMap::new()) };
    let key =
        |one: &WantedFile| (repositories[one.repository].name.clone(), one.path.clone(), one.is_build_file);
    let mut known = cache.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<WantedFile> =
        wanted.iter().filter(|one| !known.contains_key(&key(one))).cloned().collect();
    for reading in all(repositories, &missing, rules, &BTreeMap::new())? {
        known.insert(key(&reading.wanted), reading.fate);
    }
    let cached = wanted
        .iter()
        .filter_map(|one| Some(FileReading { wanted: one.clone(), fate: known.get(&key(one))?.clone() }));
    Ok(cached.collect())
}

/// Reads files, and returns them in the same order.
pub(super) fn all(
    repositories: &[SourceRepository],
    wanted: &[WantedFile],
    rules: &ScanRules,
    more: &BTreeMap<String, Getter>,
) -> Result<Vec<FileReading>, ScanRulesError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(wanted) = wanted.get(number) else { break };
            done.push((number, read(repositories, wanted, rules, more)?));
        }
        Ok::<_, ScanRulesError>(done)
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = threads.min(THREADS).min(wanted.len()).max(1);
    let mut readings = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, ScanRulesError>(all)
    })?;
    readings.sort_by_key(|(number, _)| *number);
    Ok(readings.into_iter().map(|(_, reading)| reading).collect())
}

fn read(
    repositories: &[SourceRepository],
    wanted: &WantedFile,
    rules: &ScanRules,
    more: &BTreeMap<String, Getter>,
) -> Result<FileReading, ScanRulesError> {
    let store = &repositories[wanted.repository].store;
    let by_path =
        if wanted.is_build_file { rules.build_files() } else { rules.language_of_path(&wanted.path) };
    let reading = |fate| FileReading { wanted: wanted.clone(), fate };
    let language = match by_path {
        Some(language) => language,
        None if rules.is_no_code(&wanted.path) => return Ok(reading(ReadOutcome::NoCode)),
        None => match rules.language(&wanted.path, &store.first_line(&wanted.path)) {
            Some(language) => language,
            None => return Ok(reading(ReadOutcome::Strange)),
        },
    };
    let text = match store.text(&wanted.path) {
        Ok(text) => text,
        Err(why) => return Ok(reading(ReadOutcome::NotRead(why))),
    };
    let scan = scan::scan(&rules.languages[language], &text, more)?;
    Ok(reading(ReadOutcome::Read { language, scan }))
}
