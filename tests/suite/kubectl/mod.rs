//! Compares `cki` with `kubectl kustomize`: a kustomization gives a container the same values, or a finding with
//! its place. `cases` generates the kustomizations, and `resolve` reads the output of `kubectl`.

mod boundary;
mod cases;
mod printed;
mod resolve;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cki::model::deployment::expansion::Segment;
use cki::model::deployment::{
    DeployedContainer, DeploymentFileSet, DeploymentItem, EnvVarSource, FileKind, FileTrouble, read,
};
use proptest::test_runner::{Config, TestCaseError};

use crate::support;

/// So many kustomizations are compared; `CKI_TEST_CASES` says another number.
const CASES: u32 = 250;

/// Stands for a value that `cki` reports as unknown.
const UNKNOWN: &str = "<unknown>";

/// Files in memory, by path.
struct Memory<'a>(&'a BTreeMap<String, String>);

impl DeploymentFileSet for Memory<'_> {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let below = format!("{path}/");
        let is_directory = path.is_empty() || self.0.keys().any(|key| key.starts_with(&below));
        Ok(match self.0.contains_key(path) {
            true => Some(FileKind::File),
            false => is_directory.then_some(FileKind::Directory),
        })
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let missing = || FileTrouble { path: path.to_owned(), why: "it is not there".to_owned() };
        self.0.get(path).cloned().ok_or_else(missing)
    }

    fn names(&self, _: &str) -> Result<Vec<String>, FileTrouble> {
        Ok(Vec::new())
    }

    fn label(&self, path: &str) -> String {
        path.to_owned()
    }

    fn working_directory(&self, directory: &str) -> String {
        format!("/{directory}")
    }
}

/// Returns the variables that `cki` reads, and its findings.
fn given(files: &BTreeMap<String, String>) -> (Result<BTreeMap<String, String>, String>, Vec<String>) {
    let item = DeploymentItem { files: &Memory(files), path: "over", container: None, place: "i.yaml:1" };
    match read("web", &[item]) {
        Ok(deployment) => {
            let findings = deployment.findings.iter().map(ToString::to_string).collect();
            (Ok(variables(&deployment.container)), findings)
        }
        Err(error) => (Err(error.to_string()), Vec::new()),
    }
}

fn variables(container: &DeployedContainer) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for given in &container.variables {
        let value = match &given.value {
            EnvVarSource::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Segment::Text(text) => text.clone(),
                    Segment::Variable(name) => all.get(name).cloned().unwrap_or_default(),
                })
                .collect(),
            EnvVarSource::Secret { key, .. } => resolve::secret(key),
            EnvVarSource::Field(field) => resolve::field(field),
            EnvVarSource::Unknown(_) | EnvVarSource::Required(_) => UNKNOWN.to_owned(),
        };
        all.insert(given.name.clone(), value);
    }
    all
}

/// Returns the output of `kubectl kustomize` for the same files.
fn kubectl_kustomize(
    kubectl: &str,
    directory: &Path,
    files: &BTreeMap<String, String>,
) -> Result<String, String> {
    for (path, text) in files {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("makes");
        std::fs::write(path, text).expect("writes");
    }
    let output =
        Command::new(kubectl).arg("kustomize").arg(directory.join("over")).output().expect("kubectl starts");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("is UTF-8")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
#[ignore = "needs CKI_TEST_KUBECTL (bash tests/run)"]
fn kustomizations_match_kubectl_or_report_a_finding() {
    let kubectl = support::kubectl();
    let config =
        Config { cases: support::cases().unwrap_or(CASES), failure_persistence: None, ..Config::default() };
    let equal = std::cell::Cell::new(0_u32);
    let all = std::cell::Cell::new(0_u32);
    let done = support::runner(config).run(&cases::kustomization(), |files| {
        all.set(all.get() + 1);
        let (given, findings) = given(&files);
        if given.as_ref().is_ok_and(|all| all.values().any(|value| value == UNKNOWN)) {
            // The variable is said to have no value that is known.
            return Ok(());
        }
        let wanted = || {
            let directory = tempfile::tempdir().expect("a temporary directory");
            kubectl_kustomize(&kubectl, directory.path(), &files).and_then(|text| resolve::variables(&text))
        };
        if !findings.is_empty() || given.is_err() {
            // Whatever is missing has been said, with its place.
            if let Some(one) = findings.iter().find(|finding| !finding.contains(':')) {
                return Err(TestCaseError::fail(format!("has no place: {one}")));
            }
            // That Kubernetes refuses a value is so.
            let is_refusal = |finding: &&String| {
                ["refuses without quotes", "kustomize refuses"].iter().any(|part| finding.contains(part))
            };
            let refused = findings.iter().find(is_refusal);
            return match refused {
                Some(refused) if wanted().is_ok() => {
                    Err(TestCaseError::fail(format!("is not refused: {refused}")))
                }
                _ => Ok(()),
            };
        }
        let wanted = wanted();
        match wanted {
            Ok(wanted) if Ok(&wanted) == given.as_ref() => {
                equal.set(equal.get() + 1);
                Ok(())
            }
            wanted => Err(TestCaseError::fail(format!("cki: {given:?}\nkubectl: {wanted:?}"))),
        }
    });
    if let Err(error) = done {
        panic!("{error}");
    }
    // A test that never compares anything proves nothing.
    assert!(equal.get() * 3 > all.get(), "only {} of {} were compared", equal.get(), all.get());
}
