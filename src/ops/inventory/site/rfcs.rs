//! The requests for comments of a group for its site, from the local clone of their repository. Merge requests are left
//! out, since a site does not depend on the time.

use super::readme::Readme;
use crate::model::inventory::Inventory;
use crate::model::merge_request::MergeRequestName;
use crate::model::rfc::RfcDocument;
use crate::ops::rfc::{LocalRfc, RfcProject, RfcShelf, project};
use crate::ops::shared::workspace::Workspace;

/// Maximum bytes of a document that is shown; the rest is left out.
const LONGEST: usize = 256 << 10;

/// A request for comments.
#[derive(Debug)]
pub struct SiteRfc {
    /// ID.
    pub id: String,
    /// Title, without the ID.
    pub title: String,
    /// Description, on one line.
    pub description: Option<String>,
    /// Author.
    pub author: Option<String>,
    /// Status that it names.
    pub status: Option<String>,
    /// Merge request, as it is written.
    pub merge_request: Option<String>,
    /// Number of the merge request, if it is one of the repository.
    pub merge_request_number: Option<u64>,
    /// Its name below the directory of documents, without the ending.
    pub name: String,
    /// Its text.
    pub text: Readme,
}

/// Returns the requests for comments of the clone, and those that cannot be read, as sentences without a period. Without
/// a clone there are none.
pub(super) fn rfcs(inventory: &Inventory, workspace: &Workspace) -> (Vec<SiteRfc>, Vec<String>) {
    let Ok(shelf) = RfcShelf::open(inventory, workspace) else { return (Vec::new(), Vec::new()) };
    let project = project(inventory, &shelf.process);
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for one in &shelf.documents {
        let Some(number) = one.number else { continue };
        match &one.content {
            Ok(document) => {
                found.push(rfc(one, shelf.process.id(number), document, &shelf, project.as_ref()));
            }
            Err(why) => unread.push(format!("cannot read `{}`: {why}", one.file.display())),
        }
    }
    (found, unread)
}

fn rfc(
    one: &LocalRfc,
    id: String,
    document: &RfcDocument,
    shelf: &RfcShelf,
    project: Option<&RfcProject>,
) -> SiteRfc {
    let merge_request = document.merge_request.as_ref().map(|one| one.text.clone());
    let named = merge_request.as_deref().and_then(|text| MergeRequestName::parse(text).ok());
    let own = named.filter(|name| name.component.is_none()).filter(|name| {
        name.project.as_deref().is_none_or(|path| project.is_some_and(|project| project.path == path))
    });
    let directory = format!("{}/", shelf.process.directory);
    let name = one.path.strip_prefix(&directory).unwrap_or(&one.path);
    let mut text = document.body.trim().to_owned();
    let is_cut = text.len() > LONGEST;
    if is_cut {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    SiteRfc {
        id,
        title: one.title().to_owned(),
        description: document.description.clone(),
        author: document.author.clone(),
        status: document.status.clone(),
        merge_request,
        merge_request_number: own.map(|name| name.number),
        name: name.strip_suffix(".md").unwrap_or(name).to_owned(),
        text: Readme { repo: shelf.process.repo.clone(), path: one.path.clone(), text, is_cut },
    }
}
