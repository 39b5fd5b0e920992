//! One scenario's own corner of an engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cki::host::{Env, Host};
use cki::model::container::ContainerSpec;
use cki::model::event::{Event, Events, Sink, Stream};
use cki::model::identity::{ResourceLabels, Retention, Role, RunId};
use cki::systems::engine::context::{Dockerfile, PackedContext, pack};
use cki::systems::engine::{
    BuildRequest, ContainerEngine, EngineChoice, EngineError, OutputStream, discover,
};
use std::sync::{Arc, Mutex};

use crate::support::gate::pass_gate;
use crate::support::limit;

/// The image with busybox in it.
pub(crate) const BOX: &str = "cki-test/box:1";
/// The component of everything that a scenario creates.
const COMPONENT: &str = "service/test";

/// An engine, and names that no other scenario uses.
pub(crate) struct Lab {
    pub(crate) engine: ContainerEngine,
    pub(crate) run: RunId,
    count: AtomicU32,
    host: Host,
}

/// Runs a scenario on an engine, in time, and sees to it that nothing is left.
pub(crate) async fn run<F: Future<Output = ()>>(address: &str, scenario: impl FnOnce(Arc<Lab>) -> F) {
    let limit = limit::of_a_test();
    let ended = tokio::time::timeout(limit, run_to_the_end(address, scenario)).await;
    assert!(ended.is_ok(), "the scenario has not ended within {} s", limit.as_secs());
}

async fn run_to_the_end<F: Future<Output = ()>>(address: &str, scenario: impl FnOnce(Arc<Lab>) -> F) {
    let host = Host::real();
    let found = discover(&Env::new([("DOCKER_HOST", address)]), EngineChoice::Auto).await;
    let engine = found.engine.unwrap_or_else(|| panic!("{address} answers: {:?}", found.candidates));
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let run = RunId::new(format!("{number}-{:?}", host.owner()).as_bytes());
    // What a killed program of these tests left behind: a detached run of another test has no owner either.
    let is_left = |who: &ResourceLabels| who.component == COMPONENT && !host.is_alive(&who.owner);
    engine.prune(is_left).await.expect("prunes");
    make_box(&engine).await;
    let lab = Arc::new(Lab { engine, run, count: AtomicU32::new(0), host });
    scenario(Arc::clone(&lab)).await;
    let report = lab.prune().await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    lab.assert_nothing_left().await;
}

async fn make_box(engine: &ContainerEngine) {
    static MAKING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _alone = MAKING.lock().await;
    if engine.image(BOX).await.expect("answers").is_some() {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::copy("/bin/busybox", directory.path().join("busybox")).expect("copies");
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\n\
        RUN [\"/bin/busybox\", \"sh\", \"-c\", \"/bin/busybox --install -s /bin && mkdir -m 1777 /tmp\"]\n\
        ENV PATH=/bin BAKED=in\nWORKDIR /tmp\nCMD [\"sh\"]\n";
    std::fs::write(directory.path().join("Dockerfile"), dockerfile).expect("writes");
    let packed = packed(directory.path());
    let request = BuildRequest { tag: BOX.to_owned(), ..Default::default() };
    let events = Events::silent();
    engine.build(&request, &packed, &events.start("box", "building"), &events).await.expect("builds");
}

pub(crate) fn packed(directory: &Path) -> PackedContext {
    pack(directory, &Dockerfile::File("Dockerfile".into()), Path::new("/tmp")).expect("packs")
}

pub(crate) fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

impl Lab {
    pub(crate) fn identity(&self) -> ResourceLabels {
        ResourceLabels {
            run: self.run.clone(),
            component: COMPONENT.to_owned(),
            role: Role::Component,
            name: "test".to_owned(),
            owner: self.host.owner(),
            lifetime: Retention::Owner,
            inventory: String::new(),
        }
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        self.identity().to_labels()
    }

    pub(crate) fn name(&self) -> String {
        format!("cki-{}-{}", self.run, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A container that runs a shell script.
    pub(crate) fn shell(&self, script: &str) -> ContainerSpec {
        ContainerSpec {
            name: self.name(),
            image: BOX.to_owned(),
            command: Some(words(&["sh", "-c", script])),
            labels: self.labels(),
            ..Default::default()
        }
    }

    /// Starts a container that nothing is wrong with.
    pub(crate) async fn start(&self, id: &str) -> Result<(), EngineError> {
        self.engine.start(&pass_gate(self.engine.inside(id).await?)).await
    }

    /// Creates and starts.
    pub(crate) async fn create_and_start(&self, spec: &ContainerSpec) -> String {
        let id = self.engine.create(spec).await.expect("creates");
        self.start(&id).await.expect("starts");
        id
    }

    /// Runs to the end, by the book: exit code, output, errors.
    pub(crate) async fn run_to_exit(&self, spec: &ContainerSpec) -> (i64, String, String) {
        let id = self.engine.create(spec).await.expect("creates");
        let output = self.engine.attach(&id).await.expect("attaches");
        let reader = tokio::spawn(drain(output));
        self.start(&id).await.expect("starts");
        let code = self.engine.wait(&id).await.expect("ends");
        let (out, err) = reader.await.expect("is not cancelled").expect("is whole");
        self.engine.remove(&id).await.expect("removes");
        (code, out, err)
    }

    pub(crate) async fn prune(&self) -> cki::systems::engine::PruneReport {
        self.engine.prune(|who| who.run == self.run).await.expect("prunes")
    }

    pub(crate) async fn assert_nothing_left(&self) {
        let containers = self.engine.list(Some(&self.run)).await.expect("lists");
        assert!(containers.is_empty(), "{containers:?}");
        let ours = |labels: &BTreeMap<String, String>| labels.get("cki.run") == Some(&self.run.to_string());
        let networks = self.engine.networks().await.expect("lists");
        assert!(!networks.iter().any(|network| ours(&network.labels)), "{networks:?}");
        let volumes = self.engine.volumes().await.expect("lists");
        assert!(!volumes.iter().any(|volume| ours(&volume.labels)), "{volumes:?}");
    }
}

/// All that a stream gives: output and errors.
pub(crate) async fn drain(mut output: OutputStream) -> Result<(String, String), EngineError> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        match chunk.stream {
            Stream::Stdout => out.extend_from_slice(&chunk.bytes),
            Stream::Stderr => err.extend_from_slice(&chunk.bytes),
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is UTF-8");
    Ok((text(out), text(err)))
}

/// Reads until a text has come.
pub(crate) async fn until(output: &mut OutputStream, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let next = tokio::time::timeout(Duration::from_secs(30), output.next()).await;
        let chunk = next.unwrap_or_else(|_| panic!("`{text}` comes, after {seen:?}"));
        let chunk = chunk.unwrap_or_else(|| panic!("`{text}` comes before the end, after {seen:?}"));
        seen.push_str(&String::from_utf8_lossy(&chunk.expect("is good").bytes));
    }
    seen
}

/// Tries until something holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        // Polls: no event says that the state of the engine has changed.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came true that {what}");
}

/// Remembers what is sent to it.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Event>>>);

impl Sink for Heard {
    fn send(&self, event: Event) {
        self.0.lock().expect("is not poisoned").push(event);
    }
}

impl Heard {
    pub(crate) fn lines(&self) -> Vec<String> {
        let heard = self.0.lock().expect("is not poisoned");
        heard
            .iter()
            .filter_map(|event| match event {
                Event::Line { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn progress(&self) -> Vec<(u64, Option<u64>)> {
        let heard = self.0.lock().expect("is not poisoned");
        heard
            .iter()
            .filter_map(|event| match event {
                Event::Progress { done, total, .. } => Some((*done, *total)),
                _ => None,
            })
            .collect()
    }
}
