//! Finds the paths by which a source file names other modules of its crate. The words are cut in
//! `tokens`. The rules for modules belong in the parent module.

use std::collections::BTreeSet;

use super::tokens::{Token, TokenKind, tokens};

/// A path as it is written, resolved as far as that needs no look at other files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Counted from 1.
    pub(super) line: usize,
    /// `crate::a::b` is `["a", "b"]`; a glob ends in `*`.
    pub(super) path: Vec<String>,
    /// True if `path` starts at the crate's root. One that does not starts at a name that is known
    /// where it stands: of an import, of a child module, of another crate, of an item.
    pub(super) rooted: bool,
    /// The module in which it stands, inline modules included.
    pub(super) within: Vec<String>,
    /// True in the tests of the file.
    pub(super) tested: bool,
    /// Import by `use`, if the path is one.
    pub(super) import: Option<Import>,
}

/// A name that a `use` brings into a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// The name after `as`, if there is one.
    pub(super) name: String,
    /// True if the `use` is public in some way, so that other modules may take the name from here.
    pub(super) handed_on: bool,
}

/// Names of a source.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In the order of the source.
    pub(super) references: Vec<Reference>,
    /// The words that the code uses outside of its tests, without those of its `use` declarations,
    /// and without the names of methods and fields.
    pub(super) words: BTreeSet<String>,
}

impl Names {
    /// Returns whether a path of the code begins with a name.
    pub(super) fn starts_path(&self, name: &str) -> bool {
        self.references.iter().any(|reference| {
            !reference.rooted
                && reference.import.is_none()
                && reference.path.first().is_some_and(|first| first == name)
        })
    }
}

/// All references of a source to modules of its own crate by `crate::`, `super::` and `self::`, in
/// `use` (nested braces included) and in the midst of code. `module` is the path of the file's module.
pub(super) fn references(source: &str, module: &[String]) -> Vec<Reference> {
    names(source, module).references.into_iter().filter(|reference| reference.rooted).collect()
}

/// All paths of a source, and the words of its code. `module` is the path of the file's module.
pub(super) fn names(source: &str, module: &[String]) -> Names {
    let tokens = tokens(source);
    let mut found = Names::default();
    let mut depth = 0_usize;
    // The inline modules around the current place, each with the depth of its braces, and whether it
    // holds tests.
    let mut inside: Vec<(String, usize, bool)> = Vec::new();
    let mut tests_follow = false;
    let mut at = 0;
    while at < tokens.len() {
        let here = || module.iter().chain(inside.iter().map(|(name, ..)| name)).cloned().collect();
        let tested = inside.iter().any(|(.., tested)| *tested);
        match &tokens[at].what {
            TokenKind::Mark('#') if is_for_tests(&tokens[at..]) => tests_follow = true,
            TokenKind::Mark('{') => {
                depth += 1;
                if let Some(name) = module_opened_by(&tokens, at) {
                    inside.push((name, depth, tests_follow));
                }
                tests_follow = false;
            }
            TokenKind::Mark(';') => tests_follow = false,
            TokenKind::Mark('}') => {
                inside.pop_if(|(_, opened, _)| *opened == depth);
                depth = depth.saturating_sub(1);
            }
            TokenKind::Word(word) if word == "use" && begins_import(&tokens, at) => {
                let handed_on = at.checked_sub(1).is_some_and(|before| is_visibility(&tokens[before].what));
                at =
                    tree(&tokens, at + 1, &Base::new(here(), tested, Some(handed_on)), &mut found.references);
                continue;
            }
            TokenKind::Word(word) if begins_path(&tokens, at) => {
                if !tested {
                    found.words.insert(word.clone());
                }
                at = tree(&tokens, at, &Base::new(here(), tested, None), &mut found.references);
                continue;
            }
            TokenKind::Word(word) if !tested && !is_named_otherwise(&tokens, at) => {
                found.words.insert(word.clone());
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The name of the inline module whose brace stands at `at`.
fn module_opened_by(tokens: &[Token], at: usize) -> Option<String> {
    let [.., keyword, name] = &tokens[..at] else { return None };
    match (&keyword.what, &name.what) {
        (TokenKind::Word(keyword), TokenKind::Word(name)) if keyword == "mod" => Some(name.clone()),
        _ => None,
    }
}

/// Returns whether the word at `at` is the name of a declared module, a method or a field.
fn is_named_otherwise(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1);
    is_mark(tokens, before, '.') || is(tokens, before, &TokenKind::Word("mod".to_owned()))
}

/// Returns whether `#[cfg(test)]` begins here.
fn is_for_tests(tokens: &[Token]) -> bool {
    let words = |text: &str| TokenKind::Word(text.to_owned());
    let attribute = [
        TokenKind::Mark('#'),
        TokenKind::Mark('['),
        words("cfg"),
        TokenKind::Mark('('),
        words("test"),
        TokenKind::Mark(')'),
        TokenKind::Mark(']'),
    ];
    tokens.len() >= attribute.len() && tokens.iter().zip(&attribute).all(|(token, what)| token.what == *what)
}

fn is(tokens: &[Token], at: Option<usize>, what: &TokenKind) -> bool {
    at.and_then(|at| tokens.get(at)).is_some_and(|token| token.what == *what)
}

fn is_mark(tokens: &[Token], at: Option<usize>, mark: char) -> bool {
    is(tokens, at, &TokenKind::Mark(mark))
}

/// Returns whether the `use` at `at` brings a name into scope; that of `impl Trait + use<'_>` does not.
fn begins_import(tokens: &[Token], at: usize) -> bool {
    matches!(tokens.get(at + 1).map(|token| &token.what), Some(TokenKind::Word(_) | TokenKind::Mark('{')))
}

/// Returns whether a token is the end of `pub` or `pub(...)`.
fn is_visibility(what: &TokenKind) -> bool {
    *what == TokenKind::Word("pub".to_owned()) || *what == TokenKind::Mark(')')
}

/// Returns whether a path begins here. `pub(in crate::a)` names one without using it.
fn begins_path(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1);
    let visibility =
        is(tokens, before, &TokenKind::Word("in".to_owned())) && is_mark(tokens, at.checked_sub(2), '(');
    is(tokens, Some(at + 1), &TokenKind::Colons) && !is(tokens, before, &TokenKind::Colons) && !visibility
}

/// Path resolved so far.
#[derive(Clone)]
struct Base {
    path: Vec<String>,
    rooted: bool,
    /// True once a name has been read: `super` and `self` start a path, and mean something else after
    /// its beginning.
    begun: bool,
    /// The module in which the path stands.
    within: Vec<String>,
    /// True in the tests of the file.
    tested: bool,
    /// In a `use`, whether it hands its names on.
    handed_on: Option<bool>,
}

impl Base {
    fn new(within: Vec<String>, tested: bool, handed_on: Option<bool>) -> Self {
        Self { path: Vec::new(), rooted: false, begun: false, within, tested, handed_on }
    }

    fn step(&mut self, word: &str) {
        match word {
            "crate" if !self.begun => (self.path, self.rooted, self.begun) = (Vec::new(), true, true),
            // Within braces, `self` is the path before them.
            "self" if self.begun => {}
            "self" | "super" if !self.begun => {
                if !self.rooted {
                    (self.path, self.rooted) = (self.within.clone(), true);
                }
                if word == "super" {
                    self.path.pop();
                }
            }
            _ => {
                self.path.push(word.to_owned());
                self.begun = true;
            }
        }
    }

    fn end(self, line: usize, name: Option<String>) -> Reference {
        let Self { path, rooted, within, tested, handed_on, .. } = self;
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        let import = handed_on.map(|handed_on| Import { name, handed_on });
        Reference { line, path, rooted, within, tested, import }
    }
}

/// Reads a path, or a tree of them in braces, from `at`; returns the place behind it.
fn tree(tokens: &[Token], mut at: usize, base: &Base, found: &mut Vec<Reference>) -> usize {
    let line = tokens.get(at).map_or(0, |token| token.line);
    let mut base = base.clone();
    loop {
        match tokens.get(at).map(|token| &token.what) {
            Some(TokenKind::Word(word)) => base.step(word),
            Some(TokenKind::Mark('*')) => base.path.push("*".to_owned()),
            Some(TokenKind::Mark('{')) => return branches(tokens, at + 1, &base, found),
            _ => break,
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token.what != TokenKind::Colons) {
            break;
        }
        at += 1;
    }
    let mut name = None;
    if base.handed_on.is_some()
        && let (Some(TokenKind::Word(renamed)), Some(TokenKind::Word(new))) =
            (tokens.get(at).map(|token| &token.what), tokens.get(at + 1).map(|token| &token.what))
        && renamed == "as"
    {
        name = Some(new.clone());
        at += 2;
    }
    found.push(base.end(line, name));
    at
}

/// Reads the trees between braces, from behind the opening one.
fn branches(tokens: &[Token], mut at: usize, base: &Base, found: &mut Vec<Reference>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.what {
            TokenKind::Mark('}') => return at + 1,
            TokenKind::Word(_) | TokenKind::Mark('*' | '{') => {
                at = tree(tokens, at, base, found);
            }
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// References as `line path`, seen from the module `ops::build`.
    fn seen(source: &str) -> Vec<String> {
        let module = ["ops".to_owned(), "build".to_owned()];
        references(source, &module).iter().map(|r| format!("{} {}", r.line, r.path.join("::"))).collect()
    }

    #[test]
    fn references_include_nested_use_trees() {
        let source =
            "use crate::{\n    base::{text, yaml::*},\n    cli as c, ui,\n};\nuse crate::host::{self, Env};";
        assert_eq!(
            seen(source),
            ["2 base::text", "2 base::yaml::*", "3 cli", "3 ui", "5 host", "5 host::Env"]
        );
    }

    #[test]
    fn references_include_code_attributes_and_macros() {
        let source = "fn f(x: &crate::cli::Args) -> Vec<crate::ui::Ui> { $crate::demo::g::<u8>(|| crate::report::h()) }\n#[x(with = crate::host::y)]";
        assert_eq!(seen(source), ["1 cli::Args", "1 ui::Ui", "1 demo::g", "1 report::h", "2 host::y"]);
    }

    #[test]
    fn references_resolve_super_from_their_module() {
        assert_eq!(seen("use super::super::cli;"), ["1 cli"]);
        assert_eq!(seen("use super::clone;"), ["1 ops::clone"]);
        assert_eq!(seen("use self::super::clone;"), ["1 ops::clone"]);
        assert_eq!(seen("use self::part::X;"), ["1 ops::build::part::X"]);
        assert_eq!(
            seen("mod tests { use super::*; mod deep { use super::super::super::x; } }\nuse super::y;"),
            ["1 ops::build::*", "1 ops::x", "2 ops::y"]
        );
        assert_eq!(seen("fn f() { if x { } }\nuse super::{super::report, y};"), ["2 report", "2 ops::y"]);
    }

    #[test]
    fn references_skip_comments_strings_and_visibility() {
        let source = concat!(
            "//! crate::cli\n/* crate::cli /* super::super::cli */ crate::cli */\n",
            "const A: &str = \"crate::cli \\\" crate::cli\"; const B: &str = r#\"\" crate::cli\"#;\n",
            "const C: &[u8] = b\"crate::cli\"; const D: char = '\"'; const E: u8 = b'\\''; const F: char = '\\u{7f}';\n",
            "pub(crate) fn f<'a>(x: &'a str) {} pub(super) mod g; pub(in crate::ops) mod h;\n",
            "fn r#type() { crate::base::r#mod() }"
        );
        assert_eq!(seen(source), ["6 base::mod"]);
    }
}
