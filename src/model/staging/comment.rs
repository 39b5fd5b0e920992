//! The comment of a staging request: rendered from a template, marked so that it is found again, and
//! parsed with the bot's rules, so that no comment is sent that the bot would read differently.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use minijinja::context;
use regex::Regex;

use super::combined::is_commit;
use super::parameter::is_key;
use super::quick_actions::is_quick_action;
use super::slash_command::{check_command, slash_command};
use super::{Rerun, StagedHead, StagingError, StagingParameter, StagingRequest, shown};
use crate::base::template::{Templates, WorkBudget};

/// Maximum length of a comment on GitLab.
const LONGEST_COMMENT: usize = 1_000_000;

/// Hidden marker in a comment: the commit and the request that it was written for, and the merge requests that it stages
/// together with its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    sha: String,
    request: String,
    combined: Vec<StagedHead>,
}

impl Marker {
    /// Returns the marker of a request for the head of a merge request.
    ///
    /// # Errors
    /// Fails when `sha` is not a commit ID.
    pub fn new(sha: &str, request: &StagingRequest) -> Result<Self, StagingError> {
        if !is_commit(sha) {
            return Err(StagingError::BadCommit { sha: shown(sha) });
        }
        let combined = request.combined().to_vec();
        Ok(Self { sha: sha.to_ascii_lowercase(), request: request.fingerprint(), combined })
    }

    /// Parses the marker of a comment, if it has one.
    #[must_use]
    pub fn find(body: &str) -> Option<Self> {
        static MARKER: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"<!-- cki:stage sha=([0-9a-f]{40,64}) request=([0-9a-f]{16})(?: with=(\S+))? -->")
                .expect("a constant expression")
        });
        let found = MARKER.captures(body)?;
        let combined = match found.get(3) {
            Some(list) => StagedHead::parse_list(list.as_str())?,
            None => Vec::new(),
        };
        Some(Self { sha: found[1].to_owned(), request: found[2].to_owned(), combined })
    }

    /// Returns the commit ID.
    #[must_use]
    pub fn sha(&self) -> &str {
        &self.sha
    }

    /// Returns the heads of the merge requests that it stages together with its own.
    #[must_use]
    pub fn combined(&self) -> &[StagedHead] {
        &self.combined
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<!-- cki:stage sha={} request={}", self.sha, self.request)?;
        if !self.combined.is_empty() {
            write!(f, " with={}", StagedHead::list(&self.combined))?;
        }
        f.write_str(" -->")
    }
}

/// Renders the comment. A template may use `bot`, `selectors` (pipelines to run again), `parameters`, `parameter.NAME`
/// (one value) and `marker`; a missing marker is appended.
///
/// # Errors
/// Fails when the template is invalid, or the bot would read the comment differently.
pub fn comment(template: &str, request: &StagingRequest, marker: &Marker) -> Result<String, StagingError> {
    let brackets = |items: Vec<String>| items.join(" ");
    let selectors = brackets(request.reruns().iter().map(|one| format!("[{one}]")).collect());
    let parameters =
        request.parameters().iter().map(|one| format!("[{}={}]", one.key(), one.value())).collect();
    let value = |one: &StagingParameter| (one.key().to_owned(), one.value().to_owned());
    let values: BTreeMap<String, String> = request.parameters().iter().map(value).collect();
    let rendered = Templates::new(&WorkBudget::default())
        .render(
            template,
            context! {
                bot => request.bot(),
                selectors => selectors,
                parameters => brackets(parameters),
                parameter => values,
                marker => marker.to_string(),
            },
        )
        .map_err(|error| StagingError::Template { why: shown(&error.to_string()) })?;
    let mut text = tidy(&rendered);
    if Marker::find(&text).as_ref() != Some(marker) {
        text = format!("{text}\n\n{marker}");
    }
    check(&text, request)?;
    Ok(text)
}

/// Removes the spaces around empty parts; spaces within values stay.
fn tidy(rendered: &str) -> String {
    let mut text = String::with_capacity(rendered.len());
    for line in rendered.lines() {
        let mut inside = false;
        let mut last = ' ';
        for character in line.trim_end().chars() {
            inside = character == '[' || (inside && character != ']');
            if inside || character != ' ' || last != ' ' {
                text.push(character);
            }
            last = character;
        }
        text.push('\n');
    }
    text.trim().to_owned()
}

/// Parses the comment as the bot does, and compares it with the request.
fn check(text: &str, request: &StagingRequest) -> Result<(), StagingError> {
    let fail = |why: &str| Err(StagingError::Unfaithful { why: why.to_owned() });
    if text.len() > LONGEST_COMMENT {
        return fail("it is too long");
    }
    check_lines(text)?;
    if let Some(line) = slash_command(text) {
        return check_command(line, request);
    }
    let Some(command) = parse_command(text, request.bot()) else {
        return fail("it does not mention the bot and the word `test` in one line");
    };
    if command.parameters != request.parameters() || command.reruns != request.reruns() {
        return fail("its `[key=value]` and `[group/id]` are not the requested ones");
    }
    if let Some(other) = command.other.first() {
        return Err(StagingError::Unfaithful { why: format!("it has `[{}]` besides", shown(other)) });
    }
    Ok(())
}

/// Refuses quick actions, which GitLab executes with the rights of the user.
pub(in crate::model) fn check_lines(text: &str) -> Result<(), StagingError> {
    let is_break = |c: char| matches!(c, '\n' | '\u{2028}' | '\u{2029}' | '\u{85}');
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(StagingError::Unfaithful { why: "it has a control character".to_owned() });
    }
    match text.split(is_break).find(|line| is_quick_action(line)) {
        None => Ok(()),
        Some(line) => Err(StagingError::QuickAction { line: shown(line) }),
    }
}

/// Returns whether a comment asks the bot for exactly this request. Quotations in the comment do not
/// count.
#[must_use]
pub fn asks_for(body: &str, request: &StagingRequest, marker: &Marker) -> bool {
    let own: Vec<&str> = body.lines().filter(|line| !line.trim_start().starts_with('>')).collect();
    let own = own.join("\n");
    // The marker of a command has all of the request.
    let is_command = slash_command(&own).is_some();
    Marker::find(&own).as_ref() == Some(marker)
        && (is_command
            || parse_command(&own, request.bot()).is_some_and(|command| {
                // The order does not count, as in the fingerprint.
                same(&command.parameters, request.parameters()) && same(&command.reruns, request.reruns())
            }))
}

fn same<T: PartialEq>(some: &[T], others: &[T]) -> bool {
    some.len() == others.len() && some.iter().all(|one| others.contains(one))
}

/// A comment, parsed with the bot's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotCommand {
    /// Parameters, `[key=value]`.
    pub parameters: Vec<StagingParameter>,
    /// Earlier pipelines, `[group/id]`.
    pub reruns: Vec<Rerun>,
    /// Other texts in brackets.
    pub other: Vec<String>,
}

/// Parses a comment as the bot does: a line mentions the bot and then says `test`; every text in
/// brackets in the comment is an argument, and the rest is free text. Returns `None` if the comment
/// requests nothing.
#[must_use]
pub fn parse_command(body: &str, bot: &str) -> Option<BotCommand> {
    static HIDDEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->").expect("a constant expression"));
    static BRACKETS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[([^\[\]\r\n]*)\](\(?)").expect("a constant expression"));
    let body = HIDDEN.replace_all(body, "");
    if !body.lines().any(|line| asks(line, bot)) {
        return None;
    }
    let mut command = BotCommand { parameters: Vec::new(), reruns: Vec::new(), other: Vec::new() };
    for found in BRACKETS.captures_iter(&body) {
        // `[text](address)` is a link.
        if !found[2].is_empty() {
            continue;
        }
        let inner = &found[1];
        let pair = inner.split_once('=').filter(|(key, _)| is_key(key.trim()));
        if let Some(parameter) =
            pair.and_then(|(key, value)| StagingParameter::new(key.trim(), value.trim()).ok())
        {
            command.parameters.push(parameter);
        } else if let Some(rerun) = Rerun::read(inner.trim()) {
            command.reruns.push(rerun);
        } else {
            command.other.push(shown(inner));
        }
    }
    Some(command)
}

/// Returns whether a line mentions the bot, and then has the word `test`.
fn asks(line: &str, bot: &str) -> bool {
    let mention = format!("@{bot}");
    let is_part = |c: char| c.is_alphanumeric() || "_-@/".contains(c);
    line.match_indices(&mention).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rest = &line[at + mention.len()..];
        let after = rest.chars().next();
        let alone = !before.is_some_and(is_part) && !after.is_some_and(is_part);
        alone
            && rest
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
                .any(|word| word.eq_ignore_ascii_case("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA: &str = "9c41d0e0000000000000000000000000000000aa";
    const TEMPLATE: &str = include_str!("../../../templates/comments/stage.md");

    fn request(parameters: &[&str], reruns: &[&str]) -> StagingRequest {
        StagingRequest::new(
            "cki-ci-bot",
            parameters.iter().map(|text| StagingParameter::parse(text).expect("can be sent")).collect(),
            reruns.iter().map(|text| Rerun::parse(text).expect("a pipeline")).collect(),
            &[],
        )
        .expect("is valid")
    }

    fn written(template: &str, request: &StagingRequest) -> Result<String, StagingError> {
        comment(template, request, &Marker::new(SHA, request).expect("a commit"))
    }

    #[test]
    fn comment_template_renders_request() {
        let plain = request(&[], &[]);
        let marker = Marker::new(SHA, &plain).expect("a commit");
        assert_eq!(written(TEMPLATE, &plain), Ok(format!("@cki-ci-bot please test\n\n{marker}")));
        let spaced = request(&["why=two  spaces"], &[]);
        assert!(written(TEMPLATE, &spaced).is_ok_and(|text| text.contains("test [why=two  spaces]\n")));
        let full = request(&["builder_image_tag=mr-213"], &["cki/620247"]);
        let text = written(TEMPLATE, &full).expect("is written");
        assert!(
            text.starts_with("@cki-ci-bot please test [cki/620247] [builder_image_tag=mr-213]\n"),
            "{text}"
        );
        assert_eq!(Marker::find(&text).map(|marker| marker.sha().to_owned()), Some(SHA.to_owned()));
        assert_ne!(Marker::find(&text), Some(marker));
    }

    #[test]
    fn comment_template_must_match_request() {
        let asked = request(&["a=1"], &[]);
        for (template, why) in [
            ("please test {{ parameters }}", "does not mention"),
            ("@{{ bot }} test", "not the requested"),
            ("@{{ bot }} test {{ parameters }} [b=2]", "not the requested"),
            ("@{{ bot }} test {{ parameters }} [stable]", "`[stable]`"),
            ("@{{ bot }} {{ nobody }}", "cannot be used"),
            ("{% if %}", "cannot be used"),
        ] {
            let error = written(template, &asked).expect_err(template).to_string();
            assert!(error.contains(why), "{template}: {error}");
        }
        for line in ["/approve", "  /merge", "/assign @somebody", "a\u{2028}/close", "a\u{85}/close"] {
            let error = written(&format!("@{{{{ bot }}}} test {{{{ parameters }}}}\n{line}"), &asked);
            let error = error.expect_err(line).to_string();
            assert!(error.contains("quick action") || error.contains("control"), "{line}: {error}");
        }
        assert!(written("@{{ bot }} test {{ parameters }} and/or a/b", &asked).is_ok());
        let command = "/test {{ parameter.a }}\nMore.";
        let text = written(command, &asked).expect("is no quick action");
        let marker = Marker::new(SHA, &asked).expect("a commit");
        assert_eq!(text, format!("/test 1\nMore.\n\n{marker}"));
        assert!(asks_for(&text, &asked, &marker));
        for (template, why) in [
            ("/test all", "does not say `a=1`"),
            ("/test {{ parameter.b }}", "cannot be used"),
            ("/approve {{ parameter.a }}", "quick action"),
        ] {
            let error = written(template, &asked).expect_err(template).to_string();
            assert!(error.contains(why), "{template}: {error}");
        }
        let rerun =
            written("/test {{ selectors }}", &request(&[], &["cki/1"])).expect_err("has no form for it");
        assert!(rerun.to_string().contains("has no place for `[cki/1]`"), "{rerun}");
        let short = written("@{{ bot }} test {{ parameters }}", &asked).expect("is written");
        assert!(Marker::find(&short).is_some(), "the marker is added");
        assert!(Marker::new("HEAD", &asked).is_err());
    }

    #[test]
    fn asks_for_ignores_quoted_request() {
        let asked = request(&["a=1"], &[]);
        let marker = Marker::new(SHA, &asked).expect("a commit");
        let body = written(TEMPLATE, &asked).expect("is written");
        assert!(asks_for(&body, &asked, &marker));
        let quoted: Vec<String> = body.lines().map(|line| format!("> {line}")).collect();
        assert!(!asks_for(&format!("{}\n\nWhy this?", quoted.join("\n")), &asked, &marker));
        assert!(!asks_for(&format!("look: {marker}"), &asked, &marker));
        assert!(!asks_for(&body.replace("[a=1]", "[a=2]"), &asked, &marker));
    }

    #[test]
    fn parse_command_accepts_free_form_comments() {
        let body = "@cki-ci-bot please test [cki/620247] with [compiler=clang] again but a new container \
                    that has which: [builder_image=quay.io/cki/builder-fedora] [builder_image_tag=mr-213] \
                    see [the docs](https://example.com) [stable]";
        let command = parse_command(body, "cki-ci-bot").expect("asks");
        let keys: Vec<&str> = command.parameters.iter().map(StagingParameter::key).collect();
        assert_eq!(keys, ["compiler", "builder_image", "builder_image_tag"]);
        assert_eq!(command.reruns, [Rerun { group: "cki".into(), id: 620_247 }]);
        assert_eq!(command.other, ["stable"]);
        for body in [
            "@cki-ci-bot hello",
            "@cki-ci-bot-2 please test",
            "x@cki-ci-bot please test",
            "please test",
            "<!-- @cki-ci-bot please test -->",
            "@cki-ci-bot\nplease test",
            "@cki-ci-bot is in the contest",
        ] {
            assert_eq!(parse_command(body, "cki-ci-bot"), None, "{body}");
        }
        assert!(parse_command("Hi @cki-ci-bot: TEST, please.", "cki-ci-bot").is_some());
    }

    proptest! {
        #[test]
        fn comment_round_trips_through_parse_command(
            values in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,20}", "\\PC{1,40}", 0..4),
            reruns in prop::collection::vec(("[a-z][a-z0-9._-]{0,8}", any::<u64>()), 0..4),
        ) {
            let parameters: Vec<StagingParameter> =
                values.iter().filter_map(|(key, value)| StagingParameter::new(key, value).ok()).collect();
            let reruns = reruns.into_iter().map(|(group, id)| Rerun { group, id }).collect();
            let asked = StagingRequest::new("bot", parameters, reruns, &[]).expect("is valid");
            let text = written(TEMPLATE, &asked).expect("is faithful");
            let read = parse_command(&text, "bot").expect("asks");
            prop_assert_eq!(&read.parameters[..], asked.parameters());
            prop_assert_eq!(&read.reruns[..], asked.reruns());
            prop_assert_eq!(Marker::find(&text), Marker::new(SHA, &asked).ok());
        }

        #[test]
        fn parse_command_never_panics(body in "(?s).{0,400}", bracketed in "@bot test(\\[.{0,20}\\])*") {
            let _ = parse_command(&body, "bot");
            let _ = Marker::find(&body);
            prop_assert!(parse_command(&bracketed, "bot").is_some());
        }
    }
}
