//! Rules of `.dockerignore`, as Docker's client applies them: each line is a pattern, a `!` reverses earlier
//! exclusions, the last matching line decides, and a match of a directory covers everything below it. `*` and
//! `?` stop at a `/`, `**` does not.

use regex::Regex;

/// An invalid pattern.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}: `{pattern}`")]
pub(super) struct BadPattern {
    line: usize,
    pattern: String,
    why: &'static str,
}

/// Rules of one file.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    exception: bool,
    matcher: Matcher,
    /// Directories that it names before its first wildcard.
    literal: Vec<String>,
}

#[derive(Debug)]
enum Matcher {
    Exact(String),
    /// Pattern `dir/**`.
    Prefix(String),
    /// Pattern `**/name`, or `**name`, which needs no `/` before it.
    Suffix(String),
    Regex(Regex),
}

/// Patterns that matched a directory or one of its parents.
#[derive(Debug, Clone, Default)]
pub(super) struct MatchInfo(Vec<bool>);

impl Ignore {
    /// Parses the rules.
    pub(super) fn parse(text: &str) -> Result<Self, BadPattern> {
        let mut patterns = Vec::new();
        for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if raw.starts_with('#') || raw.trim().is_empty() {
                continue;
            }
            let bad = |why| BadPattern {
                line: index + 1,
                pattern: crate::base::text::safe_line(raw).into_owned(),
                why,
            };
            let (exception, pattern) = match raw.trim().strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, raw.trim()),
            };
            if pattern.is_empty() {
                return Err(bad("an exception needs a pattern"));
            }
            let pattern = clean(pattern);
            let matcher = compile(&pattern).map_err(bad)?;
            let literal = pattern
                .split('/')
                .take_while(|part| !part.contains(['*', '?', '[', '\\']))
                .map(str::to_owned)
                .collect();
            patterns.push(Pattern { exception, matcher, literal });
        }
        Ok(Self { patterns })
    }

    /// Returns whether a relative path with `/` is excluded, and the state for the paths below it. `above` is
    /// the state of its parent directory.
    pub(super) fn is_excluded(&self, path: &str, above: &MatchInfo) -> (bool, MatchInfo) {
        let mut excluded = false;
        let mut here = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = above.0.get(index).copied().unwrap_or(false);
            // A pattern that would change nothing is not tried, and does not count as matched for paths
            // below, either.
            if inherited || (pattern.exception == excluded && pattern.matcher.matches(path)) {
                here[index] = true;
                excluded = !pattern.exception;
            }
        }
        (excluded, MatchInfo(here))
    }

    /// Returns whether an exception may re-include a path below an excluded directory.
    pub(super) fn may_except_below(&self, directory: &str) -> bool {
        self.patterns.iter().filter(|pattern| pattern.exception).any(|pattern| {
            directory.split('/').zip(&pattern.literal).all(|(directory, literal)| directory == literal)
        })
    }
}

impl Matcher {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/').is_some_and(|name| path == name)
            }
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

/// Returns the shortest equivalent path: no `.`, no resolvable `..`, no double or trailing `/`; and no
/// leading one, since all paths are relative to the context.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                // The parent of the root is the root.
                None if pattern.starts_with('/') => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn compile(pattern: &str) -> Result<Matcher, &'static str> {
    let mut regex = String::from("(?s)^");
    let mut plain = true;
    let mut suffix_only = pattern.starts_with("**");
    let mut at = 0;
    let characters: Vec<char> = pattern.chars().collect();
    while at < characters.len() {
        let wildcard_at_start = at == 0;
        match characters[at] {
            '*' if characters.get(at + 1) == Some(&'*') => {
                at += 2;
                if characters.get(at) == Some(&'/') {
                    at += 1;
                }
                let ends = at == characters.len();
                if ends && plain && !wildcard_at_start {
                    return Ok(Matcher::Prefix(pattern[..pattern.len() - 2].to_owned()));
                }
                regex.push_str(if ends { ".*" } else { "(.*/)?" });
                suffix_only &= wildcard_at_start;
                plain = false;
                continue;
            }
            '*' => {
                regex.push_str("[^/]*");
                (plain, suffix_only) = (false, false);
            }
            '?' => {
                regex.push_str("[^/]");
                (plain, suffix_only) = (false, false);
            }
            '[' => {
                at = class(&characters, at + 1, &mut regex)?;
                (plain, suffix_only) = (false, false);
                continue;
            }
            '\\' => {
                at += 1;
                let escaped = characters.get(at).ok_or("it ends with a `\\`")?;
                regex.push_str(&regex::escape(&escaped.to_string()));
                (plain, suffix_only) = (false, false);
            }
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
        at += 1;
    }
    if plain {
        return Ok(Matcher::Exact(pattern.to_owned()));
    }
    if suffix_only {
        return Ok(Matcher::Suffix(pattern[2..].to_owned()));
    }
    regex.push('$');
    Regex::new(&regex).map(Matcher::Regex).map_err(|_| "it is too large")
}

/// Translates `[a-z]` or `[^a-z]` from after its bracket; returns the position of its end.
fn class(characters: &[char], mut at: usize, regex: &mut String) -> Result<usize, &'static str> {
    let next = |at: &mut usize| -> Result<char, &'static str> {
        const OPEN: &str = "a `[` is not closed, or has an empty range";
        let mut character = *characters.get(*at).ok_or(OPEN)?;
        if character == '-' || character == ']' {
            return Err(OPEN);
        }
        if character == '\\' {
            *at += 1;
            character = *characters.get(*at).ok_or(OPEN)?;
        }
        *at += 1;
        // Something must follow, at least the closing bracket.
        if *at < characters.len() { Ok(character) } else { Err(OPEN) }
    };
    regex.push('[');
    if characters.get(at) == Some(&'^') {
        regex.push('^');
        at += 1;
    }
    loop {
        let low = next(&mut at)?;
        let mut high = low;
        if characters[at] == '-' {
            at += 1;
            high = next(&mut at)?;
        }
        if low > high {
            return Err("a range goes backwards");
        }
        regex.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high)));
        if characters[at] == ']' {
            regex.push(']');
            return Ok(at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns whether a path is excluded, directory by directory as in a walk.
    fn excludes(rules: &Ignore, path: &str) -> bool {
        let mut above = MatchInfo::default();
        for (at, _) in path.match_indices('/') {
            above = rules.is_excluded(&path[..at], &above).1;
        }
        rules.is_excluded(path, &above).0
    }

    fn excluded(rules: &str, path: &str) -> bool {
        excludes(&Ignore::parse(rules).expect(rules), path)
    }

    #[test]
    fn ignore_matches_single_patterns() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("**", &["a", "a/b"], &[]),
            ("**/", &["a", "a/b"], &[]),
            ("logs/**", &["logs/x", "logs/x/y"], &["logs", "x/logs"]),
            ("**/cache", &["cache", "a/cache", "a/b/cache", "a/cache/x"], &["acache", "a/cache2"]),
            ("**cache", &["cache", "a/cache", "acache"], &["cached"]),
            ("**/out/*", &["out/x", "a/out/x", "out/x/y"], &["out", "a/out"]),
            ("**/out/**", &["out/x", "a/out/x/y"], &["out"]),
            ("**/**/*.log", &["a.log", "x/y/a.log"], &["a.log2"]),
            ("a**/*.log", &["a/x.log", "a/b/c/x.log"], &["b/x.log"]),
            ("*.log", &["a.log", ".log"], &["a/b.log", "a.logs"]),
            ("*", &["a", "a/b/c"], &[]),
            ("a/*.log", &["a/x.log"], &["a/b/x.log"]),
            ("doc?", &["docs", "docs/x"], &["doc", "doc/s"]),
            ("a[b-d]e", &["ace"], &["ae", "aee"]),
            ("a[^b-d]e", &["aze"], &["ace"]),
            ("[\\-x]", &["-", "x"], &["a"]),
            ("[a-ζ]*", &["α"], &["A"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("a?b", &["a☺b"], &["a/b", "ab"]),
            (".*", &[".env"], &["env", "a/.env"]),
            ("a.b", &["a.b"], &["axb"]),
            ("a(b)|c+{1}$^", &["a(b)|c+{1}$^"], &["ab"]),
            ("/root/", &["root", "root/x"], &["a/root"]),
            ("./a/../b//c", &["b/c"], &["a"]),
            ("  spaced  ", &["spaced"], &[]),
            (".", &[], &["a", ".x"]),
            ("/", &[], &["a"]),
            ("../x", &[], &["x"]),
            ("directory", &["directory", "directory/x/y"], &["directories", "x/directory"]),
        ];
        for (pattern, yes, no) in cases {
            for path in *yes {
                assert!(excluded(pattern, path), "{pattern} should exclude {path}");
            }
            for path in *no {
                assert!(!excluded(pattern, path), "{pattern} should leave {path}");
            }
        }
    }

    #[test]
    fn ignore_applies_last_matching_line() {
        let rules = "# docs\n\n*.md\n!README.md\nREADME-secret.md\n";
        assert!(excluded(rules, "a.md"));
        assert!(!excluded(rules, "README.md"));
        assert!(excluded(rules, "README-secret.md"));
        assert!(excluded("*.md\n!README*.md\nREADME-secret.md", "README-secret.md"));
        assert!(excluded("!a\n*", "a"), "an exception before the rule is none");
        assert!(!excluded("docs\n!docs/keep", "docs/keep/x"));
        assert!(!excluded("docs/\n! /docs/keep", "docs/keep"));
        assert!(excluded("docs\n!docs/keep", "docs/other"));
        assert!(!excluded("**\n!src/lib", "src/lib/x"));
        assert!(excluded("**\n!src/lib\nsrc/lib/x", "src/lib/x"));
        assert!(!excluded("**\n!**/*.whl", "dist/a/b.whl"));
    }

    #[test]
    fn ignore_handles_comments_bom_and_escapes() {
        assert!(excluded("\u{feff}a\r\n", "a"));
        assert!(!excluded("#a", "#a"));
        assert!(excluded(" #a", "#a"), "only the first column makes a comment");
        assert!(excluded("\\#a", "#a"));
    }

    #[test]
    fn ignore_parse_names_invalid_patterns() {
        for wrong in
            ["!", "! ", "[", "a[", "[^", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\", "[z-a]"]
        {
            let error = Ignore::parse(&format!("fine\n{wrong}")).expect_err(wrong).to_string();
            assert!(error.starts_with("line 2: ") && error.contains(wrong.trim()), "{error}");
        }
    }

    #[test]
    fn may_except_below_skips_unreachable_directories() {
        let rules = Ignore::parse("*\n!src/keep/*.c\n").expect("is good");
        assert!(rules.may_except_below("src"));
        assert!(rules.may_except_below("src/keep"));
        assert!(!rules.may_except_below("target"));
        assert!(!rules.may_except_below("src/other"));
        let everywhere = Ignore::parse("*\n!**/x").expect("is good");
        assert!(everywhere.may_except_below("target/deep"));
    }

    proptest! {
        #[test]
        fn excluded_directory_excludes_its_contents(
            line in "[a-c*?/!.\\[\\]^\\\\-]{1,8}",
            path in "[a-c]{1,2}(/[a-c]{1,2}){0,3}",
        ) {
            if let Ok(rules) = Ignore::parse(&line)
                && excludes(&rules, &path)
            {
                prop_assert!(excludes(&rules, &format!("{path}/below")), "{line} {path}");
            }
        }

        #[test]
        fn skipped_directories_hold_no_included_paths(
            lines in prop::collection::vec("!?[ab*]{1,2}(/[ab*]{1,2}){0,2}", 1..5),
            path in "[ab]{1,2}(/[ab]{1,2}){1,3}",
        ) {
            let rules = Ignore::parse(&lines.join("\n")).expect("are good");
            for (at, _) in path.match_indices('/') {
                if excludes(&rules, &path[..at]) && !rules.may_except_below(&path[..at]) {
                    prop_assert!(excludes(&rules, &path), "{lines:?} {path}");
                }
            }
        }

        #[test]
        fn plain_name_excludes_only_its_tree(
            name in "[a-z]{1,5}(/[a-z]{1,5}){0,2}",
            other in "[a-z]{1,5}(/[a-z]{1,5}){0,2}",
        ) {
            prop_assert!(excluded(&name, &name));
            let below = other == name || other.starts_with(&format!("{name}/"));
            prop_assert_eq!(excluded(&name, &other), below);
        }
    }
}
