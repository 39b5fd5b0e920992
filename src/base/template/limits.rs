//! Maximum lengths of templates, and the names of their filters and tests. Limits on syntax are in `syntax`.

/// Maximum length of a template in bytes.
pub(super) const LONGEST_SOURCE: usize = 256 << 10;
/// Maximum length of a rendered template in bytes.
pub(super) const LONGEST_OUTPUT: usize = 1 << 20;

/// Filters that a template may use.
pub(super) const FILTERS: &[&str] = &[
    "default",
    "first",
    "int",
    "join",
    "length",
    "list",
    "lower",
    "map",
    "reject",
    "rejectattr",
    "replace",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// Tests that a template may use, after `is`.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "endingwith",
    "eq",
    "in",
    "mapping",
    "ne",
    "none",
    "number",
    "sequence",
    "startingwith",
    "string",
    "undefined",
];
