//! Hints and exit codes of errors of drafts: those of `cki init`, and those of any draft of a repository.

use super::diagnosis::{Diagnosis, hint, plain};
use super::systems::{of_file, of_git};
use crate::base::exit::Exit;
use crate::base::text;
use crate::model::scan::ReadError;
use crate::ops::draft::DraftError;
use crate::ops::init::InitError;
use crate::ops::scan::ScanError;

pub(super) fn of_init(error: &InitError) -> Diagnosis {
    match error {
        InitError::Exists(_) => hint(
            Exit::Refused,
            "`cki init --dry-run` shows the draft, to copy from; `cki list` shows what there is already.",
        ),
    }
}

pub(super) fn of_draft(error: &DraftError) -> Diagnosis {
    match error {
        DraftError::NoDirectory(_) => hint(Exit::NotFound, "name a directory that exists."),
        DraftError::NoRepository(path) if path.parent().is_none() => hint(
            Exit::NotFound,
            "name the directory of your project: `cki init PATH`, or `cki inventory new NAME --from-repo PATH`.",
        ),
        DraftError::NoRepository(path) => {
            let init = ["git", "init", &path.display().to_string()].map(str::to_owned);
            hint(Exit::NotFound, format!("`{}` makes one.", text::command_line(&init)))
        }
        DraftError::Nothing(_) => {
            hint(Exit::NotFound, "`cki` runs what an image is built of; write a Containerfile first.")
        }
        DraftError::NoneThere { nearest: Some(near), .. } => {
            hint(Exit::NotFound, format!("did you mean `--dir {near}`?"))
        }
        DraftError::NoneThere { .. } => hint(
            Exit::NotFound,
            "name one of these with `--dir`, or leave it out to find the component by its name.",
        ),
        DraftError::NoSuch { nearest: Some(name), .. } => hint(
            Exit::NotFound,
            format!("did you mean `{name}`? `--dir DIRECTORY` names the sources of a component."),
        ),
        DraftError::NoSuch { .. } => {
            hint(Exit::NotFound, "`--dir DIRECTORY` names the sources of a component in the repository.")
        }
        DraftError::File(inner) => of_file(inner),
        DraftError::Git(inner) => of_git(inner),
        DraftError::Scan(inner) => of_scan(inner),
        DraftError::NoComponent { .. }
        | DraftError::Rules(_)
        | DraftError::Service(_)
        | DraftError::Inventory(_) => plain(Exit::Invalid),
    }
}

pub(super) fn of_scan(error: &ScanError) -> Diagnosis {
    match error {
        ScanError::Read(ReadError::File(error)) | ScanError::File(error) => of_file(error),
        ScanError::Git(error) => of_git(error),
        ScanError::Read(ReadError::Rules(_)) | ScanError::Rules(_) => {
            hint(Exit::Invalid, "`cki help scan` describes the rules.")
        }
        ScanError::NoSources { component } => {
            hint(Exit::NotFound, format!("add `sources` to the entry of `{component}`."))
        }
        ScanError::NoRevision { .. } => hint(
            Exit::NotFound,
            "name a branch, a tag or a commit of the clone; `git fetch` in it gets new ones.",
        ),
        ScanError::NotCloned { component } => hint(Exit::NotFound, format!("`cki clone {component}`.")),
        ScanError::Lacking { variables, .. } => {
            let flag = |(name, _): &(String, String)| format!("-e {name}=…");
            let mut flags: Vec<String> = variables.iter().take(3).map(flag).collect();
            flags.extend((variables.len() > 3).then(|| "…".to_owned()));
            let flags = flags.join(" ");
            hint(
                Exit::Failed,
                format!("put it into `environment` of the entry, or give `{flags}` for one run."),
            )
        }
    }
}
