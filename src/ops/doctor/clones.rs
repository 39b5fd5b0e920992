//! Check of the clones in the workspace: each is of the repository that the inventory means.

use std::collections::BTreeSet;

use super::files::some;
use super::{CheckResult, DoctorContext, blocking};
use crate::base::text::{self, plural};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::GitError;

/// Facts about the clones of an inventory's repositories.
#[derive(Default)]
struct Clones {
    count: usize,
    /// Description of each wrong clone, with the commands to type.
    wrong: Vec<String>,
    /// Command for the first wrong clone.
    fix: Option<String>,
}

/// Checks the address of each clone.
pub(super) async fn clones(patient: &DoctorContext) -> CheckResult {
    let Ok(inventory) = patient.inventory().await else {
        return CheckResult::not_needed("without an inventory, no clone is known");
    };
    let repos: BTreeSet<String> =
        inventory.components.iter().flat_map(|one| one.repos()).map(str::to_owned).collect();
    let workspace = Workspace::new(patient.settings.workspace.clone(), patient.env.clone());
    let inventory = inventory.clone();
    let found = blocking(move || {
        let mut clones = Clones::default();
        for repo in &repos {
            match workspace.location(&inventory, repo).found() {
                Ok(None) => {}
                Ok(Some(_)) => clones.count += 1,
                Err(error) => clones.add(repo, &error),
            }
        }
        clones
    })
    .await;
    let wrong = found.wrong.len();
    if wrong == 0 {
        return CheckResult::good(match found.count {
            0 => "none in the workspace".to_owned(),
            count => format!("{}, each of its repository", plural(count, "clone")),
        });
    }
    let is_or_are = if wrong == 1 { "is" } else { "are" };
    let what = format!("{} {is_or_are} not usable for the inventory", plural(wrong, "clone"));
    let result = CheckResult::failed(what).details(some(wrong, found.wrong));
    match found.fix {
        Some(fix) => result.fix(fix),
        None => result,
    }
}

impl Clones {
    fn add(&mut self, repo: &str, error: &GitError) {
        let mut detail = format!("{repo}: {error}");
        if let GitError::OtherRepository { path, wanted, unused, .. } = error {
            let path = path.display().to_string();
            let add = ["git", "-C", &path, "remote", "add", unused, wanted].map(str::to_owned);
            let away = ["mv", &path, &format!("{path}.other")].map(str::to_owned);
            let (add, away) = (text::command_line(&add), text::command_line(&away));
            detail.push_str(&format!("; if it is a fork or has moved: `{add}`, otherwise: `{away}`"));
            self.fix.get_or_insert(away);
        }
        self.wrong.push(detail);
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::super::tests::patient;
    use super::*;

    #[tokio::test]
    async fn a_clone_of_another_repository_is_named_with_the_command() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().display().to_string();
        let clone = directory.path().join("tools");
        let repository = git2::Repository::init(&clone).expect("makes a repository");
        repository.remote("origin", "https://git.example.org/other/tools.git").expect("adds a remote");
        let inventory = directory.path().join("one.yaml");
        let text = "repos: {tools: 'https://git.example.org/team/tools.git'}\n\
                    components: [{name: a, category: x, sources: [{repo: tools}]}]\n";
        std::fs::write(&inventory, text).expect("writes");
        let inventory = inventory.display().to_string();
        let of = |workspace: &str| patient(&[("CKI_INVENTORY", &inventory), ("CKI_WORKSPACE", workspace)]);
        let found = clones(&of(&root)).await;
        assert_eq!(
            (found.state, found.why.as_str()),
            (CheckState::Failed, "1 clone is not usable for the inventory")
        );
        assert!(found.details[0].contains("other/tools"), "{:?}", found.details);
        assert!(
            found.details[0].contains("remote add upstream https://git.example.org/team/tools.git"),
            "{:?}",
            found.details
        );
        assert_eq!(found.fix, Some(format!("mv {root}/tools {root}/tools.other")));
        repository.remote_set_url("origin", "https://git.example.org/team/tools.git").expect("changes it");
        assert_eq!(clones(&of(&root)).await.why, "1 clone, each of its repository");
        assert_eq!(clones(&of(&format!("{root}/none"))).await.why, "none in the workspace");
    }
}
