//! `cki rfc new`: a branch with a new document, of the next number that is free in the clone and on the server. The
//! working tree, the index and the checked-out branch stay as they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::Value;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::claims::OpenClaims;
use super::error::RfcError;
use super::project::RfcProject;
use super::shelf::RfcShelf;
use crate::base::assets::Assets;
use crate::base::template::{Templates, WorkBudget};
use crate::host::Env;
use crate::model::rfc::RfcProcess;
use crate::systems::git::{Author, CommitId, Mode, TreeFile};

/// Template of a document.
const TEMPLATE: &str = "rfc/rfc.md";
/// All characters but those that RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A new request for comments.
#[derive(Debug)]
pub struct NewRfc {
    /// ID.
    pub id: String,
    /// Title, without the ID.
    pub title: String,
    /// Path in the repository.
    pub path: String,
    /// Text of the document.
    pub text: String,
    /// Name of the branch.
    pub branch: String,
    /// Branch from which it starts.
    pub base: String,
    /// Directory of the clone.
    pub clone: String,
    /// Check of the number.
    pub check: NumberCheck,
    /// Address of the page that opens the merge request, if the repository is on a server.
    pub merge_request: Option<String>,
    /// Numbers that were passed over, each with its place.
    pub passed: Vec<(String, String)>,
    commit: CommitId,
    author: Author,
}

/// Check of a new number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberCheck {
    /// It is free in the clone only.
    Clone,
    /// It is free in the clone and on a server.
    Server {
        /// The server.
        server: String,
        /// Number of open merge requests there.
        merge_requests: usize,
        /// Number of those whose changes were not read.
        unread: usize,
    },
}

/// Plans a new request for comments. Changes nothing.
///
/// # Errors
/// Fails if the title cannot be one, the clone can have no branch, or the template is invalid.
pub fn plan(
    title: &str,
    shelf: &RfcShelf,
    open: Option<&OpenClaims>,
    project: (Option<&RfcProject>, Option<&str>),
    assets: &Assets,
    env: &Env,
) -> Result<NewRfc, RfcError> {
    let process = &shelf.process;
    let title = RfcProcess::title(process.split_title(title).1)?;
    let clone = shelf.clone.display().to_string();
    let branches = shelf.branches()?;
    let (base, commit) = shelf.base.clone().ok_or_else(|| RfcError::Empty(clone.clone()))?;
    let author = branches.author(env)?.ok_or(RfcError::NoAuthor)?;
    let mut documents: Vec<u32> = shelf.on_base.iter().copied().collect();
    documents.extend(open.iter().flat_map(|open| &open.merged));
    let claimed = claimed(shelf, open);
    let numbers: Vec<u32> = claimed.keys().copied().collect();
    let number = RfcProcess::next_number(&documents, &numbers).ok_or(RfcError::NoNumber)?;
    let first = RfcProcess::next_number(&documents, &[]).unwrap_or(number);
    let branch = process.branch(number, title);
    if branches.has(&branch) {
        return Err(RfcError::BranchExists { clone, branch });
    }
    let (project, server) = project;
    let id = process.id(number);
    let text = text(process, &id, title, &author.name, project, assets)?;
    let merge_request = project.zip(server).map(|(project, server)| {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        format!(
            "{server}/{}/-/merge_requests/new?{}={}&{}={}",
            project.path,
            encode("merge_request[source_branch]"),
            encode(&branch),
            encode("merge_request[title]"),
            encode(&format!("{id}: {title}"))
        )
    });
    Ok(NewRfc {
        path: process.path(number, title),
        passed: claimed
            .range(first..number)
            .map(|(number, place)| (process.id(*number), place.clone()))
            .collect(),
        check: open.map_or(NumberCheck::Clone, |open| NumberCheck::Server {
            server: open.server.clone(),
            merge_requests: open.merge_requests,
            unread: open.unread,
        }),
        title: title.to_owned(),
        id,
        text,
        branch,
        base,
        clone,
        merge_request,
        commit,
        author,
    })
}

/// Returns the numbers that are used beside those of the base, each with a place.
fn claimed(shelf: &RfcShelf, open: Option<&OpenClaims>) -> BTreeMap<u32, String> {
    let mut claimed: BTreeMap<u32, String> = BTreeMap::new();
    for claim in open.iter().flat_map(|open| &open.claims) {
        claimed.entry(claim.number).or_insert_with(|| format!("merge request !{}", claim.merge_request));
    }
    for document in &shelf.documents {
        let name = document.path.rsplit('/').next().unwrap_or_default();
        document.number.into_iter().for_each(|number| {
            claimed.entry(number).or_insert_with(|| format!("the file `{name}`"));
        });
    }
    for (number, branch) in &shelf.on_branches {
        claimed.entry(*number).or_insert_with(|| format!("the branch `{branch}`"));
    }
    claimed
}

/// Renders the document.
fn text(
    process: &RfcProcess,
    id: &str,
    title: &str,
    author: &str,
    project: Option<&RfcProject>,
    assets: &Assets,
) -> Result<String, RfcError> {
    let template = assets.text(TEMPLATE)?.map(|asset| asset.text.into_owned()).unwrap_or_default();
    // JSON is YAML, whatever the text holds.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let values: BTreeMap<&str, Value> = BTreeMap::from([
        ("id", id.into()),
        ("title", quoted(&format!("{id}: {title}")).into()),
        ("author", quoted(author).into()),
        ("author_key", process.author_key.clone().into()),
        ("merge_request_key", process.merge_request_key.clone().into()),
        ("project", project.map_or("group/project", |project| project.path.as_str()).into()),
        ("sections", process.sections.clone().into()),
    ]);
    let rendered = Templates::new(&WorkBudget::default()).render(&template, values);
    let rendered = rendered.map_err(|source| RfcError::Template { name: TEMPLATE, source })?;
    Ok(format!("{}\n", rendered.trim_end()))
}

/// Creates the branch with its commit.
///
/// # Errors
/// Fails if the repository cannot be written.
pub fn create(new: &NewRfc, shelf: &RfcShelf, now: Timestamp) -> Result<CommitId, RfcError> {
    let file = TreeFile { path: new.path.clone(), content: new.text.clone().into_bytes(), mode: Mode::Plain };
    let message = format!("{}: {}\n", new.id, new.title);
    let made =
        shelf.branches()?.create(&new.branch, new.commit, &file, &message, (&new.author, now.as_second()))?;
    Ok(made)
}
