//! Checks of files: the settings, the inventory, the workspace.

use std::path::Path;

use super::{CheckResult, CheckState, DoctorContext, blocking};
use crate::base::text::{bytes, plural};
use crate::host::directories;

/// Maximum number of items to show of a long list.
const MOST: usize = 20;
/// Free bytes below which the check warns: a clone of a larger repository and the images of a component
/// need more.
const LITTLE_ROOM: u64 = 2_000_000_000;

/// Checks that the files with settings are readable, and have no unknown keys.
pub(super) async fn configuration(patient: &DoctorContext) -> CheckResult {
    let config = match &patient.config {
        Ok(config) => config,
        Err(why) => return CheckResult::failed(why.trim_end_matches('.')),
    };
    let names: Vec<String> = config.files.iter().map(|file| file.display().to_string()).collect();
    let found = if names.is_empty() { "no `cki.toml`".to_owned() } else { names.join(", ") };
    match config.warnings.len() {
        0 => CheckResult::good(found),
        count => CheckResult::warning(format!("{found}: {}", plural(count, "unknown setting")))
            .details(some(count, config.warnings.iter())),
    }
}

/// Checks that the inventory loads, and reports its findings.
pub(super) async fn inventory(patient: &DoctorContext) -> CheckResult {
    let inventory = match patient.inventory().await {
        Ok(inventory) => inventory,
        Err(why) => return CheckResult::failed(why),
    };
    let named = patient.config.as_ref().ok().and_then(|config| config.get("inventory"));
    let by = named.map(|value| format!(" (named by {})", value.origin)).unwrap_or_default();
    let found = format!("{}{by}: {}", inventory.label(), plural(inventory.components.len(), "component"));
    let left_out: Vec<String> =
        inventory.left_out().map(|(layer, why)| format!("`{}` is left out: {why}", layer.label)).collect();
    if !left_out.is_empty() {
        let what = format!("{found}, without {}", plural(left_out.len(), "layer"));
        return CheckResult::warning(what).details(left_out);
    }
    match inventory.finding_count() {
        0 => CheckResult::good(found),
        count => CheckResult::warning(format!("{found}, {}", plural(count, "finding")))
            .details(some(count, inventory.findings(MOST))),
    }
}

/// Checks that the workspace exists or can be created, its free space, and that the state of runs can be
/// stored.
pub(super) async fn workspace(patient: &DoctorContext) -> CheckResult {
    let (directory, state) = (patient.settings.workspace.clone(), patient.env.state_directory());
    blocking(move || {
        let kept = state.as_deref().map(look).filter(|kept| matches!(kept.state, CheckState::Failed));
        match (look(&directory), kept) {
            (found, Some(kept)) if !matches!(found.state, CheckState::Failed) => {
                CheckResult::failed(format!("the state of workspaces cannot be stored: {}", kept.why))
            }
            (found, _) => found,
        }
    })
    .await
}

fn look(directory: &Path) -> CheckResult {
    let name = directory.display();
    let Some(there) = directory.ancestors().find(|path| path.exists()) else {
        return CheckResult::failed(format!("{name} cannot be reached"));
    };
    if !there.is_dir() {
        return CheckResult::failed(format!("{} is not a directory", there.display()));
    }
    let is_there = there == directory;
    if !directories::is_writable(there) {
        return CheckResult::failed(if is_there {
            format!("{name} is there, and you may not write in it")
        } else {
            format!("{name} cannot be made, since you may not write in {}", there.display())
        });
    }
    let found = if is_there { name.to_string() } else { format!("{name}, made when it is needed") };
    match directories::available_space(there) {
        None => CheckResult::good(found),
        Some(room) if room < LITTLE_ROOM => {
            CheckResult::warning(format!("{found}: only {} free", bytes(room)))
        }
        Some(room) => CheckResult::good(format!("{found}: {} free", bytes(room))),
    }
}

/// Returns the first items of a list, and the number of the others.
pub(super) fn some<T: ToString>(count: usize, items: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut shown: Vec<String> = items.into_iter().take(MOST).map(|item| item.to_string()).collect();
    shown.extend((count > MOST).then(|| format!("and {} more", count - MOST)));
    shown
}

#[cfg(test)]
mod tests {
    use super::super::tests::patient;
    use super::*;

    #[tokio::test]
    async fn configuration_check_reports_unknown_settings() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("one.yaml");
        std::fs::write(&file, "descripton: x\ncomponents: [{name: a, category: x}]").expect("writes");
        let name = file.display().to_string();
        let it = patient(&[("CKI_INVENTORY", &name), ("CKI_ENGNE", "native")]);
        let found = configuration(&it).await;
        assert_eq!(
            (found.state, found.why.as_str()),
            (CheckState::Warning, "no `cki.toml`: 1 unknown setting")
        );
        assert!(found.details[0].contains("`CKI_ENGINE`"), "{:?}", found.details);
        let found = inventory(&it).await;
        assert_eq!(found.state, CheckState::Warning);
        assert_eq!(found.why, format!("untitled, {name} (named by CKI_INVENTORY): 1 component, 1 finding"));
        assert!(found.details[0].contains("1:1: the key `descripton` is unknown"), "{:?}", found.details);
        std::fs::write(&file, "components: 7").expect("writes");
        assert_eq!(inventory(&patient(&[("CKI_INVENTORY", &name)])).await.state, CheckState::Failed);
        assert_eq!(inventory(&patient(&[])).await.state, CheckState::Good);
    }

    #[test]
    fn workspace_check_reports_unusable_directories() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("writes");
        assert_ne!(look(directory.path()).state, CheckState::Failed);
        assert!(look(&directory.path().join("a/b")).why.contains("made when it is needed"));
        assert!(look(&file).why.ends_with("is not a directory"));
        let found = look(Path::new("/proc/none/deeper"));
        assert_eq!(found.state, CheckState::Failed);
        assert_eq!(found.why, "/proc/none/deeper cannot be made, since you may not write in /proc");
        assert_eq!(look(Path::new("/proc")).why, "/proc is there, and you may not write in it");
    }

    #[test]
    fn detail_list_is_truncated() {
        assert_eq!(some(2, [1, 2]), ["1", "2"]);
        assert_eq!(some(25, [0; 25]).last().map(String::as_str), Some("and 5 more"));
    }
}
