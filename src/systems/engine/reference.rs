//! Names of images. They become part of a URL, so only valid names may pass.

use super::error::EngineError;
use crate::model::image_name::is_image_word;

/// Parsed name: `registry:5000/group/name`, and a tag or digest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ImageReference<'a> {
    pub(super) name: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, EngineError> {
        let refuse = |why: &str| {
            Err(EngineError::Invalid {
                what: "the name of an image",
                text: crate::base::text::safe_line(text).into_owned(),
                why: why.to_owned(),
            })
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to a registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if text.len() > 400 {
            return refuse("it is too long");
        }
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return refuse("its digest is not `sha256:` and 64 digits");
            }
        }
        if tag.is_some_and(|tag| !is_image_word(tag, |b| b.is_ascii_alphanumeric()) || tag.len() > 128) {
            return refuse("its tag is not made of letters, digits, `_`, `.` and `-`");
        }
        let (first, path) = name.split_once('/').unwrap_or(("", name));
        let registry = first.contains(['.', ':']) || first == "localhost";
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let parts_ok = |path: &str| path.split('/').all(|part| is_image_word(part, lower));
        let good = if registry {
            let (host, port) = first.split_once(':').unwrap_or((first, "0"));
            is_image_word(host, |b| b.is_ascii_alphanumeric())
                && port.parse::<u16>().is_ok()
                && parts_ok(path)
        } else {
            parts_ok(name)
        };
        if good {
            Ok(Self { name, tag, digest })
        } else {
            refuse("a name is made of lower-case letters, digits, `_`, `.`, `-` and `/`")
        }
    }
}

/// Returns a name in short form, without the prefix that Podman adds and Docker omits.
pub(super) fn familiar(name: &str) -> &str {
    let rest = name.strip_prefix("docker.io/").unwrap_or(name);
    rest.strip_prefix("library/").filter(|_| rest.len() < name.len()).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_reference_parses_name_tag_and_digest() {
        let parts = |text: &'static str| ImageReference::parse(text).map(|r| (r.name, r.tag)).ok();
        assert_eq!(parts("busybox"), Some(("busybox", None)));
        assert_eq!(parts("localhost:5000/a/b"), Some(("localhost:5000/a/b", None)));
        assert_eq!(parts("quay.io/cki/cki-tools:mr-213"), Some(("quay.io/cki/cki-tools", Some("mr-213"))));
        let digest = format!("a/b@sha256:{}", "0".repeat(64));
        let parsed = ImageReference::parse(&digest).expect("is good");
        assert_eq!((parsed.name, parsed.digest.map(str::len)), ("a/b", Some(71)));
    }

    #[test]
    fn familiar_shortens_docker_io_names() {
        assert_eq!(familiar("docker.io/library/busybox:1"), "busybox:1");
        assert_eq!(familiar("docker.io/cki/x:1"), "cki/x:1");
        assert_eq!(familiar("library/x"), "library/x");
        assert_eq!(familiar("quay.io/cki/x"), "quay.io/cki/x");
    }

    #[test]
    fn image_reference_rejects_invalid_names() {
        for wrong in [
            "",
            "A/b",
            "a b",
            "a?x=1",
            "a/../b",
            "/a",
            "a/",
            "a//b",
            "a:",
            "a:b c",
            "a@sha256:1",
            "a#b",
            "a%2f",
            "-a",
            "a:-b",
            "x\x1b[31m",
        ] {
            let error = ImageReference::parse(wrong).expect_err(wrong).to_string();
            assert!(!error.contains('\x1b'), "{error}");
        }
    }
}
