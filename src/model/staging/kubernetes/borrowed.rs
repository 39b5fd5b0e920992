//! Objects of the staging namespace that a release uses and does not make: ConfigMaps that are not among the files, and Secrets.
//! Looking for them in the cluster is up to `ops`.

/// A used object that no request makes, changes or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BorrowedObject {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// Its name in the staging namespace.
    pub name: String,
    /// The pods start without it, too.
    pub is_optional: bool,
}

impl BorrowedObject {
    /// Adds an object, once. It is optional only if each of its uses is.
    pub(super) fn add(all: &mut Vec<Self>, one: Self) {
        match all.iter_mut().find(|known| known.kind == one.kind && known.name == one.name) {
            Some(known) => known.is_optional &= one.is_optional,
            None => all.push(one),
        }
    }
}
