//! The commit that an image was built from, compared with the head of its merge request: a tag of a merge request names the
//! image of the commit before until the pipeline of the head has published it.

/// Minimum number of digits by which two commits are compared.
const SHORTEST: usize = 7;

/// The commit of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageCommit {
    /// The image says that it was built from the head.
    Head,
    /// The image says that it was built from this other commit, which the user has named.
    Accepted(String),
    /// The image does not say it.
    NotStated,
    /// It could not be read, for this reason.
    Unknown(String),
}

impl ImageCommit {
    /// Compares the commit that an image states with the head. `accepted` are commits that the user has named.
    ///
    /// # Errors
    /// Fails with the stated commit if it is another one that nobody has named.
    pub fn compare(stated: Option<String>, head: &str, accepted: &[String]) -> Result<Self, String> {
        match stated {
            None => Ok(Self::NotStated),
            Some(stated) if is_same(&stated, head) => Ok(Self::Head),
            Some(stated) if accepted.iter().any(|one| is_same(&stated, one)) => Ok(Self::Accepted(stated)),
            Some(stated) => Err(stated),
        }
    }

    /// Returns the commit of the image, if it is known.
    #[must_use]
    pub fn sha<'a>(&'a self, head: &'a str) -> Option<&'a str> {
        match self {
            Self::Head => Some(head),
            Self::Accepted(sha) => Some(sha),
            Self::NotStated | Self::Unknown(_) => None,
        }
    }
}

/// Returns whether two commits are the same, of which one may be shortened.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let is_start = |long: &str, short: &str| short.len() >= SHORTEST && long.starts_with(short);
    is_start(&one, &other) || is_start(&other, &one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_another_commit_must_be_named() {
        let head = "9c41d0e0000000000000000000000000000000aa";
        let compare = |stated: &str, accepted: &[&str]| {
            let accepted: Vec<String> = accepted.iter().map(|one| (*one).to_owned()).collect();
            ImageCommit::compare((!stated.is_empty()).then(|| stated.to_owned()), head, &accepted)
        };
        assert_eq!(compare("", &[]), Ok(ImageCommit::NotStated));
        for same in [head, "9C41D0E", "9c41d0e000"] {
            assert_eq!(compare(same, &[]), Ok(ImageCommit::Head), "{same}");
        }
        assert_eq!(compare("aaaaaaa111", &[]), Err("aaaaaaa111".to_owned()));
        assert_eq!(compare("aaaaaaa111", &["aaaaaaa"]), Ok(ImageCommit::Accepted("aaaaaaa111".to_owned())));
        assert_eq!(compare("aaaaaaa111", &["a", "bbbbbbb"]), Err("aaaaaaa111".to_owned()));
        assert_eq!(compare("9c4", &[]), Err("9c4".to_owned()), "too short to tell");
    }
}
