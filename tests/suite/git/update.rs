//! Tests of updating a clone: it fetches and fast-forwards, and leaves a clone with local work unchanged.

use super::*;

/// A clone, and a second commit on the server that changes `a` and adds `new`.
async fn clone_one_commit_behind() -> (Bench, CommitId, String) {
    let mut bench = Bench::new().await;
    let url = bench.server.url("x.git");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Cloned);
    let second = bench.commit(
        bench.first,
        "refs/heads/main",
        &[file("a", "2\n"), file("b", "1\n"), file("new", "n\n")],
    );
    (bench, second, url)
}

fn read(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.target().join(name)).expect("reads")
}

fn write(bench: &Bench, name: &str, text: &str) {
    std::fs::write(bench.target().join(name), text).expect("writes");
}

#[tokio::test]
async fn update_fast_forwards_a_clean_clone() {
    let (bench, second, url) = clone_one_commit_behind().await;
    write(&bench, "mine", "untracked\n");
    let updated = bench.clone(&url).await;
    assert_eq!(done(&updated), &CloneResult::Updated { from: Some(bench.first), to: second });
    assert_eq!(updated.detail(), format!("updated, {} → {}", bench.first.short(), second.short()));
    assert_eq!(
        (read(&bench, "a"), read(&bench, "new"), read(&bench, "mine")),
        ("2\n".into(), "n\n".into(), "untracked\n".into())
    );
    assert_eq!(bench.ask(&["status", "--porcelain"]), "?? mine");
    assert_eq!(bench.ask(&["rev-parse", "main", "origin/main"]), format!("{second}\n{second}"));
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Unchanged);
    let checkout = bench.inspect();
    assert_eq!((checkout.dirty, checkout.untracked), (false, true));
    bench.assert_whole();
}

#[tokio::test]
async fn update_keeps_staged_and_unstaged_changes() {
    let (bench, _, url) = clone_one_commit_behind().await;
    write(&bench, "b", "changed\n");
    let before = bench.ask(&["status", "--porcelain"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Dirty { behind: 1 });
    assert_eq!((read(&bench, "a"), read(&bench, "b")), ("1\n".into(), "changed\n".into()));
    assert!(bench.inspect().dirty);
    bench.ask(&["add", "b"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Dirty { behind: 1 });
    bench.ask(&["reset", "-q"]);
    assert_eq!(bench.ask(&["status", "--porcelain"]), before);
    bench.ask(&["checkout", "-q", "b"]);
    std::fs::remove_file(bench.target().join("b")).expect("removes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Dirty { behind: 1 });
    assert_eq!(bench.ask(&["rev-parse", "HEAD"]), bench.first.to_string());
    bench.assert_whole();
}

#[tokio::test]
async fn update_keeps_local_commits() {
    let (bench, second, url) = clone_one_commit_behind().await;
    write(&bench, "b", "mine\n");
    bench.ask(&["commit", "-qam", "mine"]);
    let mine = bench.ask(&["rev-parse", "HEAD"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Diverged { ahead: 1, behind: 1 });
    assert_eq!((bench.ask(&["rev-parse", "HEAD"]), read(&bench, "a")), (mine, "1\n".into()));
    assert_eq!(bench.inspect().ahead_behind, Some((1, 1)));
    bench.ask(&["rebase", "-q", "origin/main"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Ahead { ahead: 1 });
    assert_eq!(bench.ask(&["rev-parse", "HEAD~1"]), second.to_string());
    bench.assert_whole();
}

#[tokio::test]
async fn update_never_overwrites_untracked_files() {
    let (bench, second, url) = clone_one_commit_behind().await;
    write(&bench, "new", "mine\n");
    let outcome = bench.clone(&url).await;
    assert_eq!(done(&outcome), &CloneResult::InTheWay { paths: vec!["new".into()] });
    assert_eq!((read(&bench, "new"), read(&bench, "a")), ("mine\n".into(), "1\n".into()));
    // Nor what is ignored.
    std::fs::write(bench.target().join(".git/info/exclude"), "new\n").expect("writes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::InTheWay { paths: vec!["new".into()] });
    assert_eq!(bench.ask(&["status", "--porcelain"]), "");
    assert_eq!(bench.ask(&["rev-parse", "HEAD"]), bench.first.to_string());
    std::fs::remove_file(bench.target().join("new")).expect("removes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Updated { from: Some(bench.first), to: second });
}

#[tokio::test]
async fn update_skips_a_clone_without_an_upstream_branch() {
    let (mut bench, second, url) = clone_one_commit_behind().await;
    bench.ask(&["checkout", "-q", "-b", "topic", "--no-track"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::NoUpstream { branch: "topic".into() });
    bench.ask(&["branch", "-q", "--set-upstream-to=main", "topic"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::NoUpstream { branch: "topic".into() });
    bench.ask(&["checkout", "-q", "--detach"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Detached);
    bench.ask(&["checkout", "-q", "main"]);
    std::fs::write(bench.target().join(".git/MERGE_HEAD"), format!("{}\n", bench.first)).expect("writes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Busy { doing: "a merge" });
    std::fs::remove_file(bench.target().join(".git/MERGE_HEAD")).expect("removes");
    assert_eq!(bench.ask(&["rev-parse", "HEAD"]), bench.first.to_string());
    // The branch that is followed is gone.
    bench.commit(second, "refs/heads/next", &[file("a", "3\n")]);
    std::fs::remove_file(bench.served().join("refs/heads/main")).expect("removes");
    let found = bench.clone(&url).await;
    let is_told = |error: &GitError| matches!(error, GitError::BranchGone { branch, .. } if branch == "main");
    assert!(matches!(&found.state, CloneState::Failed(error) if is_told(error)), "{found:?}");
    assert_eq!(bench.ask(&["rev-parse", "origin/next"]).len(), 40);
}

#[tokio::test]
async fn update_ignores_refspecs_that_move_local_branches() {
    let (bench, second, url) = clone_one_commit_behind().await;
    bench.ask(&["config", "--add", "remote.origin.fetch", "+refs/heads/*:refs/heads/*"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Updated { from: Some(bench.first), to: second });
    assert_eq!(bench.ask(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn update_applies_instead_of_rules() {
    let (bench, second, url) = clone_one_commit_behind().await;
    let key = format!("url.{}/.insteadOf", bench.directory.path().join("served").display());
    bench.ask(&["config", "--global", &key, &bench.server.url("")]);
    bench.server.seen();
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Updated { from: Some(bench.first), to: second });
    assert_eq!(bench.server.seen(), []);
}

#[tokio::test]
async fn update_fetches_from_the_remote_of_the_branch() {
    let (bench, _, url) = clone_one_commit_behind().await;
    let ssh = url.replace("http://", "ssh://git@");
    bench.ask(&["remote", "set-url", "origin", "/nowhere"]);
    bench.ask(&["remote", "add", "mine", &ssh]);
    // It goes to the remote that the branch follows, and that one is not there.
    assert!(matches!(out_of_reach(&bench.clone(&url).await), GitError::NotFound { .. }));
}
