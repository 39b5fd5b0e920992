//! Generated files of the project: the completion scripts and the reference. A test compares each with the
//! program's output; `CKI_TEST_BLESS=1 cargo test generated` writes them again. The handwritten description of
//! the inventory is checked by parsing its examples.

mod commands;
mod environment;
mod inventory;
mod schema;
mod tables;

use std::path::Path;
use std::process::Command;

use crate::support;

/// Compares a file of the project with what it should hold, or writes it.
fn golden(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if support::blesses() {
        std::fs::create_dir_all(file.parent().expect("is in a directory")).expect("makes the directory");
        std::fs::write(&file, wanted).expect("writes the file");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    let line = first.unwrap_or_else(|| found.lines().count().min(wanted.lines().count()));
    assert!(
        found == wanted,
        "{path} is not what the program says, from line {} on:\n  file:    {:?}\n  program: {:?}\n\
         `CKI_TEST_BLESS=1 cargo test generated` writes it again",
        line + 1,
        found.lines().nth(line),
        wanted.lines().nth(line)
    );
}

/// Returns the head of a generated document.
fn head(title: &str) -> String {
    format!("# {title}\n\n<!-- From the program, by `CKI_TEST_BLESS=1 cargo test generated`. -->\n")
}

#[test]
fn completion_scripts_are_up_to_date() {
    for (shell, file) in [
        ("bash", "cki.bash"),
        ("zsh", "_cki"),
        ("fish", "cki.fish"),
        ("elvish", "cki.elv"),
        ("powershell", "cki.ps1"),
    ] {
        let home = tempfile::tempdir().expect("a temporary directory");
        let output = Command::new(env!("CARGO_BIN_EXE_cki"))
            .args(["completions", shell])
            .env_clear()
            .envs(support::clean_env(home.path()).iter())
            .current_dir(home.path())
            .output()
            .expect("runs");
        assert!(output.status.success(), "{shell}");
        golden(&format!("completions/{file}"), &String::from_utf8(output.stdout).expect("is text"));
    }
}
