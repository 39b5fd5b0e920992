//! The letters of image names: their parts, their tags and the hosts of registries. Whole names are parsed where they are
//! used.

/// Returns whether a text consists of the given letters and separators, begins with a letter or `_`, and has no `..`.
pub fn is_image_word(text: &str, letter: impl Fn(u8) -> bool) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|b| letter(b) || b == b'_')
        && text.bytes().all(|b| letter(b) || b"._-".contains(&b))
        && !text.contains("..")
}
