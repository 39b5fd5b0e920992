//! Tokens and private keys that tell by their form what they are, in texts from outside: messages,
//! logs of jobs and of builds, comments. Nobody declared these; what was declared is found by the
//! [`super::Redactor`], which output of components passes.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::base::secret::MASK;

/// One of these is in every such form: most texts are done with after a look for them.
const ANCHORS: [&str; 16] = [
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "gh",
    "github_pat_",
    "xox",
    "AKIA",
    "ASIA",
    "eyJ",
    "PRIVATE KEY",
    "sk-",
    "npm_",
    "pypi-",
    "\"auth\"",
];

static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"\bgl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.=-]{16,}",
        r"\bgh[pousr]_[A-Za-z0-9]{30,}",
        r"\bgithub_pat_[A-Za-z0-9_]{22,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bA[KS]IA[A-Z0-9]{16}\b",
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\,:-]*",
        r"\bsk-[A-Za-z0-9_-]{20,}",
        r"\bnpm_[A-Za-z0-9]{36}",
        r"\bpypi-[A-Za-z0-9_-]{50,}",
    ];
    Regex::new(&format!(r#"(?P<auth>"auth"\s*:\s*")[A-Za-z0-9+/=]{{8,}}|{}"#, forms.join("|")))
        .expect("a constant expression")
});

/// A text without what is a token by its form.
#[must_use]
pub fn without_tokens(text: &str) -> Cow<'_, str> {
    if !ANCHORS.iter().any(|anchor| text.contains(anchor)) {
        return Cow::Borrowed(text);
    }
    FORMS.replace_all(text, |found: &regex::Captures<'_>| {
        let before = found.name("auth").map_or("", |before| before.as_str());
        format!("{before}{MASK}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_their_form() {
        let long = "aB3".repeat(20);
        for token in [
            format!("glpat-{}", &long[..20]),
            format!("ghp_{}", &long[..36]),
            format!("github_pat_{long}"),
            "xoxb-123456789012-abcdef".to_owned(),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", &long[..30]),
            format!("sk-{long}"),
            format!("npm_{}", &long[..36]),
            format!("pypi-AgEIcHlwaS5vcmc{long}"),
        ] {
            assert_eq!(without_tokens(&format!("a={token}, b")), format!("a={MASK}, b"));
        }
        let key =
            format!("k: -----BEGIN RSA PRIVATE KEY-----\n{long}\n{long}==\n-----END RSA PRIVATE KEY-----\n");
        assert_eq!(without_tokens(&key), format!("k: {MASK}"));
        assert_eq!(without_tokens(r#"{"auth": "dXNlcjpwYXNz"}"#), format!(r#"{{"auth": "{MASK}"}}"#));
        for text in ["ghost task-force-of-the-whole-company-here", "AKIA", "eyJ.eyJ.x", "sk-learn", "through"]
        {
            assert_eq!(without_tokens(text), text);
        }
    }
}
