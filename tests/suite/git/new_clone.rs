//! New clones: whole, shallow, of an empty repository, from every kind of address; several at once.

use super::*;
use crate::support::ports::free_port;

#[tokio::test]
async fn clone_is_complete_and_on_the_default_branch() {
    let mut bench = Bench::new().await;
    let second = bench.grow();
    bench.commit(bench.first, "refs/heads/other", &[file("o", "")]);
    let recorder = Recorder::default();
    let wanted = bench.wanted(&bench.server.url("x.git"));
    let request = CloneRequest { repositories: vec![wanted], depth: None, jobs: 1, is_part: false };
    let outcome = clone(request, &bench.git(), &Events::new(recorder.clone()), &Shutdown::new()).await;
    assert_eq!(done(&outcome.repositories[0]), &CloneResult::Cloned);
    assert_eq!(outcome.repositories[0].detail(), format!("cloned, at {} (main)", second.short()));
    bench.assert_whole();
    assert_eq!(
        bench.ask(&["status", "--porcelain=v2", "--branch"]).lines().nth(2),
        Some("# branch.upstream origin/main")
    );
    assert_eq!(bench.ask(&["status", "--porcelain"]), "");
    assert_eq!(bench.ask(&["rev-parse", "HEAD", "origin/HEAD"]), format!("{second}\n{second}"));
    assert_eq!(bench.ask(&["branch", "-r", "--format=%(refname)"]).lines().count(), 3);
    assert_eq!(bench.ask(&["config", "remote.origin.url"]), bench.server.url("x.git"));
    let checkout = bench.inspect();
    assert_eq!((checkout.head, checkout.branch.as_deref()), (Some(second), Some("main")));
    assert_eq!((checkout.dirty, checkout.untracked, checkout.ahead_behind), (false, false, Some((0, 0))));
    // The directory is as open as any that the person makes.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode();
    assert_eq!(mode(&bench.target()), mode(&bench.work()));
    let events = recorder.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Progress { done, total: Some(total), .. } if done == total))
    );
    assert!(matches!(events.last(), Some(Event::Finished { .. })));
}

#[tokio::test]
async fn clone_accepts_every_form_of_address() {
    let bench = Bench::new().await;
    let path = bench.served().display().to_string();
    for url in [
        bench.server.url("x.git"),
        bench.server.url("x.git/"),
        path.clone(),
        format!("file://{path}"),
        bench.server.url("moved/x.git"),
    ] {
        let cloned = bench.clone(&url).await;
        assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(bench.first)), "{url}");
        bench.assert_whole();
        std::fs::remove_dir_all(bench.target()).expect("removes");
    }
}

#[tokio::test]
async fn clone_depth_fetches_one_commit_and_updates_later() {
    let mut bench = Bench::new().await;
    let second = bench.grow();
    bench.commit(bench.first, "refs/heads/other", &[file("o", "")]);
    let url = bench.server.url("x.git");
    let cloned = bench.clone_with(&bench.git(), bench.wanted(&url), Some(1)).await;
    assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(second)));
    assert_eq!(bench.ask(&["rev-list", "--count", "--all"]), "1");
    assert!(bench.inspect().shallow);
    let third = bench.commit(second, "refs/heads/main", &[file("a", "3\n")]);
    let fourth = bench.commit(third, "refs/heads/main", &[file("a", "4\n")]);
    let updated = bench.clone(&url).await;
    assert_eq!(done(&updated), &CloneResult::Updated { from: Some(second), to: fourth });
    assert_eq!(bench.ask(&["rev-list", "--count", "--all"]), "3");
    bench.assert_whole();
}

#[tokio::test]
async fn clone_depth_is_ignored_with_a_note_for_a_directory() {
    let mut bench = Bench::new().await;
    bench.grow();
    let recorder = Recorder::default();
    let wanted = bench.wanted(&bench.served().display().to_string());
    let request = CloneRequest { repositories: vec![wanted], depth: Some(1), jobs: 1, is_part: false };
    let outcome = clone(request, &bench.git(), &Events::new(recorder.clone()), &Shutdown::new()).await;
    assert_eq!(done(&outcome.repositories[0]), &CloneResult::Cloned);
    assert_eq!(bench.ask(&["rev-list", "--count", "--all"]), "2");
    assert!(
        recorder
            .events()
            .iter()
            .any(|event| matches!(event, Event::Note(text) if text.contains("whole history")))
    );
}

#[tokio::test]
async fn clone_accepts_an_empty_repository_and_updates_it() {
    let bench = Bench::new().await;
    let mut history = begin(&bench.directory.path().join("served/empty.git"));
    let url = bench.server.url("empty.git");
    let cloned = bench.clone(&url).await;
    assert_eq!((done(&cloned), cloned.detail().as_str()), (&CloneResult::Cloned, "cloned, it is empty"));
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Unchanged);
    let id = history.commit(None, "first\n", &[file("a", "1\n")]).expect("commits");
    history.update_ref("refs/heads/main", id).expect("points");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Updated { from: None, to: id });
    assert_eq!(bench.ask(&["status", "--porcelain"]), "");
    bench.assert_whole();
}

#[tokio::test]
async fn clone_falls_back_to_main_without_a_default_branch() {
    let mut bench = Bench::new().await;
    bench.commit(bench.first, "refs/heads/a-first", &[file("o", "")]);
    std::fs::write(bench.served().join("HEAD"), format!("{}\n", "0".repeat(40))).expect("writes");
    bench.history.update_ref("refs/heads/gone", bench.first).expect("points");
    std::fs::write(bench.served().join("HEAD"), "ref: refs/heads/nowhere\n").expect("writes");
    let cloned = bench.clone(&bench.server.url("x.git")).await;
    assert_eq!(cloned.checkout.and_then(|checkout| checkout.branch).as_deref(), Some("main"));
}

#[tokio::test]
async fn clone_refuses_a_destination_that_exists() {
    let bench = Bench::new().await;
    let url = bench.server.url("x.git");
    std::fs::create_dir(bench.target()).expect("makes");
    assert_eq!(done(&bench.clone(&url).await), &CloneResult::Cloned, "an empty directory is no obstacle");
    let other = bench.served().display().to_string();
    let cloned = bench.clone(&other).await;
    assert!(
        matches!(&cloned.state, CloneState::Failed(GitError::OtherRepository { found, .. }) if *found == [url.clone()]),
        "{cloned:?}"
    );
    std::fs::remove_dir_all(bench.target().join(".git")).expect("removes");
    let cloned = bench.clone(&url).await;
    assert!(matches!(cloned.state, CloneState::Failed(GitError::Occupied { .. })), "{cloned:?}");
    assert_eq!(names(&bench.target()), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clone_continues_past_unreachable_repositories() {
    let bench = Bench::new().await;
    let refused = format!("http://127.0.0.1:{}/x.git", free_port());
    let urls = [
        bench.server.url("x.git"),
        "http://no-such-host.invalid/x.git".to_owned(),
        refused,
        bench.server.url("private/x.git"),
        bench.server.url("fail/404/x.git"),
        bench.served().display().to_string(),
        "not an address".to_owned(),
    ];
    let repositories = urls.iter().enumerate().map(|(index, url)| {
        let name = format!("r{index}");
        CloneTarget {
            target: bench.work().join(&name),
            name,
            url: url.clone(),
            merge_request: None,
            in_place: false,
        }
    });
    let mut repositories: Vec<_> = repositories.collect();
    // A second request for the same target is merged with the first.
    repositories.push(repositories[0].clone());
    let request = CloneRequest { repositories, depth: None, jobs: 3, is_part: false };
    let outcome: CloneOutcome = clone(request, &bench.git(), &Events::silent(), &Shutdown::new()).await;
    let states: Vec<_> = outcome.repositories.iter().map(|repository| &repository.state).collect();
    assert!(
        matches!(
            states[..],
            [
                CloneState::Done(CloneResult::Cloned),
                CloneState::OutOfReach(GitError::Unreachable { .. }),
                CloneState::OutOfReach(GitError::Unreachable { .. }),
                CloneState::OutOfReach(GitError::Unauthorised { user: None, .. }),
                CloneState::OutOfReach(GitError::NotFound { .. }),
                CloneState::Done(CloneResult::Cloned),
                CloneState::Failed(GitError::Url { .. }),
            ]
        ),
        "{states:#?}"
    );
    assert!(matches!(outcome.most_severe(), Some(GitError::Url { .. })));
    assert_eq!(names(&bench.work()), ["r0", "r5"]);
}

#[tokio::test]
async fn discover_finds_the_clone_from_a_subdirectory() {
    let bench = Bench::new().await;
    let login = bench.server.url("x.git").replace("://", "://user:secret@");
    bench.clone(&login).await;
    let deep = bench.target().join("deep/er");
    std::fs::create_dir_all(&deep).expect("makes");
    let found = cki::systems::git::discover(&deep).expect("reads").expect("finds");
    assert_eq!(found, bench.inspect());
    assert_eq!(found.root, bench.target());
    assert_eq!(found.remotes, [("origin".to_owned(), bench.server.url("x.git"))]);
    assert_eq!(inspect(&deep).expect("reads"), None);
    assert_eq!(cki::systems::git::discover(bench.directory.path()).expect("reads"), None);
    // A login that a person left in their own configuration is not shown.
    bench.ask(&["remote", "add", "mine", "https://me:glpat-0@h/x"]);
    assert_eq!(bench.inspect().remotes[0], ("mine".to_owned(), "https://h/x".to_owned()));
}
