//! Repairs that have one right answer, and the names that are certainly a slip of another one. Editing files belongs in
//! `ops`.

use crate::base::yaml::edit::EditedPart;
use crate::model::inventory::index::plain;

/// Minimum length of a name of an entry in which a slip is certain: short names differ by one letter on purpose.
const SHORTEST: usize = 5;

/// Replacement of the key or the value at the place of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The key at the position, or its value.
    pub part: EditedPart,
    /// Text in the file.
    pub from: String,
    /// Text that replaces it.
    pub to: String,
}

/// Set of names in which a wrong one is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameSet {
    /// Names that `cki` defines: keys and rules.
    Closed,
    /// Names that users choose: entries and repositories.
    Open,
}

/// Returns the only name of a set of which a wrong one is a slip.
pub(super) fn certain<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
    set: NameSet,
) -> Option<&'a str> {
    let mut found = names.into_iter().filter(|name| is_slip(wrong, name, set));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Returns whether a name is a slip of another one: it differs in case and separators only, or by an extra, missing or
/// swapped letter. In a closed set, a letter may also be another one, and a long name may have two slips. A user may
/// have both `mail` and `main`, or `web1` and `web2`.
fn is_slip(wrong: &str, right: &str, set: NameSet) -> bool {
    if wrong == right || wrong.len().abs_diff(right.len()) > 2 {
        return false;
    }
    if plain(wrong) == plain(right) {
        return true;
    }
    let shorter = wrong.len().min(right.len());
    match set {
        NameSet::Closed => {
            let allowed = match shorter {
                0..=2 => 0,
                3..=7 => 1,
                _ => 2,
            };
            strsim::damerau_levenshtein(wrong, right) <= allowed
        }
        NameSet::Open => shorter >= SHORTEST && is_letter_slip(wrong.as_bytes(), right.as_bytes()),
    }
}

/// Returns whether two texts differ by one letter that is extra, or by two neighbours that are swapped.
fn is_letter_slip(left: &[u8], right: &[u8]) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let at = short.iter().zip(long).take_while(|(one, other)| one == other).count();
    if long.len() == short.len() + 1 {
        return long[at].is_ascii_alphabetic() && short[at..] == long[at + 1..];
    }
    short.len() == long.len()
        && at + 1 < short.len()
        && short[at].is_ascii_alphabetic()
        && short[at + 1].is_ascii_alphabetic()
        && (short[at], short[at + 1]) == (long[at + 1], long[at])
        && short[at + 2..] == long[at + 2..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_names_are_slips_of_one_name_only() {
        for (wrong, names, right) in [
            ("service/wrker", &["service/worker", "service/web"][..], Some("service/worker")),
            ("service/workers", &["service/worker"], Some("service/worker")),
            ("service/wokrer", &["service/worker"], Some("service/worker")),
            ("Pipeline_Herder", &["pipeline-herder"], Some("pipeline-herder")),
            // A letter that is another one may be meant.
            ("service/mail", &["service/main"], None),
            ("service/web1", &["service/web2"], None),
            ("service/web", &["service/web2"], None),
            ("workerx", &["worker", "workers", "workerxy"], None),
            ("api", &["apis"], None),
            ("a-b", &["a_b", "a.b"], None),
            ("service/worker", &["service/worker"], None),
        ] {
            assert_eq!(certain(wrong, names.iter().copied(), NameSet::Open), right, "{wrong}");
        }
        for (wrong, right) in [("descripton", Some("description")), ("kinb", Some("kind")), ("xyz", None)] {
            let keys = ["description", "kind", "image", "build"];
            assert_eq!(certain(wrong, keys, NameSet::Closed), right, "{wrong}");
        }
    }
}
