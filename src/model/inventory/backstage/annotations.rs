//! Words that an export writes and a mapping reads.

/// Annotation with the reference of an entry, whatever its entity is called.
pub(super) const REFERENCE: &str = "cki-project.org/reference";
/// Annotation with all people of an entry, of whom an entity has one as its owner.
pub(super) const PEOPLE: &str = "cki-project.org/people";
/// Annotation with the verbs of the dependencies, which an entity does not have: `listens infrastructure/mq, …`.
pub(super) const DEPENDENCIES: &str = "cki-project.org/dependencies";
/// Annotation of Backstage with the place of the sources.
pub(super) const SOURCE: &str = "backstage.io/source-location";
/// Owner of an entity whose entry has no people: Backstage requires one.
pub(super) const NOBODY: &str = "unknown";
