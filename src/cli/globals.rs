//! Flags of every command. Flags of a single command are in `commands/`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::complete;
use crate::config::{Color, Engine};

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// Use this inventory: a directory, a file, a git repository (`url[@ref][:path]`), or `default`, the
    /// built-in one; several are layers, each on top of those before it
    #[arg(long, global = true, value_name = "SOURCE", value_hint = clap::ValueHint::AnyPath)]
    pub(super) inventory: Vec<PathBuf>,
    /// Keep clones in this directory (default: `~/cki`)
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(super) workspace: Option<PathBuf>,
    /// Run components with this engine (default: `auto`)
    #[arg(long, global = true, value_name = "ENGINE")]
    pub(super) engine: Option<Engine>,
    /// Print results in this format: `text`, `json` or `yaml`; lists also have `wide` and `name`,
    /// `cki env` `table`, `dotenv` and `shell`, `cki graph` `tree`, `dot`, `mermaid` and `svg`
    #[arg(short, long, global = true, value_name = "FORMAT", add = ArgValueCandidates::new(complete::formats))]
    pub(super) output: Option<String>,
    /// Colour the output (default: `auto`, only on a terminal)
    #[arg(long, global = true, value_name = "WHEN")]
    pub(super) color: Option<Color>,
    /// Print data and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Also print details and the reasons for decisions
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Print long results at once, not through `$PAGER`
    #[arg(long, global = true)]
    pub(super) no_pager: bool,
    /// Connect to this machine only
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// Print requests to GitLab's API and their answers to standard error, without tokens
    #[arg(long, global = true)]
    pub(super) debug_http: bool,
}

impl Globals {
    /// Returns the settings that flags give: name, value, and the flag.
    pub(super) fn settings(&self) -> Vec<(&'static str, OsString, String)> {
        let Self {
            inventory,
            workspace,
            engine,
            output,
            color,
            quiet: _,
            verbose: _,
            no_pager: _,
            offline,
            debug_http: _,
        } = self;
        let mut settings = Vec::new();
        let mut add = |name: &'static str, value: Option<OsString>| {
            settings.extend(value.map(|value| (name, value, format!("--{name}"))));
        };
        inventory.iter().for_each(|source| add("inventory", Some(source.clone().into())));
        add("workspace", workspace.clone().map(Into::into));
        add("engine", engine.map(|engine| value_name(&engine).into()));
        // The other formats belong to some commands only.
        let common = output.clone().filter(|form| matches!(form.as_str(), "text" | "json" | "yaml"));
        add("output", common.map(Into::into));
        add("color", color.map(|color| value_name(&color).into()));
        add("offline", offline.then(|| "true".into()));
        settings
    }
}

pub(super) fn value_name<T: clap::ValueEnum>(value: &T) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
