//! Merge requests that add a request for comments, the time for feedback, and the states that follow from them.

use jiff::{SignedDuration, Timestamp};

/// An open merge request that adds a document, or names the ID of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcClaim {
    /// Number of the document.
    pub number: u32,
    /// Title, without the ID.
    pub title: String,
    /// Number of the merge request in its project.
    pub merge_request: u64,
    /// Author.
    pub author: Option<String>,
    /// Path of the document; `None` if only the title or the branch of the merge request names the ID.
    pub path: Option<String>,
    /// Time for feedback, if the server says when the merge request was created.
    pub window: Option<FeedbackWindow>,
    /// The merge request is a draft.
    pub is_draft: bool,
    /// Some threads are not resolved.
    pub has_open_threads: bool,
    /// Address of its page.
    pub url: String,
}

/// Time for feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedbackWindow {
    /// Creation of the merge request.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
}

impl FeedbackWindow {
    /// Returns the window of a merge request; `None` for a time that no calendar has.
    #[must_use]
    pub fn new(start: Timestamp, days: u32) -> Option<Self> {
        let end = start.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
        Some(Self { start, end })
    }

    /// Returns whether feedback is still expected.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.end
    }

    /// Returns the date of the end.
    #[must_use]
    pub fn end_date(&self) -> String {
        self.end.strftime("%Y-%m-%d").to_string()
    }
}

/// State of a request for comments, as far as the clone and the server tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RfcState {
    /// A merge request adds it, and the time for feedback runs.
    Open,
    /// A merge request adds it, and the time for feedback is over.
    Due,
    /// It is on the default branch.
    Merged,
    /// It is only in the clone.
    Local,
}

impl RfcState {
    /// All states with their names.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Open, "open"), (Self::Due, "due"), (Self::Merged, "merged"), (Self::Local, "local")];

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Returns the state of a merge request that is open.
    #[must_use]
    pub fn of_claim(claim: &RfcClaim, now: Timestamp) -> Self {
        match claim.window {
            Some(window) if !window.is_open(now) => Self::Due,
            _ => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feedback_window_ends_after_its_days() {
        let at = |text: &str| text.parse::<Timestamp>().expect("is a time");
        let window = FeedbackWindow::new(at("2026-11-22T10:00:00Z"), 7).expect("ends");
        assert_eq!(window.end_date(), "2026-11-29");
        assert!(window.is_open(at("2026-11-29T09:59:59Z")) && !window.is_open(at("2026-11-29T10:00:00Z")));
        assert_eq!(FeedbackWindow::new(Timestamp::MAX, 1), None);
        for (state, name) in RfcState::ALL {
            assert_eq!(state.name(), name);
        }
    }
}
