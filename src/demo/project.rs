//! Writes the demo's project into a directory: settings, inventory, and a bare repository with a merge
//! request. All of it comes from `templates/demo`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::assets;
use crate::base::files;
use crate::systems::git::{Author, CommitId, History, Mode, TreeFile};

/// The merge request of the demo.
pub const MERGE_REQUEST: u64 = 213;
/// Path of its project on the stand-in.
pub const PROJECT: &str = "cki-project/cki-tools";
/// Directory of its clones, as its settings say.
pub(super) const WORKSPACE: &str = "clones";
/// Time of the first commit in seconds since 1970: fixed, so that commits are the same in every demo.
const FIRST: i64 = 1_700_000_000;

/// The values that differ between demos.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The directory.
    pub directory: PathBuf,
    /// The name of the container engine. A project's file cannot choose the native one: only the user does.
    pub engine: Option<String>,
    /// The stand-in's address.
    pub gitlab: String,
    /// Path of the program that acts as components, where they run.
    pub program: String,
    /// Directory with the scripts of backing services, where they run.
    pub plays: String,
    /// The base image.
    pub base: String,
}

/// Creates the bare repository, and returns the head of the merge request.
///
/// # Errors
/// Fails when the repository cannot be written.
pub fn repository(directory: &Path, demo: &str) -> anyhow::Result<CommitId> {
    let author = Author { name: "Demo Contributor".into(), email: "contributor@example.invalid".into() };
    let main = tree(&["demo/repository/main"]);
    let changed = tree(&["demo/repository/main", "demo/repository/mr-213"]);
    let git = directory.join("git/cki-tools.git");
    files::make_directory(git.parent().unwrap_or(directory))?;
    let mut history = History::begin(&git, "main", author, FIRST)?;
    // Images are named by their commit, and two demos may run at once.
    let message = format!("Add pipeline_herder and orphan_hunter\n\nDemo: {demo}\n");
    let first = history.commit(None, &message, &main)?;
    history.update_ref("refs/heads/main", first)?;
    let head = history.commit(Some(first), "pipeline_herder: retry on infra errors", &changed)?;
    history.update_ref(&format!("refs/merge-requests/{MERGE_REQUEST}/head"), head)?;
    Ok(head)
}

/// Returns the files of some directories of the templates; files of a later directory replace earlier
/// ones.
fn tree(directories: &[&str]) -> Vec<TreeFile> {
    let mut found = BTreeMap::new();
    for directory in directories {
        found.extend(assets::embedded_tree(directory));
    }
    found
        .into_iter()
        .map(|(path, content)| TreeFile {
            path: path.display().to_string(),
            content: content.to_vec(),
            mode: Mode::Plain,
        })
        .collect()
}

/// Writes settings, inventory and templates.
///
/// # Errors
/// Fails when they cannot be written.
pub fn write(layout: &Layout) -> anyhow::Result<()> {
    let directory = layout.directory.display().to_string();
    let engine = layout.engine.as_ref().map(|name| format!("engine = \"{name}\"\n")).unwrap_or_default();
    for (path, content) in assets::embedded_tree("demo/project") {
        let text = String::from_utf8_lossy(content)
            .replace("@DIRECTORY@", &directory)
            .replace("engine = \"@ENGINE@\"\n", &engine)
            .replace("@GITLAB@", &layout.gitlab)
            .replace("@PROGRAM@", &layout.program)
            .replace("@PLAYS@", &layout.plays)
            .replace("@BASE@", &layout.base);
        files::write_atomic(&layout.directory.join(path), text.as_bytes(), 0o644)?;
    }
    for (path, content) in assets::embedded_tree("demo/base") {
        files::write_atomic(&layout.directory.join("plays").join(path), content, 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_project_loads_as_inventory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let layout = Layout {
            directory: directory.path().to_path_buf(),
            engine: Some("docker".into()),
            gitlab: "http://127.0.0.1:1".into(),
            program: "/usr/bin/cki".into(),
            plays: "/demo".into(),
            base: "localhost/base:1".into(),
        };
        write(&layout).expect("writes");
        let inventory = crate::ops::shared::inventory::load(
            &crate::model::inventory::InventorySources::of_path(&directory.path().join("inventory")),
        )
        .expect("loads");
        assert_eq!(inventory.findings(9), []);
        assert!(inventory.find("pipeline-herder").expect("is there").is_runnable());
        let env = crate::host::Env::new([("HOME", "/home/you")]);
        let config = crate::config::Config::load(&env, directory.path(), []).expect("loads");
        assert_eq!(config.warnings, Vec::<String>::new());
        let settings = crate::config::Settings::resolve(&config, &env).expect("are valid");
        assert_eq!(settings.workspace, directory.path().join(WORKSPACE));
        let made = |demo: &str| {
            let directory = tempfile::tempdir().expect("a temporary directory");
            repository(directory.path(), demo).expect("makes")
        };
        assert_eq!(made("one"), made("one"));
        assert_ne!(made("one"), made("two"), "two demos share no image");
    }
}
