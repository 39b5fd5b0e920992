//! The `.env` file next to a Compose file, which Compose reads for the variables of that file. Defaults in the Compose
//! file itself are in `model::draft`.

use std::collections::BTreeMap;
use std::path::Path;

use super::drafting::Drafting;
use super::files;
use crate::base::yaml::tree::Node;
use crate::model::draft::{dotenv_values, interpolated};

impl Drafting<'_> {
    /// Replaces variables in the texts of a Compose file by the values of the `.env` file next to it.
    pub(super) fn interpolate(&self, document: &mut Node, compose: &Path) {
        let Some(text) = files::text(&self.sources, &compose.with_file_name(".env")) else { return };
        let values: BTreeMap<String, String> = dotenv_values(&text);
        document.for_each_text(&mut |text| {
            if text.contains('$') {
                *text = interpolated(text, &values);
            }
        });
    }
}
