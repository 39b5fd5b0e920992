//! Words that an export writes and a mapping reads.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Characters that separate the verbs and targets of an annotation.
const SEPARATORS: &AsciiSet = &CONTROLS.add(b',').add(b' ').add(b'%');

/// Annotation with the reference of an entry, whatever its entity is called.
pub(super) const REFERENCE: &str = "cki-project.org/reference";
/// Annotation with all people of an entry, of whom an entity has one as its owner.
pub(super) const PEOPLE: &str = "cki-project.org/people";
/// Annotation with the verbs of the dependencies, which an entity does not have: `listens infrastructure/mq, …`. Verbs are
/// percent-encoded where they have a separator.
pub(super) const DEPENDENCIES: &str = "cki-project.org/dependencies";
/// Annotation of Backstage with the place of the sources.
pub(super) const SOURCE: &str = "backstage.io/source-location";
/// Owner of an entity whose entry has no people: Backstage requires one.
pub(super) const NOBODY: &str = "unknown";

/// Returns a verb as it stands in the annotation.
pub(super) fn written_verb(verb: &str) -> String {
    utf8_percent_encode(verb, SEPARATORS).to_string()
}

/// Returns the verb that stands in the annotation.
pub(super) fn read_verb(written: &str) -> Cow<'_, str> {
    percent_decode_str(written).decode_utf8().unwrap_or(Cow::Borrowed(written))
}
