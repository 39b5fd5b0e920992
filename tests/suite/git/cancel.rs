//! A clone that is stopped, given up or killed in the middle of the transfer leaves nothing half
//! done, at once or at the latest when the next one is made.

use super::*;

use cki::host::Host;
use cki::host::signals::Signal;

use crate::support::part;

/// Names the address for [`clone_until_killed`], and where to.
pub(super) const VARIABLE: &str = "CKI_TEST_CLONE_UNTIL_KILLED";

impl Bench {
    async fn with_large_history() -> Self {
        let mut bench = Self::new().await;
        bench.grow();
        bench
    }

    fn request(&self) -> CloneRequest {
        let wanted = self.wanted(&self.server.url("stall/x.git"));
        CloneRequest { repositories: vec![wanted], depth: None, jobs: 1, is_part: false }
    }
}

#[tokio::test]
async fn clone_leaves_nothing_when_stopped() {
    let bench = Bench::with_large_history().await;
    let (git, recorder, stop) = (bench.git(), Recorder::default(), Shutdown::new());
    let events = Events::new(recorder.clone());
    let stopping = async {
        bench.server.stalled().await;
        assert_eq!(names(&bench.work()).len(), 1, "it is at work");
        stop.trigger(Signal::Interrupt);
    };
    let (outcome, ()) = tokio::join!(clone(bench.request(), &git, &events, &stop), stopping);
    assert!(matches!(outcome.repositories[0].state, CloneState::Stopped), "{outcome:?}");
    assert_eq!(outcome.stopped, Some(Signal::Interrupt));
    assert_eq!(names(&bench.work()), Vec::<String>::new());
}

#[tokio::test]
async fn update_leaves_the_clone_unchanged_when_stopped() {
    let mut bench = Bench::new().await;
    let (git, stop, url) = (bench.git(), Shutdown::new(), bench.server.url("stall/x.git"));
    bench.clone(&bench.server.url("x.git")).await;
    bench.ask(&["remote", "set-url", "origin", &url]);
    bench.grow();
    let events = Events::silent();
    let stopping = async {
        bench.server.stalled().await;
        stop.trigger(Signal::Interrupt);
    };
    let (outcome, ()) = tokio::join!(clone(bench.request(), &git, &events, &stop), stopping);
    assert!(matches!(outcome.repositories[0].state, CloneState::Stopped), "{outcome:?}");
    assert_eq!(bench.ask(&["rev-parse", "HEAD", "origin/main"]), format!("{0}\n{0}", bench.first));
    let packs = bench.target().join(".git/objects/pack");
    assert!(
        names(&packs).iter().all(|name| name.starts_with("pack-") && !name.contains("tmp")),
        "{:?}",
        names(&packs)
    );
    bench.assert_whole();
}

#[tokio::test]
async fn clone_starts_nothing_after_a_stop() {
    let bench = Bench::new().await;
    let stop = Shutdown::new();
    stop.trigger(Signal::Terminate);
    let outcome = clone(bench.request(), &bench.git(), &Events::silent(), &stop).await;
    assert!(matches!(outcome.repositories[0].state, CloneState::Stopped), "{outcome:?}");
    assert_eq!((bench.server.seen(), outcome.stopped), (Vec::new(), Some(Signal::Terminate)));
}

#[tokio::test]
async fn clone_leaves_nothing_when_its_future_is_dropped() {
    struct End(tokio::sync::mpsc::UnboundedSender<()>);
    impl Sink for End {
        fn send(&self, event: Event) {
            if let Event::Finished { .. } = event {
                // The test may have ended.
                let _ = self.0.send(());
            }
        }
    }
    let bench = Bench::with_large_history().await;
    let (tell, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let (git, events, stop) = (bench.git(), Events::new(End(tell)), Shutdown::new());
    tokio::select! {
        outcome = clone(bench.request(), &git, &events, &stop) => panic!("{outcome:?}"),
        () = bench.server.stalled() => {}
    }
    ended.recv().await.expect("it ends by itself");
    assert_eq!(names(&bench.work()), Vec::<String>::new());
}

#[tokio::test]
async fn clone_removes_leftovers_of_a_killed_process() {
    let bench = Bench::with_large_history().await;
    let url = bench.server.url("stall/x.git");
    let mut command = part::command("clone until killed");
    command.env(VARIABLE, format!("{url} {}", bench.target().display()));
    let mut command = tokio::process::Command::from(command);
    command.stdout(std::process::Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("runs itself");
    bench.server.stalled().await;
    child.kill().await.expect("kills");
    let left = names(&bench.work());
    assert!(left.len() == 1 && left[0].starts_with(".x.cki-"), "{left:?}");
    let cloned = bench.clone(&bench.server.url("x.git")).await;
    assert_eq!(done(&cloned), &CloneResult::Cloned);
    bench.assert_whole();
}

/// Runs in a process of its own, for the test above to kill.
#[tokio::main]
pub(crate) async fn clone_until_killed() {
    let host = Host::real();
    let given = host.env.get(VARIABLE).and_then(|pair| pair.split_once(' '));
    let (url, target) = given.expect("is given");
    isolate();
    let home = Path::new(target).parent().expect("has a parent");
    let git = Git::new(Arc::new(HttpClient::new(HttpPolicy::default())), Logins::default(), clean_env(home));
    let wanted = CloneTarget {
        name: "x".into(),
        url: url.into(),
        target: target.into(),
        merge_request: None,
        in_place: false,
    };
    let request = CloneRequest { repositories: vec![wanted], depth: None, jobs: 1, is_part: false };
    let outcome = clone(request, &git, &Events::silent(), &Shutdown::new()).await;
    panic!("it was to be killed: {outcome:?}");
}
