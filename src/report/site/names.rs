//! Paths of the pages: safe and distinct for any name, also where the file system ignores case. Links to them are in
//! the pages.

use std::fmt::Write as _;

use crate::base::digest::sha256_hex;
use crate::model::reference::Reference;

/// Maximum length of a name from which a file name is made without a digest.
const LONGEST: usize = 120;
/// Names that Windows keeps for devices.
const DEVICES: [&str; 4] = ["aux", "con", "nul", "prn"];

/// Returns the path of the page of a component.
pub(super) fn component_page(reference: &Reference) -> String {
    format!("component/{}/{}.html", file_name(&reference.category), file_name(&reference.name))
}

/// Returns the path of the page of a category.
pub(super) fn category_page(id: &str) -> String {
    format!("category/{}.html", file_name(id))
}

/// Returns the path of the page of an owner.
pub(super) fn owner_page(owner: &str) -> String {
    format!("owner/{}.html", file_name(owner))
}

/// Returns the path of the page of a backing service.
pub(super) fn service_page(name: &str) -> String {
    format!("service/{}.html", file_name(name))
}

/// Returns the path of the page of a request for comments, by its name in the directory of documents.
pub(super) fn rfc_page(name: &str) -> String {
    format!("rfc/{}.html", file_name(name))
}

/// Returns a file name without extension: lower-case letters, digits, `-` and `_` stand for themselves, any other byte
/// for `~` and its hexadecimal number, so that two names never share a file.
fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    let is_device = DEVICES.contains(&name)
        || name.strip_prefix("com").or_else(|| name.strip_prefix("lpt")).is_some_and(|rest| rest.len() == 1);
    for (at, byte) in name.bytes().enumerate() {
        let is_plain = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_') || (byte == b'-' && at > 0);
        if is_plain && !(is_device && at == 0) {
            file.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(file, "~{byte:02x}");
        }
    }
    if file.len() > LONGEST {
        // `~~` is in no other name.
        file.truncate(LONGEST / 2);
        file = format!("{file}~~{}", &sha256_hex([name])[..32]);
    }
    if file.is_empty() { "~".to_owned() } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn file_name_is_readable_and_safe() {
        for (name, file) in [
            ("orphan-hunter", "orphan-hunter"),
            ("S3.aws", "~533~2eaws"),
            ("..", "~2e~2e"),
            ("a/b", "a~2fb"),
            ("-x", "~2dx"),
            ("é\0", "~c3~a9~00"),
            ("nul", "~6eul"),
            ("com1", "~63om1"),
            ("", "~"),
        ] {
            assert_eq!(file_name(name), file, "{name}");
        }
        let long = "x".repeat(5000);
        assert!(file_name(&long).len() < 128 && file_name(&long) != file_name(&long[1..]));
        assert_eq!(component_page(&Reference::new("cronjob", "A")), "component/cronjob/~41.html");
    }

    proptest! {
        #[test]
        fn file_name_is_distinct_for_each_name(one in "[a-cA-C~/.-]{0,4}|\\PC{0,90}", other in "[a-cA-C~/.-]{0,4}|\\PC{0,90}") {
            let (first, second) = (file_name(&one), file_name(&other));
            prop_assert_eq!(one == other, first.eq_ignore_ascii_case(&second));
            prop_assert!(first.len() < 130 && first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_~".contains(c)));
        }
    }
}
