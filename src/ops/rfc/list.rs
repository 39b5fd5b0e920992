//! `cki rfc list`: documents of the clone and open merge requests as one list.

use jiff::Timestamp;

use super::claims::ServerAnswer;
use super::error::RfcError;
use super::shelf::{LocalRfc, RfcShelf};
use crate::base::text::nearest;
use crate::model::rfc::{FeedbackWindow, RfcClaim, RfcState};

/// A request for comments.
#[derive(Debug)]
pub struct RfcRow {
    /// Number.
    pub number: u32,
    /// ID.
    pub id: String,
    /// Title, without the ID.
    pub title: String,
    /// State.
    pub state: RfcState,
    /// Status that the document names.
    pub status: Option<String>,
    /// Author.
    pub author: Option<String>,
    /// Merge request, as `group/project!49` or `!49`.
    pub merge_request: Option<String>,
    /// Address of the page of an open merge request.
    pub url: Option<String>,
    /// Time for feedback of an open merge request.
    pub window: Option<FeedbackWindow>,
    /// The merge request is a draft.
    pub is_draft: bool,
    /// The merge request has threads that are not resolved.
    pub has_open_threads: bool,
    /// Path in the repository.
    pub path: Option<String>,
    /// Others that have the same number: files and merge requests.
    pub clashes: Vec<String>,
}

impl RfcRow {
    /// Returns the word for its state: the status that the document names, else the state.
    #[must_use]
    pub fn word(&self) -> &str {
        let status =
            self.status.as_deref().filter(|_| matches!(self.state, RfcState::Merged | RfcState::Local));
        status.unwrap_or(self.state.name())
    }
}

/// Requests for comments.
#[derive(Debug)]
pub struct RfcListing {
    /// Those that match, sorted by number.
    pub rows: Vec<RfcRow>,
    /// Number of all.
    pub total: usize,
    /// IDs on the server's default branch that the clone lacks.
    pub missing: Vec<String>,
    /// Documents that cannot be read: file and reason.
    pub unread: Vec<(String, String)>,
}

/// Lists the requests for comments that have one of these states, or any without one, and all words in ID, title or
/// author.
///
/// # Errors
/// Fails if a state is unknown.
pub fn list(
    shelf: &RfcShelf,
    server: &ServerAnswer,
    states: &[String],
    words: &[String],
    now: Timestamp,
) -> Result<RfcListing, RfcError> {
    let claims = server.claims().map(|open| open.claims.as_slice()).unwrap_or_default();
    let mut rows = Vec::new();
    for document in &shelf.documents {
        let Some(number) = document.number else { continue };
        let own = claims
            .iter()
            .find(|claim| claim.number == number && claim.path.as_deref() == Some(document.path.as_str()));
        rows.push(row(shelf, document, number, own.filter(|_| !document.is_on_base), claims, now));
    }
    for claim in claims {
        let is_listed = shelf.documents.iter().any(|document| {
            document.number == Some(claim.number) && claim.path.as_deref() == Some(document.path.as_str())
        });
        if !is_listed {
            rows.push(row_of_claim(shelf, claim, claims, now));
        }
    }
    rows.sort_by_key(|row| row.number);
    let total = rows.len();
    let states = states.iter().flat_map(|text| text.split(',')).map(|text| text.trim().to_lowercase());
    let states: Vec<String> = states.filter(|text| !text.is_empty()).collect();
    check_states(&states, &rows)?;
    let holds = |row: &RfcRow, word: &String| {
        let texts = [Some(row.id.as_str()), Some(row.title.as_str()), row.author.as_deref()];
        texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&word.to_lowercase()))
    };
    rows.retain(|row| {
        let is_state = |wanted: &String| *wanted == row.state.name() || *wanted == row.word().to_lowercase();
        (states.is_empty() || states.iter().any(is_state)) && words.iter().all(|word| holds(row, word))
    });
    let merged = server.claims().into_iter().flat_map(|open| &open.merged);
    let missing = merged.filter(|number| !shelf.on_base.contains(number));
    let unread = shelf.documents.iter().filter_map(|document| {
        let why = document.content.as_ref().err()?;
        Some((document.file.display().to_string(), why.clone()))
    });
    Ok(RfcListing {
        rows,
        total,
        missing: missing.map(|number| shelf.process.id(*number)).collect(),
        unread: unread.collect(),
    })
}

fn check_states(states: &[String], rows: &[RfcRow]) -> Result<(), RfcError> {
    let mut known: Vec<String> = RfcState::ALL.map(|(_, name)| name.to_owned()).to_vec();
    for row in rows {
        let word = row.word().to_lowercase();
        if !known.contains(&word) {
            known.push(word);
        }
    }
    match states.iter().find(|state| !known.contains(state)) {
        None => Ok(()),
        Some(state) => {
            let near = nearest(state, known.iter().map(String::as_str));
            let known = if near.is_empty() { known } else { near.into_iter().map(str::to_owned).collect() };
            Err(RfcError::State { state: state.clone(), known })
        }
    }
}

fn row(
    shelf: &RfcShelf,
    document: &LocalRfc,
    number: u32,
    own: Option<&RfcClaim>,
    claims: &[RfcClaim],
    now: Timestamp,
) -> RfcRow {
    let content = document.content.as_ref().ok();
    let state = match (document.is_on_base, own) {
        (true, _) => RfcState::Merged,
        (false, Some(claim)) => RfcState::of_claim(claim, now),
        (false, None) => RfcState::Local,
    };
    let written = content.and_then(|content| content.merge_request.as_ref()).map(|one| one.text.clone());
    RfcRow {
        number,
        id: shelf.process.id(number),
        title: document.title().to_owned(),
        state,
        status: content.and_then(|content| content.status.clone()),
        author: content
            .and_then(|content| content.author.clone())
            .or_else(|| own.and_then(|own| own.author.clone())),
        merge_request: own.map(|own| format!("!{}", own.merge_request)).or(written),
        url: own.map(|own| own.url.clone()),
        window: own.and_then(|own| own.window),
        is_draft: own.is_some_and(|own| own.is_draft),
        has_open_threads: own.is_some_and(|own| own.has_open_threads),
        clashes: clashes(shelf, claims, number, Some(&document.path), own.map(|own| own.merge_request)),
        path: Some(document.path.clone()),
    }
}

fn row_of_claim(shelf: &RfcShelf, claim: &RfcClaim, claims: &[RfcClaim], now: Timestamp) -> RfcRow {
    RfcRow {
        number: claim.number,
        id: shelf.process.id(claim.number),
        title: claim.title.clone(),
        state: RfcState::of_claim(claim, now),
        status: None,
        author: claim.author.clone(),
        merge_request: Some(format!("!{}", claim.merge_request)),
        url: Some(claim.url.clone()),
        window: claim.window,
        is_draft: claim.is_draft,
        has_open_threads: claim.has_open_threads,
        path: claim.path.clone(),
        clashes: clashes(shelf, claims, claim.number, claim.path.as_deref(), Some(claim.merge_request)),
    }
}

/// Returns the others of a number: documents at other paths, and other merge requests that do not add the same file.
fn clashes(
    shelf: &RfcShelf,
    claims: &[RfcClaim],
    number: u32,
    path: Option<&str>,
    merge_request: Option<u64>,
) -> Vec<String> {
    let files =
        shelf.documents.iter().filter(|one| one.number == Some(number) && Some(one.path.as_str()) != path);
    let files = files.map(|one| one.path.rsplit('/').next().unwrap_or_default().to_owned());
    let is_document =
        |path: &str| shelf.documents.iter().any(|one| one.path == path && one.number == Some(number));
    let others = claims.iter().filter(|one| {
        let is_same = one.path.is_some() && one.path.as_deref() == path && path.is_some_and(is_document);
        one.number == number && Some(one.merge_request) != merge_request && !is_same
    });
    files.chain(others.map(|one| format!("!{}", one.merge_request))).collect()
}
