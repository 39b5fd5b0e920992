//! Selection of the rules for a context, and the ignore files that the engine gets.

use std::io;
use std::path::{Component, Path};

use super::ignore::Ignore;
use crate::base::files::{self, FileError};
use crate::base::source_dir::SourceDir;
use crate::base::text::safe_line;
use crate::systems::engine::error::EngineError;

/// Maximum bytes of an ignore file.
const LONGEST: u64 = 1 << 20;

/// File of the context: its path as written, and with links resolved.
pub(super) struct ContextFile {
    pub(super) path: String,
    pub(super) real: String,
}

pub(super) fn inside(root: &Path, path: &Path) -> Result<ContextFile, EngineError> {
    let refuse = |why: &str| EngineError::Invalid {
        what: "the Dockerfile",
        text: safe_line(&path.to_string_lossy()).into_owned(),
        why: why.to_owned(),
    };
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| refuse("its path is not UTF-8"))?);
            }
            _ => return Err(refuse("it is not in the build context")),
        }
    }
    let full = root.join(path);
    let real = full.canonicalize().map_err(|source| FileError::new("read", &full, source))?;
    let real = real.strip_prefix(root).map_err(|_| refuse("it is a link to beyond the build context"))?;
    if files::is_of_git(real) {
        return Err(refuse("it belongs to git"));
    }
    if !root.join(real).is_file() {
        return Err(refuse("it is not a file"));
    }
    Ok(ContextFile { path: parts.join("/"), real: real.to_string_lossy().into_owned() })
}

/// Ignore rules, and the files from which the engine itself would read some.
pub(super) struct IgnoreRules {
    pub(super) ignore: Ignore,
    text: String,
    /// Path of the file that holds them.
    source: Option<String>,
    /// The context has such files of its own.
    dockerignore: bool,
    containerignore: bool,
}

pub(super) const DOCKERIGNORE: &str = ".dockerignore";
const CONTAINERIGNORE: &str = ".containerignore";

impl IgnoreRules {
    /// Finds the rules. Only one file counts: that of the Dockerfile before that of the context; of the
    /// context's, the one that only Podman's tools know before the one that both know.
    pub(super) fn find(root: &Path, dockerfile: &ContextFile) -> Result<Self, EngineError> {
        let own = |suffix: &str| format!("{}{suffix}", dockerfile.path);
        let is_there = |name: &str| root.join(name).symlink_metadata().is_ok();
        let mut rules = Self {
            ignore: Ignore::default(),
            text: String::new(),
            source: None,
            dockerignore: is_there(DOCKERIGNORE),
            containerignore: is_there(CONTAINERIGNORE),
        };
        let candidates =
            [own(DOCKERIGNORE), own(CONTAINERIGNORE), CONTAINERIGNORE.to_owned(), DOCKERIGNORE.to_owned()];
        for name in candidates {
            let path = root.join(&name);
            let real = match path.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(FileError::new("read", path, source).into()),
            };
            if !real.starts_with(root) {
                return Err(EngineError::Invalid {
                    what: "the ignore file",
                    text: safe_line(&path.to_string_lossy()).into_owned(),
                    why: "it is a link to beyond the build context".to_owned(),
                });
            }
            rules.text = SourceDir::new(root)?.read_text(Path::new(&name), LONGEST)?;
            rules.ignore = Ignore::parse(&rules.text).map_err(|error| EngineError::Invalid {
                what: "the ignore file",
                text: safe_line(&path.to_string_lossy()).into_owned(),
                why: error.to_string(),
            })?;
            rules.source = Some(name);
            break;
        }
        Ok(rules)
    }

    /// Returns the ignore files to send in place of the context's own. Podman applies them again, so they
    /// must repeat the rules applied here; and both engines keep the paths that they name out of the image,
    /// which hides a generated Dockerfile.
    pub(super) fn to_send(&self, dockerfile: &str) -> Vec<(String, String)> {
        let made = dockerfile == MADE;
        let mut text = self.text.clone();
        if made {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(MADE);
            text.push('\n');
        }
        let mut send = Vec::new();
        for (name, there) in [(DOCKERIGNORE, self.dockerignore), (CONTAINERIGNORE, self.containerignore)] {
            let as_it_is = self.source.as_deref() == Some(name) && !made;
            if there && !as_it_is {
                send.push((name.to_owned(), text.clone()));
            }
        }
        if made && !self.dockerignore {
            send.push((DOCKERIGNORE.to_owned(), format!("{text}{DOCKERIGNORE}\n")));
        }
        send
    }
}

/// Name in the context of a generated Dockerfile.
pub(super) const MADE: &str = ".cki.dockerfile";
