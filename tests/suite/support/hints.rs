//! The commands that `cki` prints in hints and messages: each must be understood when it is typed. What they do is
//! tested in `verbs::hints` and by the tests of each command. Words in capitals stand for what the user means.

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

/// Every text of the program, not only those that a test happens to see. A placeholder of a format stands for
/// something that is right there.
#[test]
fn commands_in_the_texts_of_the_program_are_understood() {
    let mut left = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let joined = regex::Regex::new(r"\\\n\s*").expect("a rule");
    let placeholder = regex::Regex::new(r"\{[^{}]*\}").expect("a rule");
    let mut commands = 0;
    let mut wrong = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).expect("lists").map(|entry| entry.expect("lists").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("reads");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in joined.replace_all(text, "").lines().filter(|line| !line.trim_start().starts_with("//")) {
            for quoted in line.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("cki ")) {
                commands += 1;
                if let Some(error) =
                    misunderstood(&placeholder.replace_all(quoted, "1"), quoted.contains('{'))
                {
                    wrong.push(format!("{}: `{quoted}`: {error:?}", path.display()));
                }
            }
        }
    }
    assert!(commands > 80, "{commands}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the reason why a command cannot be typed.
fn misunderstood(command: &str, has_placeholder: bool) -> Option<ErrorKind> {
    let words = shell_words::split(command).ok()?;
    let is_form = words.iter().any(|word| word.contains(['…', '<', '[']));
    let is_topic = matches!(words.as_slice(), [_, help, topic] if help == "help" && (cki::cli::is_topic(topic) || topic == "TOPIC" || topic == "COMMAND"));
    if is_form
        || is_topic
        || words.get(1).is_some_and(|word| word == "COMMAND" || has_placeholder && word == "1")
    {
        return None;
    }
    let words = words.iter().map(|word| if word == "N" { "1" } else { word.as_str() });
    let kind = cki::cli::command_tree().try_get_matches_from(words).err()?.kind();
    let is_wrong = match kind {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => true,
        // A text may name a command without its arguments, and a placeholder may hold more than one word.
        ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => false,
        _ => !has_placeholder,
    };
    is_wrong.then_some(kind)
}

#[test]
fn check_rejects_a_command_that_cannot_be_typed() {
    check("hint: `cki list` shows all components, `cki stage --mr N` stages one, `cki help scan` is a page.");
    let wrong = std::panic::catch_unwind(|| check("hint: `cki lst` shows them."));
    assert!(wrong.is_err());
}
