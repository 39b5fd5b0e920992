//! The measures of text in a picture of dependencies.

/// Width of a character, in pixels.
pub(super) const CHARACTER: f64 = 7.6;
/// Maximum length of a name in a box, in characters.
pub(super) const LONGEST: usize = 36;

/// Returns a length in characters as a number for the layout.
pub(super) fn short(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}
