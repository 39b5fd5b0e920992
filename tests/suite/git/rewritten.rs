//! Tests of updating a clone after its branch was rewritten on the server.

use super::*;

/// The tip of a branch, in a clone; and what the server has in its place afterwards.
async fn clone_and_new_tip(over_ssh: bool) -> (Bench, Git, String, CommitId, CommitId) {
    let mut bench = Bench::new().await;
    let (git, url) = if over_ssh {
        (bench.git_over_ssh(), bench.ssh_url())
    } else {
        (bench.git(), bench.server.url("x.git"))
    };
    let old = bench.commit(bench.first, "refs/heads/main", &[file("a", "old\n"), file("b", "1\n")]);
    bench.clone_with(&git, bench.wanted(&url), None).await;
    let new = bench.commit(bench.first, "refs/heads/new", &[file("a", "new\n"), file("b", "1\n")]);
    (bench, git, url, old, new)
}

fn rewrite(bench: &Bench, new: CommitId) {
    bench.history.update_ref("refs/heads/main", new).expect("points");
}

fn head(bench: &Bench) -> String {
    bench.ask(&["rev-parse", "HEAD"])
}

// The server answers while `git fetch` is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn update_follows_a_rewritten_branch_over_both_transports() {
    for (over_ssh, fetched_before) in [(false, false), (true, false), (false, true)] {
        let (bench, git, url, old, new) = clone_and_new_tip(over_ssh).await;
        rewrite(&bench, new);
        if fetched_before {
            bench.ask(&["fetch", "-q"]);
        }
        let found = bench.clone_with(&git, bench.wanted(&url), None).await;
        assert_eq!(
            found.detail(),
            format!("main was rewritten on the server, followed, {} → {}", old.short(), new.short()),
        );
        assert_eq!((head(&bench), bench.ask(&["status", "--porcelain"])), (new.to_string(), String::new()));
        assert_eq!(done(&bench.clone_with(&git, bench.wanted(&url), None).await), &CloneResult::Unchanged);
        bench.assert_whole();
    }
}

#[tokio::test]
async fn update_keeps_local_commits_on_a_rewritten_branch() {
    let (bench, git, url, _, new) = clone_and_new_tip(false).await;
    std::fs::write(bench.target().join("b"), "mine\n").expect("writes");
    bench.ask(&["commit", "-qam", "mine"]);
    let mine = head(&bench);
    rewrite(&bench, new);
    for _ in 0..2 {
        let found = bench.clone_with(&git, bench.wanted(&url), None).await;
        let expected = CloneResult::DivergedRewritten { branch: "main".into(), ahead: 2, behind: 1 };
        assert_eq!(done(&found), &expected);
        assert!(found.detail().contains("`git log --left-right HEAD...@{u}`"), "{}", found.detail());
        assert_eq!(head(&bench), mine);
    }
    assert_eq!(bench.ask(&["log", "--left-right", "--format=%m", "HEAD...@{u}"]).lines().count(), 3);
}

#[tokio::test]
async fn update_keeps_changes_on_a_rewritten_branch() {
    let (bench, git, url, old, new) = clone_and_new_tip(false).await;
    std::fs::write(bench.target().join("b"), "mine\n").expect("writes");
    rewrite(&bench, new);
    let found = bench.clone_with(&git, bench.wanted(&url), None).await;
    assert_eq!(
        found.detail(),
        "left alone: main was rewritten on the server, and there are uncommitted changes"
    );
    assert_eq!(head(&bench), old.to_string());
    bench.ask(&["checkout", "-q", "b"]);
    assert!(!done(&bench.clone_with(&git, bench.wanted(&url), None).await).is_left_alone());
    assert_eq!(head(&bench), new.to_string());
}

#[tokio::test]
async fn update_keeps_pushed_commits_that_the_server_dropped() {
    let (bench, git, url, _, new) = clone_and_new_tip(false).await;
    std::fs::write(bench.target().join("b"), "mine\n").expect("writes");
    bench.ask(&["commit", "-qam", "mine"]);
    let mine = head(&bench);
    let served = bench.served();
    bench.ask(&["config", "remote.origin.pushurl", &served.display().to_string()]);
    bench.ask(&["push", "-q", "origin", "main"]);
    rewrite(&bench, new);
    let found = bench.clone_with(&git, bench.wanted(&url), None).await;
    assert!(matches!(done(&found), CloneResult::DivergedRewritten { .. }), "{}", found.detail());
    assert_eq!(head(&bench), mine);
}
