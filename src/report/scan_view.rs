//! The JSON form of `cki env --scan`. The text is in `scan`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::scan::{Requirement, UseState, VarUsage};
use crate::ops::scan::ScanOutcome;

#[derive(Serialize)]
pub(super) struct ScanView<'a> {
    component: &'a str,
    variables: Vec<UseView<'a>>,
    files: &'a BTreeMap<String, usize>,
    imported_files: usize,
    not_understood: NotUnderstoodView<'a>,
    not_cloned: &'a [String],
}

#[derive(Serialize)]
struct UseView<'a> {
    name: &'a str,
    state: &'static str,
    need: Option<&'static str>,
    meant: Option<&'a str>,
    given: Option<GivenView<'a>>,
    set_at: Option<&'a str>,
    reads: Vec<PlaceView<'a>>,
}

#[derive(Serialize)]
struct GivenView<'a> {
    reason: &'a str,
    place: Option<&'a str>,
    has_value: bool,
}

#[derive(Serialize)]
struct PlaceView<'a> {
    file: &'a str,
    line: usize,
    need: &'static str,
    build: bool,
    test: bool,
    imported: bool,
}

#[derive(Serialize)]
struct NotUnderstoodView<'a> {
    computed: Vec<ComputedView<'a>>,
    unparsed: Vec<UnparsedView<'a>>,
    unread: Vec<UnreadView<'a>>,
    unknown_languages: &'a BTreeMap<String, usize>,
    libraries: Vec<LibraryView<'a>>,
    cut_short: bool,
}

#[derive(Serialize)]
struct ComputedView<'a> {
    file: &'a str,
    line: usize,
    text: &'a str,
    test: bool,
}

#[derive(Serialize)]
struct UnparsedView<'a> {
    file: &'a str,
    lines: &'a [usize],
}

#[derive(Serialize)]
struct UnreadView<'a> {
    file: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct LibraryView<'a> {
    package: &'a str,
    repo: &'a str,
}

/// Returns the result of a scan for JSON and YAML.
pub(super) fn scan_view<'a>(component: &'a str, outcome: &'a ScanOutcome) -> ScanView<'a> {
    ScanView {
        component,
        variables: outcome.comparison.uses.iter().map(use_view).collect(),
        files: &outcome.languages,
        imported_files: outcome.shared,
        not_understood: NotUnderstoodView {
            computed: outcome
                .unknown
                .iter()
                .map(|(file, one)| ComputedView { file, line: one.line, text: &one.text, test: one.test })
                .collect(),
            unparsed: outcome.errors.iter().map(|(file, lines)| UnparsedView { file, lines }).collect(),
            unread: outcome.not_read.iter().map(|(file, why)| UnreadView { file, why }).collect(),
            unknown_languages: &outcome.strange,
            libraries: outcome
                .libraries
                .iter()
                .map(|library| LibraryView { package: &library.package, repo: &library.repo })
                .collect(),
            cut_short: outcome.cut_short,
        },
        not_cloned: &outcome.not_cloned,
    }
}

fn use_view(one: &VarUsage) -> UseView<'_> {
    let (state, meant, set_at) = match &one.state {
        UseState::KnownVariable => ("given", None, None),
        UseState::Itself { place } => ("set", None, place.as_deref()),
        UseState::Nowhere => ("missing", None, None),
        UseState::Misspelt { given, .. } => ("misspelt", Some(given.as_str()), None),
        UseState::Tests => ("tests", None, None),
        UseState::Build => ("build-missing", None, None),
        UseState::BuildGiven => ("build", None, None),
        UseState::Unread => ("unread", None, None),
        UseState::Meant { read } => ("unread", Some(read.as_str()), None),
    };
    UseView {
        name: &one.name,
        state,
        need: one.need.map(need_id),
        meant,
        given: one.given.as_ref().map(|given| GivenView {
            reason: &given.reason,
            place: given.place.as_deref(),
            has_value: given.has_value,
        }),
        set_at,
        reads: one
            .places
            .iter()
            .map(|place| PlaceView {
                file: &place.file,
                line: place.line,
                need: need_id(place.need),
                build: place.build,
                test: place.test,
                imported: place.shared,
            })
            .collect(),
    }
}

fn need_id(need: Requirement) -> &'static str {
    match need {
        Requirement::Required => "required",
        Requirement::Optional => "optional",
        Requirement::Default => "default",
    }
}
