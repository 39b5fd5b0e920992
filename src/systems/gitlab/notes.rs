//! The comments of a merge request: searches in either order, to a limit or to the end, and new comments. The meaning of a
//! comment belongs to `model::staging` and `ops`.

use super::error::GitLabError;
use super::types::{Note, NoteOrder};
use super::{GitLab, request};

/// Maximum number of pages, of a hundred comments each, that a complete search reads: four times of what GitLab lets users
/// write on one merge request.
const ALL_PAGES: usize = 200;

impl GitLab {
    /// Returns the comments of a merge request. Reads page by page until `enough` returns true, and at most `pages` pages
    /// of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn notes(
        &self,
        project: &str,
        iid: u64,
        order: NoteOrder,
        pages: usize,
        enough: impl FnMut(&[Note]) -> bool,
    ) -> Result<Vec<Note>, GitLabError> {
        self.list(request::notes(project, iid, order), pages, enough).await
    }

    /// Returns the comments of a merge request until `enough` returns true, or all of them: what is not among them does not
    /// exist, so that a comment may be posted.
    ///
    /// # Errors
    /// [`GitLabError::TooManyNotes`] if there are more comments than can be read. Fails if the server refuses or does not
    /// answer.
    pub async fn all_notes(
        &self,
        project: &str,
        iid: u64,
        order: NoteOrder,
        enough: impl FnMut(&[Note]) -> bool,
    ) -> Result<Vec<Note>, GitLabError> {
        let mut request = request::notes(project, iid, order);
        let (notes, is_complete) = self.read_pages(Vec::new(), &mut request, ALL_PAGES, enough).await?;
        if is_complete {
            return Ok(notes);
        }
        Err(GitLabError::TooManyNotes { server: self.server.clone(), what: request.what, count: notes.len() })
    }

    /// Returns one comment.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn note(&self, project: &str, iid: u64, id: u64) -> Result<Note, GitLabError> {
        self.about(&request::note(project, iid, id), id).await
    }

    /// Comments on a merge request. Retries only if no comment can have been made;
    /// [`GitLabError::is_ambiguous`] marks the failures after which one may exist.
    ///
    /// # Errors
    /// Fails if the server does not confirm that the comment was made.
    pub async fn create_note(&self, project: &str, iid: u64, body: &str) -> Result<Note, GitLabError> {
        self.get(&request::create_note(project, iid, body)).await
    }
}
