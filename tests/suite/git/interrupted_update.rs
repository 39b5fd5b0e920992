//! Updates that are killed while files move: the next one finishes them, and touches nothing of a
//! person's.

use super::*;

use std::process::Stdio;

use super::cancel::VARIABLE;
use crate::support::part;

/// So many files come with the update.
const MANY: usize = 400;

/// A clone, and a commit on the server that changes, removes and adds files.
async fn clone_behind_many_files() -> (Bench, CommitId, String) {
    let mut bench = Bench::new().await;
    let before = bench.commit(
        bench.first,
        "refs/heads/main",
        &[file("a", "1\n"), file("b", "1\n"), file("gone", "1\n"), file("dir", "a file\n")],
    );
    let url = bench.server.url("x.git");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Cloned);
    let mut files = vec![file("a", "2\n"), file("b", "1\n"), file("dir/x", "in a directory now\n")];
    files.extend((0..MANY).map(|number| file(&format!("many/{number}"), &format!("{number}\n").repeat(200))));
    let after = bench.commit(before, "refs/heads/main", &files);
    (bench, after, url)
}

impl Bench {
    fn updated_files(&self) -> usize {
        std::fs::read_dir(self.target().join("many")).map_or(0, Iterator::count)
    }

    /// The clone is exactly at a commit, and nothing of the killed update is left.
    fn assert_at(&self, commit: CommitId) {
        assert_eq!(self.ask(&["rev-parse", "HEAD", "origin/main"]), format!("{commit}\n{commit}"));
        assert_eq!(self.ask(&["status", "--porcelain", "--ignored"]), "");
        let left: Vec<String> = names(&self.target().join(".git"));
        assert!(left.iter().all(|name| !name.contains("cki") && !name.ends_with(".lock")), "{left:?}");
        let packs = names(&self.target().join(".git/objects/pack"));
        assert!(packs.iter().all(|name| name.starts_with("pack-")), "{packs:?}");
        self.assert_whole();
    }
}

#[tokio::test]
async fn update_finishes_a_killed_update() {
    for files in [1, 150, MANY - 1] {
        let (bench, after, url) = clone_behind_many_files().await;
        let mut command = part::command("clone until killed");
        command.env(VARIABLE, format!("{url} {}", bench.target().display()));
        let mut command = tokio::process::Command::from(command);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("runs itself");
        while bench.updated_files() < files && child.try_wait().expect("waits").is_none() {
            tokio::task::yield_now().await;
        }
        // It may have come to its end before: then there is nothing to finish.
        let _ = child.kill().await;
        let half = bench.inspect().half_updated;
        assert_eq!(half, bench.ask(&["rev-parse", "HEAD"]) != after.to_string(), "{files}");
        let next = bench.clone(&url).await;
        assert!(!next.detail().contains("left alone"), "{files}: {}", next.detail());
        bench.assert_at(after);
    }
}

#[tokio::test]
async fn update_removes_leftovers_of_a_killed_transfer() {
    let mut bench = Bench::new().await;
    let (slow, url) = (bench.server.url("stall/x.git"), bench.server.url("x.git"));
    bench.clone(&url).await;
    bench.ask(&["remote", "set-url", "origin", &slow]);
    let second = bench.grow();
    let mut command = part::command("clone until killed");
    command.env(VARIABLE, format!("{slow} {}", bench.target().display()));
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("runs itself");
    bench.server.stalled().await;
    child.kill().await.expect("kills");
    let left = cki::systems::git::stale_clones(&bench.work());
    assert!(left.len() == 1 && left[0].starts_with(bench.target().join(".git")), "{left:?}");
    // What an earlier version left among the packs.
    let pack = bench.target().join(".git/objects/pack/pack_git2_0123456789abcdef");
    std::fs::write(&pack, "PACK").expect("writes");
    assert_eq!(cki::systems::git::stale_clones(&bench.work()).len(), 2);
    bench.ask(&["remote", "set-url", "origin", &url]);
    let updated = bench.clone(&url).await;
    assert_eq!(done(&updated), &CloneResult::Updated { from: Some(bench.first), to: second });
    assert!(!pack.exists());
    bench.assert_at(second);
}

/// Leaves a clone as a process does that is killed at some moment of an update.
fn simulate_killed_update(bench: &Bench, after: CommitId, lock: bool) {
    // From the directory itself: the server answers on this very thread.
    let served = bench.served().display().to_string();
    bench.ask(&["fetch", "-q", &served, "+refs/heads/*:refs/remotes/origin/*"]);
    let repository = bench.target().join(".git");
    let mark = format!("{} {after}\n", bench.ask(&["rev-parse", "HEAD"]));
    std::fs::write(repository.join("cki-moving"), mark).expect("writes");
    if lock {
        std::fs::write(repository.join("index.lock"), "").expect("writes");
        std::fs::write(repository.join("refs/heads/main.lock"), "").expect("writes");
    }
}

#[tokio::test]
async fn update_removes_the_mark_of_a_process_killed_at_its_end() {
    let (bench, after, url) = clone_behind_many_files().await;
    simulate_killed_update(&bench, after, false);
    assert!(bench.inspect().half_updated);
    bench.ask(&["reset", "-q", "--hard", &after.to_string()]);
    assert!(!bench.inspect().half_updated, "all files were moved");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Unchanged);
    bench.assert_at(after);
}

#[tokio::test]
async fn update_replaces_partial_files_and_stale_locks() {
    let (bench, after, url) = clone_behind_many_files().await;
    simulate_killed_update(&bench, after, true);
    let root = bench.target();
    std::fs::remove_file(root.join("gone")).expect("removes");
    std::fs::write(root.join("a"), "").expect("writes");
    std::fs::create_dir(root.join("many")).expect("makes");
    std::fs::write(root.join("many/7"), "7\n7\n7").expect("writes");
    std::fs::write(root.join("many/8"), "8\n".repeat(200)).expect("writes");
    let updated = bench.clone(&url).await;
    assert!(matches!(done(&updated), CloneResult::Updated { .. }), "{updated:?}");
    bench.assert_at(after);
}

#[tokio::test]
async fn update_keeps_changes_made_after_a_kill() {
    let (bench, after, url) = clone_behind_many_files().await;
    simulate_killed_update(&bench, after, false);
    let root = bench.target();
    std::fs::create_dir(root.join("many")).expect("makes");
    std::fs::write(root.join("many/7"), "mine").expect("writes");
    std::fs::write(root.join("b"), "mine").expect("writes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Dirty { behind: 1 });
    assert_eq!(std::fs::read_to_string(root.join("b")).expect("reads"), "mine");
    bench.ask(&["checkout", "-q", "b"]);
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::InTheWay { paths: vec!["many/7".into()] });
    assert_eq!(std::fs::read_to_string(root.join("many/7")).expect("reads"), "mine");
    std::fs::remove_file(root.join("many/7")).expect("removes");
    assert!(matches!(done(&bench.clone(&url).await), CloneResult::Updated { .. }));
    bench.assert_at(after);
}

#[tokio::test]
async fn update_accepts_files_equal_to_incoming_ones() {
    let (bench, after, url) = clone_behind_many_files().await;
    let root = bench.target();
    // Added, changed, staged, removed, and a directory where a file was: all as the server has it.
    std::fs::create_dir(root.join("many")).expect("makes");
    std::fs::write(root.join("many/7"), "7\n".repeat(200)).expect("writes");
    std::fs::write(root.join("a"), "2\n").expect("writes");
    bench.ask(&["rm", "-q", "gone", "dir"]);
    std::fs::create_dir(root.join("dir")).expect("makes");
    std::fs::write(root.join("dir/x"), "in a directory now\n").expect("writes");
    bench.ask(&["add", "dir/x"]);
    assert!(matches!(done(&bench.clone(&url).await), CloneResult::Updated { .. }));
    bench.assert_at(after);
}
