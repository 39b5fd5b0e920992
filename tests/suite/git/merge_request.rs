//! Merge requests: on a branch of their own, which follows the author's pushes but never takes a
//! person's work with it.

use cki::systems::git::{GitContext, GitUrl, Tree};

use super::*;

const HEAD: &str = "refs/merge-requests/213/head";

struct Request {
    bench: Bench,
    url: String,
    head: CommitId,
}

impl Request {
    /// A server with merge request 213.
    async fn new() -> Self {
        let mut bench = Bench::new().await;
        let head = bench.commit(bench.first, HEAD, &[file("a", "mr\n"), file("b", "1\n")]);
        let url = bench.server.url("x.git");
        Self { bench, url, head }
    }

    async fn clone(&self) -> CloneRepository {
        let wanted = CloneTarget { merge_request: Some(merge_request(213)), ..self.bench.wanted(&self.url) };
        self.bench.clone_with(&self.bench.git(), wanted, None).await
    }

    /// The author pushes something else.
    fn push(&mut self, parent: CommitId, text: &str) -> CommitId {
        self.bench.commit(parent, HEAD, &[file("a", text), file("b", "1\n")])
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.bench.target().join("a")).expect("reads")
    }
}

#[tokio::test]
async fn clone_checks_out_the_merge_request() {
    let request = Request::new().await;
    let cloned = request.clone().await;
    assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(request.head)));
    let checkout = cloned.checkout.expect("is there");
    assert_eq!((checkout.branch.as_deref(), checkout.dirty), (Some("mr-213"), false));
    assert_eq!(request.bench.ask(&["rev-parse", "main"]), request.bench.first.to_string());
    assert_eq!(request.bench.ask(&["for-each-ref", "--format=%(refname)", "refs/cki"]), "refs/cki/mr/213");
    assert_eq!(done(&request.clone().await), &CloneResult::Unchanged);
    request.bench.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn fetch_head_changes_no_branch_and_no_file() {
    let mut request = Request::new().await;
    request.bench.clone(&request.url).await;
    let fetch = |request: &Request| {
        let (events, stop) = (Events::silent(), Shutdown::new());
        let task = events.start("x", "fetching");
        let job = GitContext { task: &task, events: &events, stop: &stop };
        let url = GitUrl::parse(&request.url).expect("is an address");
        request.bench.git().fetch_head(&request.bench.target(), &url, &merge_request(213), job)
    };
    let fetch = |request: &Request| tokio::task::block_in_place(|| fetch(request));
    assert_eq!(fetch(&request).expect("is fetched"), request.head);
    let forced = request.push(request.bench.first, "mr 2\n");
    assert_eq!(fetch(&request).expect("is fetched"), forced);
    let tree = Tree::open(&request.bench.target(), &forced.to_string()).expect("reads").expect("is there");
    assert_eq!(tree.content("a", 100).expect("reads").as_deref(), Some(&b"mr 2\n"[..]));
    assert_ne!(request.text(), "mr 2\n");
    let refs = ["for-each-ref", "--format=%(refname)", "refs/cki", "refs/heads"];
    assert_eq!(request.bench.ask(&refs), "refs/cki/head/213\nrefs/heads/main");
    assert_eq!(request.bench.ask(&["rev-parse", "HEAD"]), request.bench.first.to_string());
    request.bench.assert_whole();
}

#[tokio::test]
async fn update_switches_to_the_merge_request_and_follows_it() {
    let mut request = Request::new().await;
    assert_eq!(done(&request.bench.clone(&request.url).await), &CloneResult::Cloned);
    let switched = request.clone().await;
    assert_eq!(done(&switched), &CloneResult::Switched { branch: "mr-213".into(), to: request.head });
    assert_eq!(request.text(), "mr\n");
    // More commits.
    let second = request.push(request.head, "mr 2\n");
    assert_eq!(done(&request.clone().await), &CloneResult::Updated { from: Some(request.head), to: second });
    // Other commits in place of both.
    let forced = request.push(request.bench.first, "mr 3\n");
    assert_eq!(done(&request.clone().await), &CloneResult::Updated { from: Some(second), to: forced });
    assert_eq!(request.text(), "mr 3\n");
    // While another branch is checked out.
    request.bench.ask(&["checkout", "-q", "main"]);
    let again = request.push(request.bench.first, "mr 4\n");
    assert_eq!(done(&request.clone().await), &CloneResult::Switched { branch: "mr-213".into(), to: again });
    assert_eq!(request.bench.ask(&["status", "--porcelain"]), "");
    request.bench.assert_whole();
}

#[tokio::test]
async fn update_keeps_changes_and_follows_once_they_are_gone() {
    let mut request = Request::new().await;
    request.clone().await;
    std::fs::write(request.bench.target().join("b"), "changed\n").expect("writes");
    let forced = request.push(request.bench.first, "mr 2\n");
    assert_eq!(done(&request.clone().await), &CloneResult::Dirty { behind: 1 });
    assert_eq!(request.text(), "mr\n");
    request.bench.ask(&["checkout", "-q", "b"]);
    let forced_again = request.push(request.bench.first, "mr 3\n");
    assert_ne!(forced, forced_again);
    assert_eq!(
        done(&request.clone().await),
        &CloneResult::Updated { from: Some(request.head), to: forced_again }
    );
    request.bench.assert_whole();
}

#[tokio::test]
async fn update_keeps_local_commits_on_the_merge_request() {
    let mut request = Request::new().await;
    request.clone().await;
    std::fs::write(request.bench.target().join("b"), "mine\n").expect("writes");
    request.bench.ask(&["commit", "-qam", "mine"]);
    let mine = request.bench.ask(&["rev-parse", "HEAD"]);
    assert_eq!(done(&request.clone().await), &CloneResult::Ahead { ahead: 1 });
    request.bench.ask(&["checkout", "-q", "main"]);
    let back = request.clone().await;
    assert_eq!(
        done(&back),
        &CloneResult::Switched { branch: "mr-213".into(), to: CommitId::parse(&mine).expect("an id") }
    );
    request.push(request.bench.first, "mr 2\n");
    assert_eq!(done(&request.clone().await), &CloneResult::Diverged { ahead: 2, behind: 1 });
    assert_eq!(request.bench.ask(&["rev-parse", "HEAD", "mr-213"]), format!("{mine}\n{mine}"));
    request.bench.assert_whole();
}

#[tokio::test]
async fn update_keeps_untracked_files_and_a_detached_head() {
    let mut request = Request::new().await;
    request.bench.clone(&request.url).await;
    request.head = request.bench.commit(request.head, HEAD, &[file("new", "n\n")]);
    std::fs::write(request.bench.target().join("new"), "mine\n").expect("writes");
    assert_eq!(done(&request.clone().await), &CloneResult::InTheWay { paths: vec!["new".into()] });
    assert_eq!(request.inspect_branch(), Some("main".into()));
    std::fs::remove_file(request.bench.target().join("new")).expect("removes");
    request.bench.ask(&["checkout", "-q", "--detach"]);
    assert_eq!(done(&request.clone().await), &CloneResult::Detached);
    request.bench.ask(&["checkout", "-q", "main"]);
    assert_eq!(
        done(&request.clone().await),
        &CloneResult::Switched { branch: "mr-213".into(), to: request.head }
    );
}

impl Request {
    fn inspect_branch(&self) -> Option<String> {
        self.bench.inspect().branch
    }
}

#[tokio::test]
async fn clone_reports_a_missing_merge_request() {
    let request = Request::new().await;
    let wanted =
        || CloneTarget { merge_request: Some(merge_request(9)), ..request.bench.wanted(&request.url) };
    for existing in [false, true] {
        let outcome = request.bench.clone_with(&request.bench.git(), wanted(), None).await;
        assert!(
            matches!(outcome.state, CloneState::Failed(GitError::NoMergeRequest { iid: 9, .. })),
            "{outcome:?}"
        );
        if existing {
            assert_eq!(request.inspect_branch(), Some("main".into()));
        } else {
            assert_eq!(names(&request.bench.work()), Vec::<String>::new());
            request.bench.clone(&request.url).await;
        }
    }
}

#[tokio::test]
async fn clone_depth_fetches_a_shallow_merge_request() {
    let mut request = Request::new().await;
    request.head = request.push(request.head, "mr 2\n");
    let wanted =
        CloneTarget { merge_request: Some(merge_request(213)), ..request.bench.wanted(&request.url) };
    let cloned = request.bench.clone_with(&request.bench.git(), wanted.clone(), Some(1)).await;
    assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(request.head)));
    assert_eq!(request.bench.ask(&["rev-list", "--count", "--all"]), "2");
    let next = request.push(request.head, "mr 3\n");
    let updated = request.bench.clone_with(&request.bench.git(), wanted, Some(1)).await;
    assert_eq!(done(&updated), &CloneResult::Updated { from: Some(request.head), to: next });
    request.bench.assert_whole();
}
