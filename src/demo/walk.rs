//! The walk through the demo: sets everything up, types the commands that a person would type, shows
//! what they print, and takes everything down again, however it ends.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal as Kill, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::gitlab::{Config, Options, Pace, StandIn};
use super::{base_image, project};
use crate::base::exit::Exit;
use crate::base::files;
use crate::base::owner::Owner;
use crate::base::{assets, digest};
use crate::config;
use crate::host::Host;
use crate::host::signals::{Signal, Stop};
use crate::model::container::Status;
use crate::model::event::Events;
use crate::model::identity::Role;
use crate::ops::engine::Engine;
use crate::ops::running;
use crate::systems::native::Native;
use crate::ui::{Ui, style};

/// How long the service is watched once it is ready.
const WATCH: Duration = Duration::from_secs(4);
/// How long a command of the demo may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How often the engine is asked whether the service runs.
const LOOK: Duration = Duration::from_millis(200);

/// What the demo is given.
pub struct Demo<'a> {
    /// The machine.
    pub host: &'a Host,
    /// What prints.
    pub ui: &'a Ui,
    /// Where work reports.
    pub events: Events,
    /// What runs components.
    pub engine: Engine,
    /// Which engine was asked for.
    pub wanted: config::Engine,
    /// What stops it.
    pub stop: Stop,
    /// Where the project is laid out.
    pub folder: PathBuf,
    /// Leave everything to play with.
    pub keep: bool,
}

/// How the demo ended.
enum Step {
    /// The next one can begin.
    Done,
    /// A signal came.
    Stopped(Signal),
    /// A command did not end as it should.
    Failed(Exit),
}

/// Starts the stand-in for a project that was laid out.
///
/// # Errors
/// When its port cannot be had, or what it serves is not well-formed.
pub fn stand_in(host: &Host, head: &str, port: u16) -> anyhow::Result<StandIn> {
    let file = "demo/gitlab.yaml";
    let text = assets::embedded_text(file).context("the program carries it")?;
    let mut config = Config::parse(file, text)?;
    config.set_head(project::PROJECT, project::MERGE_REQUEST, head);
    let options = Options { config, pace: Pace::Live(1.0), began: (host.now)(), port };
    StandIn::start(options).with_context(|| format!("the GitLab stand-in cannot listen on port {port}"))
}

/// Runs the demo to its end.
///
/// # Errors
/// When something cannot be set up.
pub async fn walk(demo: &Demo<'_>) -> anyhow::Result<Exit> {
    let name = name(&demo.folder);
    let result = run(demo, &name).await;
    if demo.keep && matches!(result, Ok(Exit::Done)) {
        return result;
    }
    let left = take_down(&demo.engine, &demo.folder, &name).await;
    if matches!(result, Ok(Exit::Done)) && left.is_ok() {
        demo.ui.say(&style::dim("Cleaned up: nothing is left behind."));
        next(demo.ui);
    }
    let exit = result?;
    left.map(|()| exit)
}

/// Removes what a demo has made: its folder, and its images.
///
/// # Errors
/// When something cannot be removed.
pub async fn take_down(engine: &Engine, folder: &Path, name: &str) -> anyhow::Result<()> {
    let images = match engine {
        Engine::Containers(engine) => base_image::remove(engine, name).await,
        Engine::Native(_) => Ok(()),
    };
    files::remove_folder(folder)?;
    images
}

/// What the folders of demos that are not kept are called.
const PREFIX: &str = "cki-demo-";
/// The file in such a folder that names the process that it belongs to.
const OWNER: &str = "owner";

/// A folder for a demo of this process.
///
/// # Errors
/// When it cannot be made.
pub fn temporary_folder(host: &Host) -> anyhow::Result<PathBuf> {
    let owner = host.owner();
    let folder = host.env.temporary_folder().join(format!("{PREFIX}{}", owner.pid));
    files::remove_folder(&folder)?;
    files::write_whole(&folder.join(OWNER), owner.to_label().as_bytes(), 0o644)?;
    Ok(folder)
}

/// Removes what demos that were killed have left behind.
pub async fn remove_abandoned(host: &Host, engine: &Engine) {
    let temporary = host.env.temporary_folder();
    let names = files::names_in(&temporary).unwrap_or_default();
    for folder in names.iter().filter(|name| name.starts_with(PREFIX)).map(|name| temporary.join(name)) {
        let label = files::read_text(&folder.join(OWNER), 1000).ok();
        let owner = label.and_then(|label| Owner::parse(&label));
        if owner.is_some_and(|owner| !host.is_alive(&owner)) {
            // Somebody else's stays; that is no reason not to show the demo.
            let _ = take_down(engine, &folder, &name(&folder)).await;
        }
    }
}

/// What a demo in a folder is called on the engine.
#[must_use]
pub fn name(folder: &Path) -> String {
    digest::of_parts([folder.as_os_str().as_encoded_bytes()])[..16].to_owned()
}

async fn run(demo: &Demo<'_>, name: &str) -> anyhow::Result<Exit> {
    let Demo { host, ui, folder, .. } = demo;
    ui.data(&style::name(
        "A small project is laid out, and a stand-in for GitLab is started on this machine.",
    ));
    files::make_folder(folder)?;
    let head = project::repository(folder)?.to_string();
    let gitlab = stand_in(host, &head, 0)?;
    let program = host.executable.display().to_string();
    let (program, plays, base) = match &demo.engine {
        Engine::Containers(engine) => {
            let build = base_image::build(engine, name, &host.executable, folder, &demo.events);
            let base = tokio::select! {
                base = build => base?,
                signal = demo.stop.requested() => return Ok(signal.exit()),
            };
            (base_image::PROGRAM.to_owned(), base_image::PLAYS.to_owned(), base)
        }
        Engine::Native(_) => {
            ui.data(match demo.wanted {
                config::Engine::Native => "Components run as processes, as was asked for.",
                _ => "No container engine answers, so components run as processes; `cki setup` would install one.",
            });
            (program, folder.join("plays").display().to_string(), "none".to_owned())
        }
    };
    let layout = project::Layout {
        folder: folder.clone(),
        engine: demo.engine.name().to_owned(),
        gitlab: gitlab.url().to_owned(),
        program,
        plays,
        base,
    };
    project::write(&layout)?;
    files::write_whole(&folder.join("head"), head.as_bytes(), 0o644)?;
    let clone = folder.join("clones/cki-tools");
    let steps: [(&str, &[&str], &Path, Option<u8>); 7] = [
        ("See what there is.", &["list"], folder, Some(0)),
        (
            "Look at one component: what it is, what it touches, who touches it.",
            &["show", "pipeline-herder"],
            folder,
            Some(0),
        ),
        ("Get its code.", &["clone", "pipeline-herder"], folder, Some(0)),
        ("Build it.", &["build", "pipeline-herder"], folder, Some(0)),
        (
            "Run it, with what it needs, never in production. It goes on until Ctrl-C.",
            &["run-local", "pipeline-herder"],
            folder,
            None,
        ),
        ("Run a cron job: it does its work once and ends.", &["run-local", "orphan-hunter"], folder, Some(0)),
        ("Have a merge request tried in staging.", &["stage", "--mr", "213"], &clone, Some(0)),
    ];
    for (why, args, cwd, expected) in steps {
        if args[0] == "build" && demo.engine.is_native() {
            continue;
        }
        ui.data("");
        ui.data(&style::dim(&format!("# {why}")));
        if cwd != folder.as_path() {
            ui.data(&format!("$ {}", style::command("cd clones/cki-tools")));
        }
        ui.data(&format!("$ {}", style::command(&format!("cki {}", args.join(" ")))));
        match step(demo, args, cwd, expected).await? {
            Step::Done => {}
            Step::Stopped(signal) => return Ok(signal.exit()),
            Step::Failed(exit) => return Ok(exit),
        }
    }
    ui.data("");
    if demo.keep {
        kept(ui, folder, gitlab.url());
    }
    Ok(Exit::Done)
}

/// Types one command. One without an expected exit code is a service: it is watched for a while and
/// then interrupted, as Ctrl-C would.
async fn step(demo: &Demo<'_>, args: &[&str], cwd: &Path, expected: Option<u8>) -> anyhow::Result<Step> {
    let mut child = start(demo, args, cwd)?;
    let interrupt = |kind: Kill| {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        // One that has ended in this moment needs no signal.
        pid.map(|pid| kill(Pid::from_raw(pid), kind))
    };
    if expected.is_none() {
        tokio::select! {
            () = service_was_watched(demo) => {
                interrupt(Kill::SIGINT);
            }
            _ = demo.stop.requested() => {}
            // It ended by itself, which is judged below.
            () = ended(child.id()) => {}
        }
    }
    let signal = tokio::select! {
        status = tokio::time::timeout(LIMIT, child.wait()) => {
            return Ok(judge(demo.ui, args, status??, expected));
        }
        signal = demo.stop.requested() => signal,
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let send = |kind: Kill| pid.map(|pid| kill(Pid::from_raw(pid), kind));
    send(Kill::SIGINT);
    // The command cleans up after itself, and is asked to hurry if the person is in one.
    tokio::select! {
        _ = child.wait() => {}
        _ = demo.stop.forced() => {
            send(Kill::SIGINT);
            child.wait().await?;
        }
    }
    Ok(Step::Stopped(signal))
}

fn judge(ui: &Ui, args: &[&str], status: ExitStatus, expected: Option<u8>) -> Step {
    let wanted = expected.unwrap_or(Exit::Interrupted.code());
    if status.code() == Some(i32::from(wanted)) {
        return Step::Done;
    }
    let hint = "its output is above; `cki doctor` looks at this machine.".to_owned();
    ui.error(&format!("`cki {}` did not end as it should: {status}.", args.join(" ")), &[], &[hint]);
    Step::Failed(Exit::Failed)
}

/// Starts this program again, with the demo's settings and none of the person's own.
fn start(demo: &Demo<'_>, args: &[&str], cwd: &Path) -> anyhow::Result<Child> {
    let Demo { host, folder, .. } = demo;
    let ours = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("CKI_") || name == "XDG_CONFIG_HOME"
    };
    let mut command = Command::new(&host.executable);
    command
        .args(args)
        .current_dir(cwd)
        .env_clear()
        .envs(host.env.iter().filter(|(name, _)| !ours(name)))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .stdin(Stdio::null())
        // Ctrl-C reaches this program alone, which passes it on.
        .process_group(0)
        .kill_on_drop(true);
    die_with_us(&mut command);
    command.spawn().with_context(|| format!("cannot start `{}`", host.executable.display()))
}

/// Should this program be killed, what it has started is asked to end (prctl(2)).
fn die_with_us(command: &mut Command) {
    #[expect(unsafe_code, reason = "between fork and exec, only one system call is made")]
    // SAFETY: prctl is safe to call after a fork, and nothing is allocated.
    unsafe {
        command.pre_exec(|| {
            nix::libc::prctl(nix::libc::PR_SET_PDEATHSIG, nix::libc::SIGTERM);
            Ok(())
        });
    }
}

/// Waits until a process is gone or has become a zombie.
async fn ended(pid: Option<u32>) {
    while pid.is_some_and(|pid| crate::host::started(pid).is_some()) {
        // It is no child of this process, so that nobody tells when it ends.
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until the component runs, and then for as long as one likes to watch it.
async fn service_was_watched(demo: &Demo<'_>) {
    let native = Native::new(&demo.host.env);
    let runs = async || {
        let all = running::list(&demo.engine, &native).await.unwrap_or_default();
        all.iter().any(|one| one.identity.role == Role::Component && one.status == Status::Running)
    };
    while !runs().await {
        // Another process starts it: it is looked for until it is there.
        tokio::time::sleep(LOOK).await;
    }
    // Time to see it work.
    tokio::time::sleep(WATCH).await;
}

fn kept(ui: &Ui, folder: &Path, url: &str) {
    let folder = folder.display();
    ui.data(&format!("The project stays in {folder}. Play with it:"));
    ui.data(&format!("  $ {}", style::command(&format!("cd {folder}"))));
    ui.data(&format!("  $ {}", style::command("cki run-local pipeline-herder --mr 213")));
    ui.data(&format!(
        "  $ {}   {}",
        style::command("cki demo serve &"),
        style::dim(&format!("# the stand-in, at {url}"))
    ));
    ui.data(&format!("  $ {}", style::command("cki stage --mr 213 --component pipeline-herder --again")));
    ui.data(&format!("  $ {}   {}", style::command("cki demo clean"), style::dim("# when you are done")));
}

fn next(ui: &Ui) {
    ui.data("");
    ui.data("What to type next, with the real inventory:");
    ui.data(&format!("  $ {}", style::command("cki list")));
    ui.data(&format!("  $ {}", style::command("cki show lookaside-static")));
    ui.data(&format!("  $ {}", style::command("cki env pipeline-herder --explain")));
    ui.data(&format!("  $ {}   {}", style::command("cki doctor"), style::dim("# is this machine ready?")));
    ui.data(&format!(
        "  $ {}   {}",
        style::command("cki demo --keep"),
        style::dim("# leaves the demo to play with")
    ));
}
