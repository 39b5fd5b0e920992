//! Files with placeholder secrets, whose paths are the values of variables.

use std::collections::BTreeMap;

use crate::base::secret::Secret;
use crate::model::container::ContainerFile;
use crate::model::environment::placeholder_secret::GeneratedSecret;
use crate::model::environment::variable::{ValueOrigin, Variable};

/// Permissions of the files: readable for every user that the image may run as. Placeholders need no
/// protection.
const MODE: u32 = 0o444;
/// Generated contents of files by variable, of which only those still in use at the end are kept.
#[derive(Debug, Default)]
pub(super) struct GeneratedFiles(BTreeMap<String, Secret>);

impl GeneratedFiles {
    /// Returns the files for the container of these variables.
    pub(super) fn wanted(self, variables: &BTreeMap<String, Variable>) -> Vec<ContainerFile> {
        let made = self.0.into_iter().filter_map(|(name, content)| {
            let variable = variables.get(&name)?;
            let path = variable
                .value
                .as_ref()
                .filter(|_| matches!(variable.origin, ValueOrigin::Placeholder { .. }))?;
            Some((path.expose().to_owned(), content))
        });
        // Several variables may name the same file.
        let files: BTreeMap<String, Secret> = made.collect();
        files.into_iter().map(|(path, content)| ContainerFile { path, content, mode: MODE }).collect()
    }

    /// Gives a variable its placeholder, and remembers the content of its file.
    pub(super) fn take(&mut self, variable: &mut Variable, made: GeneratedSecret, place: String) {
        variable.origin = ValueOrigin::Placeholder { rule: made.rule, place };
        variable.value = Some(made.value);
        if let Some(content) = made.file {
            self.0.insert(variable.name.clone(), content);
        }
    }
}
