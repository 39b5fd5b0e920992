//! The commands that `cki` prints in hints and messages: each must be understood when it is typed. What a command does
//! is up to its own tests. Words in capitals stand for what the user means.

use std::sync::OnceLock;

use clap::Command;
use clap::error::ErrorKind;

/// Fails if a command in the text, as `` `cki list` ``, is not understood.
#[track_caller]
pub(crate) fn check(text: &str) {
    static TREE: OnceLock<Command> = OnceLock::new();
    for line in text.lines() {
        for quoted in line.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("cki ")) {
            let Ok(words) = shell_words::split(quoted) else { panic!("`{quoted}` cannot be typed") };
            if matches!(words.as_slice(), [_, help, topic] if help == "help" && cki::cli::is_topic(topic)) {
                continue;
            }
            // A usage line shows a form.
            let is_example = words.iter().any(|word| word.contains(['…', '<', '[']));
            // Words in capitals stand for what the user means.
            let words = words.iter().map(|word| if word == "N" { "1" } else { word.as_str() });
            let tree = TREE.get_or_init(cki::cli::command_tree).clone();
            let error = tree.try_get_matches_from(words).err();
            let is_wrong = error.as_ref().is_some_and(|error| {
                // A hint can be typed; any other text may name a command without its arguments.
                let is_name =
                    !line.starts_with("hint:") && error.kind() == ErrorKind::MissingRequiredArgument;
                !is_name && !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
            });
            assert!(is_example || !is_wrong, "`{quoted}` is not understood, in: {line}\n{error:?}");
        }
    }
}

#[test]
fn check_rejects_a_command_that_cannot_be_typed() {
    check("hint: `cki list` shows all components, `cki stage --mr N` stages one, `cki help scan` is a page.");
    let wrong = std::panic::catch_unwind(|| check("hint: `cki lst` shows them."));
    assert!(wrong.is_err());
}
