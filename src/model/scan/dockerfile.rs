//! Dockerfiles, parsed like builders do: instructions over several lines, comments between them,
//! here-documents. Their commands are shell. The output of the C preprocessor is unknown here; its
//! directives look like comments and count as such.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::analysis;
use super::error::ScanRulesError;
use super::grammar::Grammar;
use super::references::references;
use super::rules::Language;
use super::syntax::is_shell;
use super::{EnvRead, FileScan, Requirement};
use crate::model::environment::is_variable_name;

/// Scans one file.
pub(super) fn scan(language: &Language, text: &str) -> Result<FileScan, ScanRulesError> {
    let mut reader = DockerfileReader {
        language,
        known: BTreeSet::new(),
        image: BTreeSet::new(),
        found: FileScan::default(),
    };
    for instruction in instructions(text) {
        reader.read(&instruction)?;
    }
    Ok(reader.found)
}

/// One instruction.
struct Instruction {
    /// First line.
    line: usize,
    /// Keyword in capitals.
    keyword: String,
    /// Arguments, with the line breaks of the file.
    rest: String,
    /// Marks an instruction with here-documents.
    is_document: bool,
}

/// Returns the instructions of a file: each keyword in capitals, and its arguments.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    instructions(text).into_iter().map(|one| (one.keyword, one.rest)).collect()
}

fn instructions(text: &str) -> Vec<Instruction> {
    let mut all = Vec::new();
    let mut escape = '\\';
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let bare = line.trim();
        if let Some(comment) = bare.strip_prefix('#') {
            if let Some(("escape", value)) = comment.split_once('=').map(|(key, value)| (key.trim(), value)) {
                escape = value.trim().chars().next().filter(|_| all.is_empty()).unwrap_or(escape);
            }
            continue;
        }
        if bare.is_empty() {
            continue;
        }
        let (keyword, first) = bare.split_once(char::is_whitespace).unwrap_or((bare, ""));
        let mut rest = String::new();
        let mut part = first.to_owned();
        // Comments and empty lines do not end a continued instruction.
        loop {
            let going_on = part.trim_end().strip_suffix(escape).map(str::to_owned);
            let Some(kept) = going_on.filter(|_| lines.peek().is_some()) else {
                rest.push_str(&part);
                break;
            };
            rest.push_str(&kept);
            rest.push_str("\\\n");
            let mut next = lines.next().map(|(_, line)| line).unwrap_or_default();
            while (next.trim().is_empty() || next.trim_start().starts_with('#')) && lines.peek().is_some() {
                rest.push_str("\\\n");
                next = lines.next().map(|(_, line)| line).unwrap_or_default();
            }
            part = next.to_owned();
            if next.trim().is_empty() || next.trim_start().starts_with('#') {
                break;
            }
        }
        let keyword = keyword.to_ascii_uppercase();
        let ends = if matches!(&*keyword, "RUN" | "COPY" | "ADD") { documents(&rest) } else { Vec::new() };
        let is_document = !ends.is_empty();
        for end in ends {
            for (_, line) in lines.by_ref() {
                rest.push('\n');
                rest.push_str(line);
                if line.trim_start_matches('\t') == end {
                    break;
                }
            }
        }
        all.push(Instruction { line: index + 1, keyword, rest, is_document });
    }
    all
}

/// Returns the terminators of the here-documents that an instruction opens. Like BuildKit, it accepts
/// them only at the beginning of a word, so that a bit shift does not count.
fn documents(text: &str) -> Vec<String> {
    static OPENING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:^|\s)\d*<<-?["']?([A-Za-z_][A-Za-z0-9_]*)"#).expect("is a regular expression")
    });
    OPENING.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

struct DockerfileReader<'a> {
    language: &'a Language,
    /// Arguments and variables that the file defines.
    known: BTreeSet<String>,
    /// Variables that the image sets at run time.
    image: BTreeSet<String>,
    found: FileScan,
}

impl DockerfileReader<'_> {
    fn read(&mut self, instruction: &Instruction) -> Result<(), ScanRulesError> {
        let Instruction { line, keyword, rest, is_document } = instruction;
        match keyword.as_str() {
            "ARG" => {
                for (name, value, at) in assignments(rest) {
                    let need = if value.is_some() { Requirement::Default } else { Requirement::Optional };
                    self.expand(value.unwrap_or_default(), line + at);
                    if self.known.insert(name.to_owned()) {
                        self.add(name, line + at, need, true);
                    }
                }
            }
            "ENV" => {
                for (name, value, at) in env_assignments(rest) {
                    self.expand(value, line + at);
                    self.known.insert(name.to_owned());
                    self.image.insert(name.to_owned());
                    self.found.sets.push((name.to_owned(), line + at));
                }
            }
            "ONBUILD" => {
                let (keyword, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let (keyword, rest) = (keyword.to_ascii_uppercase(), rest.to_owned());
                if keyword != "ONBUILD" {
                    return self.read(&Instruction { line: *line, keyword, rest, is_document: false });
                }
            }
            "RUN" => self.command(rest, *line, true)?,
            "CMD" | "ENTRYPOINT" => self.command(rest, *line, false)?,
            "HEALTHCHECK" => {
                let command =
                    rest.split_once("CMD").map(|(options, command)| (options.matches('\n').count(), command));
                if let Some((before, command)) = command {
                    self.command(command.trim_start_matches([' ', '\t']), line + before, false)?;
                }
            }
            "COPY" | "ADD" if *is_document => self.command(rest, *line, true)?,
            "FROM" | "COPY" | "ADD" | "LABEL" | "USER" | "WORKDIR" | "EXPOSE" | "VOLUME" | "STOPSIGNAL" => {
                self.expand(rest, *line);
            }
            _ => {}
        }
        Ok(())
    }

    /// Scans a command: shell, or a list of words in JSON that may call a shell.
    fn command(&mut self, rest: &str, line: usize, build: bool) -> Result<(), ScanRulesError> {
        let words =
            rest.trim_start().starts_with('[').then(|| serde_json::from_str::<Vec<String>>(rest).ok());
        let script = match words.flatten() {
            None => rest.to_owned(),
            Some(words) => match shell_script(&words) {
                Some(script) => script.to_owned(),
                None => return Ok(()),
            },
        };
        let scan = analysis::scan(self.language, Grammar::Bash, &script, &BTreeMap::new())?;
        for find in scan.finds {
            // At run time, `ENV` gives a default that other settings may override; build arguments no
            // longer exist.
            let need = match build {
                true if self.known.contains(&find.name) => continue,
                false if self.image.contains(&find.name) => Requirement::Default,
                _ => find.need,
            };
            self.add(&find.name, line + find.line - 1, need, build);
        }
        self.found.unknown.extend(scan.unknown.into_iter().map(|mut unknown| {
            unknown.line += line - 1;
            unknown
        }));
        Ok(())
    }

    /// Scans `$X` in an instruction that is not a command.
    fn expand(&mut self, text: &str, line: usize) {
        for (name, need, at) in references(text) {
            if !self.known.contains(&name) {
                self.add(&name, line + at, need, true);
            }
        }
    }

    fn add(&mut self, name: &str, line: usize, need: Requirement, build: bool) {
        if is_variable_name(name) {
            self.found.finds.push(EnvRead { name: name.to_owned(), line, need, build, test: false });
        }
    }
}

/// Returns the script that the words of a command pass to a shell, directly or behind another program:
/// `tini -- sh -c SCRIPT`.
pub(super) fn shell_script(words: &[String]) -> Option<&str> {
    let shell = words.iter().position(|word| is_shell(word))?;
    let is_option = |word: &String| word.starts_with('-') && word.ends_with('c');
    let option = words[shell + 1..].iter().position(is_option)?;
    words.get(shell + option + 2).map(String::as_str)
}

/// Parses `A=1 B "C=x y"`; each item has its line offset.
fn assignments(text: &str) -> Vec<(&str, Option<&str>, usize)> {
    words(text)
        .into_iter()
        .map(|(word, at)| match word.split_once('=') {
            Some((name, value)) => (name, Some(value), at),
            None => (word, None, at),
        })
        .filter(|(name, ..)| is_variable_name(name))
        .collect()
}

/// Parses assignments of `ENV`, including the old form `NAME some value`.
fn env_assignments(text: &str) -> Vec<(&str, &str, usize)> {
    let first = words(text).first().map(|(word, _)| *word).unwrap_or_default();
    if !first.is_empty() && !first.contains('=') {
        let value = text.trim_start().strip_prefix(first).unwrap_or_default();
        return if is_variable_name(first) { vec![(first, value, 0)] } else { Vec::new() };
    }
    let all = assignments(text).into_iter();
    all.filter_map(|(name, value, at)| Some((name, value?, at))).collect()
}

/// Splits a text into words, which may have quoted parts; each has its line offset.
fn words(text: &str) -> Vec<(&str, usize)> {
    let mut words = Vec::new();
    let (mut begin, mut quote, mut lines, mut begin_lines) = (None, None, 0, 0);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', _) if text[at..].starts_with("\\\n") && quote.is_none() => {
                if let Some(begin) = begin.take() {
                    words.push((&text[begin..at], begin_lines));
                }
                characters.next();
                lines += 1;
                continue;
            }
            ('\\', _) => {
                lines += usize::from(characters.next().is_some_and(|(_, next)| next == '\n'));
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(character),
            (c, None) if c.is_whitespace() => {
                if let Some(begin) = begin.take() {
                    words.push((&text[begin..at], begin_lines));
                }
                lines += usize::from(c == '\n');
                continue;
            }
            ('\n', _) => lines += 1,
            _ => {}
        }
        if begin.is_none() {
            (begin, begin_lines) = (Some(at), lines);
        }
    }
    words.extend(begin.map(|begin| (&text[begin..], begin_lines)));
    words
}
