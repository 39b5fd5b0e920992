//! `cki env --scan`: compares the variables that a component's sources read with its environment. The
//! scan is read-only: nothing is cloned, changed or run.

mod error;
mod files;
pub mod lacking;
mod mentions;
mod outcome;
mod read;
mod request;
mod source_file;
mod start_commands;
mod store;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use crate::base::assets::Assets;
use crate::base::text::safe_line;
use crate::model::environment::{Environment, ValueOrigin};
use crate::model::inventory::Component;
use crate::model::scan::{
    self, CompareInput, EnvRead, FileScan, Getter, Grammar, KnownVariable, Language, ReadSite, Requirement,
    ScanRules, Unknown,
};
pub use error::ScanError;
use files::PackageIndex;
pub use outcome::ScanOutcome;
use read::ReadingCache;
pub use request::{Library, ScanRequest};
use source_file::{FileReading, ReadOutcome, SourceRepository, WantedFile};
use start_commands::StartCommand;

/// File of the rules.
const RULES: &str = "scan/rules.yaml";
/// Maximum length of a chain of imports.
const ROUNDS: usize = 32;

/// Scans the sources.
///
/// # Errors
/// Fails when there are no sources here, or the rules are invalid.
pub fn scan(request: ScanRequest<'_>) -> Result<ScanOutcome, ScanError> {
    scan_files(request, &rules(request.assets)?, None, &PackageIndex::default())
}

/// Scans the checked out sources of several components of one inventory: reads the rules, each file, and the packages of
/// clones, only once.
#[derive(Debug)]
pub struct Scanner {
    rules: ScanRules,
    files: ReadingCache,
    packages: PackageIndex,
}

impl Scanner {
    /// Reads the rules.
    ///
    /// # Errors
    /// Fails when they are invalid.
    pub fn new(assets: &Assets) -> Result<Self, ScanError> {
        Ok(Self { rules: rules(assets)?, files: ReadingCache::default(), packages: PackageIndex::default() })
    }

    /// Scans the checked out sources of a component.
    ///
    /// # Errors
    /// Fails when there are no sources here.
    pub fn scan(&self, request: ScanRequest<'_>) -> Result<ScanOutcome, ScanError> {
        let request = ScanRequest { revision: None, ..request };
        scan_files(request, &self.rules, Some(&self.files), &self.packages)
    }

    /// Returns which of the wanted words the files of a clone mention, apart from files that are left out; `None` if it
    /// has too many files to know. Words are in small letters, and letters and digits alone, or begin or end with `_`.
    #[must_use]
    pub fn mentions(
        &self,
        root: &Path,
        wanted: &HashSet<String>,
        is_left_out: &(dyn Fn(&Path) -> bool + Sync),
    ) -> Option<HashSet<String>> {
        mentions::mentions(root, &self.rules, wanted, is_left_out)
    }

    /// Returns whether runtimes and common libraries read a variable, or the system gives it to every program.
    #[must_use]
    pub fn is_of_others(&self, name: &str) -> bool {
        self.rules.is_of_library(name) || self.rules.is_of_system(name)
    }
}

fn scan_files(
    request: ScanRequest<'_>,
    rules: &ScanRules,
    cache: Option<&ReadingCache>,
    packages: &PackageIndex,
) -> Result<ScanOutcome, ScanError> {
    let component = request.component.name().to_owned();
    if request.component.sources.is_empty() {
        return Err(ScanError::NoSources { component });
    }
    let mut outcome = ScanOutcome::default();
    let mut found = files::of(request, rules, packages, &mut outcome)?;
    if found.repositories.is_empty() {
        let places = request.workspace.locations(request.inventory, request.component);
        return Err(match request.revision {
            Some(revision) if places.into_iter().any(|place| !matches!(place.found(), Ok(None))) => {
                let revision = safe_line(revision).into_owned();
                ScanError::NoRevision { component, revision }
            }
            _ => ScanError::NotCloned { component },
        });
    }
    let mut readings: Vec<FileReading> = Vec::new();
    let mut next = std::mem::take(&mut found.wanted);
    for _ in 0..ROUNDS {
        if next.is_empty() {
            break;
        }
        let round = read::all_cached(&found.repositories, &next, rules, cache)?;
        next = files::imported(&round, &mut found, request, rules, &mut outcome);
        readings.extend(round);
    }
    rescan_callers(&found.repositories, &mut readings, rules)?;
    let several = readings.iter().map(|reading| reading.wanted.repository).collect::<BTreeSet<_>>().len() > 1;
    let label = |wanted: &WantedFile| {
        let path = wanted.path.display().to_string();
        if several { format!("{}/{path}", found.repositories[wanted.repository].name) } else { path }
    };
    let mut known = CompareInput { given: given(request.environment), ..CompareInput::default() };
    known.build = request.component.build.iter().flat_map(|build| build.args.keys().cloned()).collect();
    leave_out_sourced(&mut readings, rules);
    for reading in readings {
        let file = label(&reading.wanted);
        let is_test = rules.is_test(&reading.wanted.path);
        match reading.fate {
            ReadOutcome::Read { language, scan } => {
                outcome.shared += usize::from(reading.wanted.shared);
                let language = &rules.languages[language];
                take(&file, language, scan, (is_test, reading.wanted.shared), &mut known, &mut outcome);
            }
            ReadOutcome::Strange => {
                let name = reading.wanted.path.extension().or(reading.wanted.path.file_name());
                let dot = if reading.wanted.path.extension().is_some() { "." } else { "" };
                let name = format!("{dot}{}", name.unwrap_or_default().to_string_lossy());
                *outcome.strange.entry(name).or_default() += 1;
            }
            ReadOutcome::NoCode => {}
            ReadOutcome::NotRead(why) => outcome.not_read.push((file, why)),
        }
    }
    for command in start_commands::of(request.component, request.deployed) {
        take_command(command, rules, &mut known, &mut outcome)?;
    }
    outcome.comparison = scan::compare(&known, rules);
    Ok(outcome)
}

/// Takes what a command that starts the component reads.
fn take_command(
    command: StartCommand,
    rules: &ScanRules,
    known: &mut CompareInput,
    outcome: &mut ScanOutcome,
) -> Result<(), ScanError> {
    let StartCommand { place, words, references } = command;
    let (file, line) = place.rsplit_once(':').unwrap_or((&place, ""));
    let line = line.parse().unwrap_or(1);
    let scan = scan::scan_command(&words, rules)?;
    let reference = |name| EnvRead { name, line, need: Requirement::Optional, build: false, test: false };
    for find in scan.finds.into_iter().chain(references.into_iter().map(reference)) {
        // Lines of a script are not those of its file.
        let site = ReadSite::new(file, &EnvRead { line, ..find.clone() }, false, false);
        known.reads.entry(find.name).or_default().push(site);
    }
    outcome.unknown.extend(scan.unknown.into_iter().map(|one| (file.to_owned(), Unknown { line, ..one })));
    Ok(())
}

/// Fails if required variables have no value.
///
/// # Errors
/// [`ScanError::Lacking`].
pub fn check(component: &Component, outcome: &ScanOutcome) -> Result<(), ScanError> {
    let place = |places: &[ReadSite]| {
        let place = places.iter().max_by_key(|place| place.need);
        place.map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default()
    };
    let variables: Vec<(String, String)> =
        outcome.comparison.lacking().map(|one| (one.name.clone(), place(&one.places))).collect();
    if variables.is_empty() {
        return Ok(());
    }
    Err(ScanError::Lacking { component: component.name().to_owned(), variables })
}

fn rules(assets: &Assets) -> Result<ScanRules, ScanError> {
    let (file, text) = match assets.text(RULES)? {
        Some(asset) => (asset.origin, asset.text),
        None => (RULES.to_owned(), "{}".into()),
    };
    let query = |name: &str| {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let asset = is_plain.then(|| assets.text(&format!("scan/{name}.scm"))).transpose()?.flatten();
        Ok(asset.map(|asset| (asset.origin, asset.text.into_owned())))
    };
    Ok(ScanRules::read(&file, &text, &query)?)
}

fn given(environment: &Environment) -> BTreeMap<String, KnownVariable> {
    let one = |variable: &crate::model::environment::Variable| KnownVariable {
        reason: variable.origin.reason(),
        place: variable.origin.place().map(str::to_owned),
        has_value: variable.value.is_some(),
        is_common: matches!(variable.origin, ValueOrigin::Locked { .. }),
    };
    environment.variables.iter().map(|variable| (variable.name.clone(), one(variable))).collect()
}

/// Scans files again that call functions of other files with the name of a variable as argument.
fn rescan_callers(
    repositories: &[SourceRepository],
    readings: &mut [FileReading],
    rules: &ScanRules,
) -> Result<(), ScanError> {
    let mut by_language: BTreeMap<usize, BTreeMap<String, Getter>> = BTreeMap::new();
    for reading in readings.iter() {
        let ReadOutcome::Read { language, scan } = &reading.fate else { continue };
        for (name, getter) in &scan.wrappers {
            let module = module(&reading.wanted.path);
            by_language.entry(*language).or_default().insert(format!("{module}.{name}"), getter.clone());
        }
    }
    for (language, getters) in by_language {
        let names: BTreeSet<&str> = getters.keys().filter_map(|name| name.rsplit('.').next()).collect();
        let is_one = |name: &str| names.contains(name);
        let concerned = |reading: &FileReading| match &reading.fate {
            ReadOutcome::Read { language: own, scan } if *own == language => {
                let imported = scan.imports.iter().filter_map(|import| import.path.rsplit('.').next());
                scan.calls.iter().map(String::as_str).chain(imported).any(is_one)
            }
            _ => false,
        };
        let places: Vec<usize> = (0..readings.len()).filter(|place| concerned(&readings[*place])).collect();
        let wanted: Vec<WantedFile> = places.iter().map(|place| readings[*place].wanted.clone()).collect();
        for (place, reading) in places.into_iter().zip(read::all(repositories, &wanted, rules, &getters)?) {
            readings[place] = reading;
        }
    }
    Ok(())
}

/// Returns the name of a file in imports.
fn module(path: &Path) -> String {
    let name =
        |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match (name(path), path.parent()) {
        (stem, Some(directory)) if matches!(&*stem, "__init__" | "index" | "mod") => name(directory),
        (stem, _) => stem,
    }
}

/// Removes variables that a shell script gets from another script that it sources: they are not
/// environment variables.
fn leave_out_sourced(readings: &mut [FileReading], rules: &ScanRules) {
    let is_shell = |language: usize| rules.languages[language].grammar == Grammar::Bash;
    let mut sets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reading in readings.iter() {
        if let (ReadOutcome::Read { language, scan }, Some(name)) =
            (&reading.fate, reading.wanted.path.file_name())
            && is_shell(*language)
        {
            let name = name.to_string_lossy().into_owned();
            sets.entry(name).or_default().extend(scan.assigned.iter().cloned());
        }
    }
    for reading in readings {
        let ReadOutcome::Read { language, scan } = &mut reading.fate else { continue };
        if !is_shell(*language) {
            continue;
        }
        for import in &scan.imports {
            let name = import.path.rsplit('/').next().unwrap_or_default().trim_matches(['"', '\'']);
            if let Some(set) = sets.get(name) {
                scan.finds.retain(|find| !set.contains(&find.name));
            }
        }
    }
}

fn take(
    file: &str,
    language: &Language,
    scan: FileScan,
    (is_test, is_shared): (bool, bool),
    known: &mut CompareInput,
    outcome: &mut ScanOutcome,
) {
    *outcome.languages.entry(language.name.clone()).or_default() += 1;
    for find in &scan.finds {
        let place = ReadSite::new(file, find, is_test, is_shared);
        known.reads.entry(find.name.clone()).or_default().push(place);
    }
    if !is_test {
        for (name, line) in scan.sets {
            known.set.entry(name).or_insert_with(|| format!("{file}:{line}"));
        }
    }
    outcome.unknown.extend(scan.unknown.into_iter().map(|mut one| {
        one.test |= is_test;
        (file.to_owned(), one)
    }));
    if !scan.errors.is_empty() {
        outcome.errors.push((file.to_owned(), scan.errors));
    }
    if scan.cut_short {
        outcome.not_read.push((file.to_owned(), "takes too long to understand to its end".to_owned()));
    }
}
