//! Commit ids. Their commits are read elsewhere.

use std::fmt;

/// Id of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(git2::Oid);

impl CommitId {
    pub(super) fn new(id: git2::Oid) -> Self {
        Self(id)
    }

    pub(super) fn oid(self) -> git2::Oid {
        self.0
    }

    /// Parses a full id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // libgit2 would accept a part of an id and fill it up with zeros.
        (text.len() == 40).then(|| git2::Oid::from_str(text).ok()).flatten().map(Self)
    }

    /// Returns the first seven digits.
    #[must_use]
    pub fn short(self) -> String {
        let mut text = self.to_string();
        text.truncate(7);
        text
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_id_parses_full_and_displays_short() {
        let text = "3f2c1a9e00000000000000000000000000000001";
        let id = CommitId::parse(text).expect("an id");
        assert_eq!((id.to_string().as_str(), id.short().as_str()), (text, "3f2c1a9"));
        assert_eq!((CommitId::parse("3f2c1a9"), CommitId::parse(&"x".repeat(40))), (None, None));
    }
}
