//! Tests of panics in `cki` itself: a panic at any moment of a run leaves no resources of that run behind. The
//! program cannot be told to panic, so an event sink in the library panics.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cki::base::assets::Assets;
use cki::base::http::HttpClient;
use cki::host::signals::Shutdown;
use cki::host::{Env, Host};
use cki::model::event::{Event, Events, Sink};
use cki::model::identity::ResourceLabels;
use cki::model::inventory::{Inventory, InventoryDocument, Memory};
use cki::ops::run_local::{self, RunRequest};
use cki::ops::runtime::engine::RunEngine;
use cki::ops::shared::op_context::OpContext;
use cki::ops::shared::workspace::Workspace;
use cki::systems::engine::{EngineChoice, discover};
use cki::systems::git::{Git, Logins};
use cki::systems::native::Native;
use futures_util::FutureExt as _;

use crate::support::cli::Cli;
use crate::support::engine::on;

/// More than a run tells of itself.
const MOMENTS: usize = 100;

/// Longer than a thread takes to drop what its panicking task owns. `cki` ends only after its threads.
const UNWINDING: Duration = Duration::from_secs(5);

/// Panics at what is told at one moment.
struct PanickingSink {
    told: Arc<AtomicUsize>,
    at: usize,
}

impl Sink for PanickingSink {
    fn send(&self, event: Event) {
        // What is written comes in its own time, and is told by a task of its own.
        let is_step = !matches!(event, Event::Line { .. });
        assert!(!is_step || self.told.fetch_add(1, Ordering::SeqCst) != self.at, "a bug, at {event:?}");
    }
}

fn inventory(cli: &Cli) -> Inventory {
    let text = cli.fill(
        "components:
  - {name: app-{id}, category: bug, kind: job, image: '{busybox}', run: {command: [sh, -c, 'exit 3'], needs: [side-{id}]}}
  - {name: side-{id}, category: bug, image: '{busybox}', run: {command: [sh, -c, 'exec sleep 1000'], ready: {exec: ['true']}}}
",
    );
    Inventory::read(
        "here",
        vec![InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None }],
    )
    .expect("reads")
}

async fn engine(cli: &Cli, env: &Env) -> RunEngine {
    let Some(address) = cli.engine.address() else { return RunEngine::Native(Native::new(env)) };
    let found = discover(&Env::new([("DOCKER_HOST", address.as_str())]), EngineChoice::Auto).await;
    RunEngine::Containers(found.engine.expect("answers"))
}

/// Returns the resources of this test that exist.
async fn leftovers(cli: &Cli, engine: &RunEngine, runtime: &std::path::Path) -> Vec<String> {
    let RunEngine::Containers(engine) = engine else { return crate::support::engine::left_native(runtime) };
    let listed = tokio::join!(engine.list(None), engine.networks(), engine.volumes());
    let containers = listed.0.expect("lists").into_iter().map(|one| (one.name, one.labels));
    let networks = listed.1.expect("lists").into_iter().map(|one| (one.name, one.labels));
    let volumes = listed.2.expect("lists").into_iter().map(|one| (one.name, one.labels));
    let is_ours = |(_, labels): &(String, std::collections::BTreeMap<String, String>)| {
        let who = ResourceLabels::from_labels(labels);
        who.is_some_and(|who| who.component.ends_with(&cli.id))
    };
    containers.chain(networks).chain(volumes).filter(is_ours).map(|(name, _)| name).collect()
}

on!(docker, podman, native: run_local_leaves_nothing_after_a_panic);
fn run_local_leaves_nothing_after_a_panic(cli: &Cli) {
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let ended = runtime.block_on(async {
        let inventory = inventory(cli);
        let directory = |name: &str| cli.directory().join(name).display().to_string();
        let path = Host::real().env.get("PATH").unwrap_or("/usr/bin:/bin").to_owned();
        let env = Env::new([
            ("PATH", path),
            ("XDG_RUNTIME_DIR", directory("runtime")),
            ("XDG_STATE_HOME", directory("state")),
        ]);
        let (assets, workspace) = (Assets::default(), Workspace::new(directory("clones"), env.clone()));
        let git = Git::new(Arc::new(HttpClient::default()), Logins::default(), env.clone());
        let engine = engine(cli, &env).await;
        let component = inventory.find(&format!("app-{}", cli.id)).expect("is there");
        for at in 0..MOMENTS {
            let told = Arc::new(AtomicUsize::new(0));
            let tools = OpContext {
                inventory: &inventory,
                inventory_id: String::new(),
                assets: &assets,
                workspace: &workspace,
                git: &git,
                env: &env,
                owner: Host::real().owner(),
                program: env!("CARGO_BIN_EXE_cki").to_owned(),
                merge_request_ref: "refs/merge-requests/{n}/head",
                image_tag: "1",
                offline: true,
                ready_timeout: Duration::from_secs(20),
                stop_grace: Duration::from_secs(5),
                memory: Memory::default(),
                events: Events::new(PanickingSink { told: Arc::clone(&told), at }),
                stop: Shutdown::new(),
            };
            let request = RunRequest::of(component);
            let run = AssertUnwindSafe(run_local::run(&tools, &engine, &request)).catch_unwind().await;
            let place = PathBuf::from(directory("runtime"));
            let mut left = leftovers(cli, &engine, &place).await;
            // Polls: a task that panics in another thread drops its resources there, without an event here.
            let began = Instant::now();
            while !left.is_empty() && began.elapsed() < UNWINDING {
                tokio::time::sleep(Duration::from_millis(10)).await;
                left = leftovers(cli, &engine, &place).await;
            }
            assert!(left.is_empty(), "after the panic at moment {at}: {left:?}");
            if let Ok(ended) = run {
                return Some((at, ended.expect("runs").exit));
            }
        }
        None
    });
    let (moments, how) = ended.expect("ends when nothing panics any more");
    assert_eq!(how, run_local::RunExit::Exited(3));
    assert!(moments > 5, "a run tells of more than {moments} steps");
}
