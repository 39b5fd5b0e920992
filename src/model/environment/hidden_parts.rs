//! Parts of generated files that must be masked.

use crate::base::secret::Secret;
use crate::model::container::ContainerFile;

/// Returns the parts of a file to mask: the lines of private keys, or all of it if it is not PEM.
#[must_use]
pub fn hidden_parts(file: &ContainerFile) -> Vec<Secret> {
    let content = file.content.expose();
    if !content.contains("-----BEGIN ") {
        return vec![file.content.clone()];
    }
    let keys = content.split("PRIVATE KEY-----").skip(1).step_by(2);
    let lines = keys.flat_map(|key| key.split('\n').flat_map(|line| line.split("\\n")));
    lines.filter(|line| line.len() >= 8 && !line.starts_with("-----")).map(Secret::new).collect()
}
