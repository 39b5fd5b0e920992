//! The walk through the demo: sets everything up, types the commands that a user would type, shows their
//! output, and removes everything again, however the walk ends.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::gitlab::{StandIn, StandInConfig, StandInOptions, TimeScale};
use super::session::Demo;
use super::step::{DemoStep, missing, step};
use super::{base_image, project};
use crate::base::exit::Exit;
use crate::base::files::{self, FileError};
use crate::base::{assets, digest};
use crate::config;
use crate::host::{Env, Host, scratch};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::workspace_secrets;
use crate::ops::trust;
use crate::ui::{Ui, style};

/// Starts the stand-in for an existing project.
///
/// # Errors
/// Fails when the port is not available, or the configuration is invalid.
pub fn stand_in(host: &Host, head: &str, port: u16) -> anyhow::Result<StandIn> {
    let file = "demo/gitlab.yaml";
    let text = assets::embedded_text(file).context("the program carries it")?;
    let mut config = StandInConfig::parse(file, text)?;
    config.set_head(project::PROJECT, project::MERGE_REQUEST, head);
    let options = StandInOptions { config, pace: TimeScale::Live(1.0), began: (host.now)(), port };
    StandIn::start(options).with_context(|| format!("the GitLab stand-in cannot listen on port {port}"))
}

/// Runs the demo to its end.
///
/// # Errors
/// Fails when something cannot be set up.
pub async fn walk(demo: &Demo<'_>) -> anyhow::Result<Exit> {
    let name = name(&demo.directory);
    let result = run(demo, &name).await;
    if demo.keep && matches!(result, Ok(Exit::Done)) {
        return result;
    }
    let left = take_down(&demo.host.env, &demo.engine, &demo.directory, &name).await;
    if demo.keep && left.is_ok() {
        demo.ui.status("The demo did not get to its end, so nothing of it is kept: everything is removed.");
    }
    if matches!(result, Ok(Exit::Done)) && left.is_ok() {
        demo.ui.status(&style::dim("Cleaned up: nothing is left behind."));
        next(demo.ui);
    }
    let exit = result?;
    left.map(|()| exit)
}

/// Removes everything of a demo: its directory, its images, and its records among those of the user.
///
/// # Errors
/// Fails when something cannot be removed.
pub async fn take_down(env: &Env, engine: &RunEngine, directory: &Path, name: &str) -> anyhow::Result<()> {
    let images = match engine.containers() {
        Some(engine) => base_image::remove(engine, name).await,
        None => Ok(()),
    };
    // A demo that was killed early was never trusted, and its directory may be gone.
    let _ = trust::forget(env, directory);
    workspace_secrets::forget(env.state_directory().as_deref(), &directory.join(project::WORKSPACE))?;
    files::remove_directory(directory)?;
    images
}

/// Name prefix of the directories of demos that are not retained.
const PREFIX: &str = "cki-demo-";

/// Creates a directory with an unguessable name for a demo of this process.
///
/// # Errors
/// Fails when the directory cannot be created.
pub fn temporary_directory(host: &Host) -> anyhow::Result<PathBuf> {
    let parent = host.env.temporary_directory();
    let directory =
        scratch::owned(&parent, PREFIX).map_err(|error| FileError::new("create", &parent, error))?;
    Ok(directory.keep())
}

/// Returns the directories of demos that were killed before they could remove them.
#[must_use]
pub fn abandoned(host: &Host) -> Vec<PathBuf> {
    scratch::abandoned(&host.env.temporary_directory(), PREFIX)
}

/// Removes leftovers of killed demos, and returns the removed directories. Directories of other users
/// stay.
pub async fn remove_abandoned(host: &Host, engine: &RunEngine) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    for directory in abandoned(host) {
        if take_down(&host.env, engine, &directory, &name(&directory)).await.is_ok() {
            removed.push(directory);
        }
    }
    removed
}

/// A command of the demo, with the text that its output must contain. Without a text, the exit code
/// decides.
struct Chapter {
    why: &'static str,
    args: &'static [&'static str],
    shows: &'static [&'static str],
}

/// Returns all chapters, in order.
fn chapters() -> [Chapter; 7] {
    let chapter = |why, args, shows| Chapter { why, args, shows };
    [
        chapter("See what there is.", &["list"], &[]),
        chapter(
            "Look at one component: what it is, what it touches, who touches it.",
            &["show", "pipeline-herder"],
            &[],
        ),
        chapter("Get its code.", &["clone", "pipeline-herder"], &[]),
        chapter("Build it.", &["build", "pipeline-herder"], &[]),
        chapter(
            "Run it, with what it needs, never in production. It runs until Ctrl-C.",
            &["run-local", "pipeline-herder"],
            &[
                "environment: development, production: false",
                "INFO  Connected to ",
                "as herder, password ••••••••",
                "Job 1042 failed",
                "Job 1043 failed",
            ],
        ),
        chapter(
            "Run a cron job: it does its work once and ends.",
            &["run-local", "orphan-hunter"],
            &["3 Pods, token ••••••••", "but this is development", "Pod runner-3"],
        ),
        chapter("Have a merge request tried in staging.", &["stage", "--mr", "213", "--yes"], &[]),
    ]
}

/// Returns the name of a demo on the engine.
#[must_use]
pub fn name(directory: &Path) -> String {
    digest::sha256_hex([directory.as_os_str().as_encoded_bytes()])[..16].to_owned()
}

async fn run(demo: &Demo<'_>, name: &str) -> anyhow::Result<Exit> {
    let Demo { host, ui, directory, .. } = demo;
    ui.data(&style::name(
        "A small project is laid out, and a stand-in for GitLab is started on this machine.",
    ));
    files::make_directory(directory)?;
    let head = project::repository(directory, name)?.to_string();
    let gitlab = stand_in(host, &head, 0)?;
    let program = host.executable.display().to_string();
    let (program, plays, base) = match demo.engine.containers() {
        Some(engine) => {
            let build =
                base_image::build(engine, name, (&host.executable, &host.env), directory, &demo.events);
            let base = tokio::select! {
                base = build => base?,
                signal = demo.stop.requested() => return Ok(signal.exit()),
            };
            (base_image::PROGRAM.to_owned(), base_image::PLAYS.to_owned(), base)
        }
        None => {
            ui.data(match demo.wanted {
                config::Engine::Native => "Components run as processes, as requested.",
                _ => "No container engine answers, so components run as processes; `cki doctor` says how to install one.",
            });
            (program, directory.join("plays").display().to_string(), "none".to_owned())
        }
    };
    let layout = project::Layout {
        directory: directory.clone(),
        engine: demo.engine.containers().map(|_| demo.engine.name().to_owned()),
        gitlab: gitlab.url().to_owned(),
        program,
        plays,
        base,
    };
    project::write(&layout)?;
    trust::trust_own(&host.env, directory)?;
    files::write_atomic(&directory.join("head"), head.as_bytes(), 0o644)?;
    let clone = directory.join(project::WORKSPACE).join("cki-tools");
    for Chapter { why, args, shows } in chapters() {
        if args[0] == "build" && demo.engine.is_native() {
            continue;
        }
        let cwd = if args[0] == "stage" { &clone } else { directory };
        ui.data("");
        ui.data(&style::dim(&format!("# {why}")));
        if cwd != directory {
            ui.data(&format!("$ {}", style::command("cd clones/cki-tools")));
        }
        ui.data(&format!("$ {}", style::command(&format!("cki {}", args.join(" ")))));
        match step(demo, args, cwd, shows).await? {
            DemoStep::Done if args[0] == "clone" && !clone.join(".git").exists() => {
                return Ok(missing(ui, args, &format!("there is no clone at `{}`", clone.display())));
            }
            DemoStep::Done => {}
            DemoStep::Stopped(signal) => return Ok(signal.exit()),
            DemoStep::Failed(exit) => return Ok(exit),
        }
    }
    ui.data("");
    if demo.keep {
        print_retained(ui, directory, gitlab.url(), demo.wanted == config::Engine::Native);
    }
    Ok(Exit::Done)
}

fn print_retained(ui: &Ui, directory: &Path, url: &str, native: bool) {
    let directory = directory.display();
    ui.data(&format!("The project stays in {directory}. Play with it:"));
    ui.data(&format!("  $ {}", style::command(&format!("cd {directory}"))));
    if native {
        ui.data(&format!("  $ {}", style::command("export CKI_ENGINE=native")));
    }
    ui.data(&format!("  $ {}", style::command("cki run-local pipeline-herder --mr 213")));
    ui.data(&format!(
        "  $ {}   {}",
        style::command("cki demo serve &"),
        style::dim(&format!("# the stand-in, at {url}"))
    ));
    ui.data(&format!("  $ {}", style::command("cki stage --mr 213 --component pipeline-herder --force")));
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
