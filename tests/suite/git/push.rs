//! Pushes over HTTP, to a directory, and over ssh: small ones in one piece, large ones in many.

use super::*;

use cki::systems::git::GitUrl;

impl Bench {
    async fn push(&self, git: &Git, url: &str, refspec: &str) -> Result<(), GitError> {
        let (git, directory, refspec) = (git.to_owned(), self.target(), refspec.to_owned());
        let url = GitUrl::parse(url).expect("an address");
        let pushing = tokio::task::spawn_blocking(move || {
            let (events, stop) = (Events::silent(), Shutdown::new());
            let task = events.start("x", "pushing");
            git.push(&directory, &url, &refspec, GitContext { task: &task, events: &events, stop: &stop })
        });
        pushing.await.expect("ends")
    }

    fn commit_in_clone(&self, file: &TreeFile) -> String {
        std::fs::write(self.target().join(&file.path), &file.content).expect("writes");
        self.ask(&["add", "."]);
        self.ask(&["commit", "-qm", "mine"]);
        self.ask(&["rev-parse", "HEAD"])
    }

    fn served_head(&self, reference: &str) -> String {
        ask(&self.served(), self.directory.path(), &["rev-parse", reference])
    }
}

#[tokio::test]
async fn push_sends_small_and_large_packs() {
    let bench = Bench::new().await;
    let git = bench.git_with(bench.logins(TOKEN));
    let url = bench.server.url("private/x.git");
    bench.clone_with(&git, bench.wanted(&url), None).await;
    let small = bench.commit_in_clone(&file("mine", "1\n"));
    bench.push(&git, &url, "refs/heads/main:refs/heads/main").await.expect("pushes");
    assert_eq!(bench.served_head("main"), small);
    bench.server.seen();
    let large = bench.commit_in_clone(&noise("big", 2 << 20));
    bench.push(&git, &url, "refs/heads/main:refs/heads/topic").await.expect("pushes");
    assert_eq!(bench.served_head("topic"), large);
    let pushed = bench.server.seen();
    let last = pushed.last().expect("something came");
    assert!(last.line.starts_with("POST") && last.login && !last.length, "{pushed:?}");
    ask(&bench.served(), bench.directory.path(), &["fsck", "--strict"]);
}

#[tokio::test]
async fn push_updates_a_directory() {
    let bench = Bench::new().await;
    let url = bench.served().display().to_string();
    bench.clone(&url).await;
    let mine = bench.commit_in_clone(&file("mine", "1\n"));
    bench.push(&bench.git(), &url, "refs/heads/main:refs/merge-requests/5/head").await.expect("pushes");
    assert_eq!(bench.served_head("refs/merge-requests/5/head"), mine);
}

#[tokio::test]
async fn push_reports_rejections() {
    let mut bench = Bench::new().await;
    let git = bench.git_with(bench.logins(TOKEN));
    let url = bench.server.url("private/x.git");
    bench.clone_with(&git, bench.wanted(&url), None).await;
    bench.commit_in_clone(&file("mine", "1\n"));
    let theirs = bench.commit(bench.first, "refs/heads/main", &[file("a", "2\n")]);
    let lost = bench.push(&git, &url, "refs/heads/main:refs/heads/main").await;
    assert!(matches!(lost, Err(GitError::Rejected { .. })), "{lost:?}");
    let hook = bench.served().join("hooks/update");
    std::fs::create_dir_all(hook.parent().expect("has one")).expect("makes");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("writes");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("sets");
    for size in [10, 2 << 20] {
        bench.commit_in_clone(&noise("big", size));
        let refused = bench.push(&git, &url, "refs/heads/main:refs/heads/topic").await;
        assert!(
            matches!(&refused, Err(GitError::Rejected { reference, why, .. })
            if reference == "refs/heads/topic" && why.contains("hook declined")),
            "{refused:?}"
        );
    }
    assert_eq!(bench.served_head("main"), theirs.to_string());
    let refused = bench.push(&bench.git(), &url, "refs/heads/main:refs/heads/topic").await;
    assert!(matches!(refused, Err(GitError::Unauthorised { user: None, .. })), "{refused:?}");
    let refused = bench.push(&git, &bench.server.url("x.git"), "refs/heads/main:refs/heads/topic").await;
    assert!(matches!(refused, Err(GitError::Forbidden { .. })), "{refused:?}");
    let refused = bench.push(&git, &url, "--mirror").await;
    assert!(matches!(refused, Err(GitError::RefName { .. })), "{refused:?}");
}
