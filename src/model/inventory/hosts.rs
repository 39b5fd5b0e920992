//! Host names that the texts of an inventory mention. The patterns of production hosts belong in
//! `guard`.

use super::Inventory;

impl Inventory {
    /// Returns the host names anywhere in the files of the inventory.
    pub fn mentioned_hosts(&self) -> impl Iterator<Item = &str> {
        let mut before = &self.source_map;
        let entries = self.components.iter().map(|component| &component.source_map);
        // Entries of one file share its text.
        let files =
            entries.filter(move |written| !std::mem::replace(&mut before, written).is_same_file(written));
        [&self.source_map].into_iter().chain(files).flat_map(|written| host_names(written.text()))
    }
}

/// Returns the host names in a text.
pub fn host_names(text: &str) -> impl Iterator<Item = &str> {
    let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.split(move |c: char| !part_of_a_name(c))
        .map(|name| name.trim_matches('.'))
        .filter(|name| is_host(name))
}

/// Returns whether a text is a fully qualified host name (RFC 1123, section 2.1), and no address.
fn is_host(name: &str) -> bool {
    let good =
        |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(good)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;

    #[test]
    fn host_names_are_found_in_any_text() {
        let text =
            "amqps://user:x@mq.example.org:5671/v, {a.example.org=\"TOKEN\"} 10.0.0.1 v1.2 *.example.org.";
        assert_eq!(host_names(text).collect::<Vec<_>>(), ["mq.example.org", "a.example.org", "example.org"]);
        for wrong in ["localhost", "", "-a.example", "a..example", "1.2.3", "a.7"] {
            assert_eq!(host_names(wrong).next(), None, "{wrong}");
        }
    }

    #[test]
    fn mentioned_hosts_reads_each_file_once() {
        let text = "components:\n- {name: a, category: x, image: one.example/a}\n- {name: b, category: x}\n";
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        assert_eq!(inventory.mentioned_hosts().filter(|name| *name == "one.example").count(), 1);
    }
}
