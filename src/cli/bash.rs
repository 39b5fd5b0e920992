//! Completion in bash. Bash splits words at `=`, `:` and `@` and hands over the pieces: this adapter joins
//! them before clap parses the command line, and removes the part before the last piece from the answers.
//! Candidates come from `complete`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::engine::complete;
use clap_complete::env::{Bash as Builtin, EnvCompleter};

use crate::host::Host;

/// Characters at which bash splits words, in addition to white space and shell syntax.
const BREAKS: [char; 3] = ['=', ':', '@'];

/// Bash, as clap's `EnvCompleter` sees a shell.
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        Builtin.name()
    }

    fn is(&self, name: &str) -> bool {
        Builtin.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        Builtin.write_registration(variable, name, bin, completer, script)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        pieces: Vec<OsString>,
        cwd: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let env = Host::real().env;
        let index = env.get("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok()).unwrap_or_default();
        let separator = env.get("_CLAP_IFS").unwrap_or("\n");
        let JoinedWords { words, index, before } = join(pieces, index);
        let candidates = complete(command, words, index, cwd)?;
        let values: Vec<String> = candidates
            .iter()
            .map(|candidate| candidate.get_value().to_string_lossy())
            .map(|value| value.strip_prefix(before.as_str()).unwrap_or(&value).to_owned())
            .collect();
        answer.write_all(values.join(separator).as_bytes())
    }
}

/// Words joined from the pieces of bash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JoinedWords {
    /// Words of the command line.
    pub(super) words: Vec<OsString>,
    /// Index of the word to complete.
    index: usize,
    /// Part of that word before the piece to complete.
    before: String,
}

/// Joins pieces: a break belongs to the word before it and to the word after it.
pub(super) fn join(pieces: Vec<OsString>, index: usize) -> JoinedWords {
    let is_break = |piece: &OsString| {
        piece.to_str().is_some_and(|piece| !piece.is_empty() && piece.chars().all(|c| BREAKS.contains(&c)))
    };
    let mut joined = JoinedWords { words: Vec::new(), index, before: String::new() };
    let mut after_break = false;
    for (at, piece) in pieces.into_iter().enumerate() {
        let breaks = is_break(&piece);
        // The first word is the program.
        let belongs = (breaks || after_break) && joined.words.len() > 1;
        after_break = breaks && joined.words.len() > 1;
        let last = joined.words.last_mut().filter(|_| belongs);
        if at == index {
            joined.before =
                last.as_deref().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
            joined.index = 0;
        }
        match last {
            Some(word) => word.push(&piece),
            None => joined.words.push(piece),
        }
        if at == index {
            joined.index = joined.words.len() - 1;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(pieces: &str, index: usize) -> (Vec<String>, usize, String) {
        let pieces = pieces.split(' ').map(OsString::from).collect();
        let JoinedWords { words, index, before } = join(pieces, index);
        (words.iter().map(|word| word.to_string_lossy().into_owned()).collect(), index, before)
    }

    #[test]
    fn joined_restores_words_split_by_bash() {
        let (words, index, before) = joined("cki --inventory = /x show pip", 5);
        assert_eq!((words.join(" "), index, before.as_str()), ("cki --inventory=/x show pip".into(), 3, ""));
        let (words, index, before) = joined("cki list --kind = cr", 4);
        assert_eq!((words.join(" "), index, before.as_str()), ("cki list --kind=cr".into(), 2, "--kind="));
        let (words, index, before) = joined("cki env x -e U = http : //me @ host pip", 11);
        assert_eq!(
            (words.join(" "), index, before.as_str()),
            ("cki env x -e U=http://me@host pip".into(), 5, "")
        );
        let (words, index, _) = joined("cki = x", 2);
        assert_eq!((words.join(" "), index), ("cki = x".into(), 2));
        // An index beyond the end stays beyond the end.
        assert_eq!(joined("cki", 1).1, 1);
    }
}
