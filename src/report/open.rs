//! Report of `cki open`: the address.

use serde::Serialize;

use crate::ops::runtime::list::InstanceSummary;
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct OpenView<'a> {
    name: &'a str,
    run: &'a str,
    url: &'a str,
    /// A browser shows it.
    opened: bool,
}

/// Prints the address of an instance, which a browser shows or not.
pub fn print(ui: &Ui, instance: &InstanceSummary, url: &str, opened: bool) {
    let identity = &instance.identity;
    if ui.is_structured() {
        return view::print(ui, &OpenView { name: &identity.name, run: identity.run.as_str(), url, opened });
    }
    match opened {
        true => ui.status(&format!("Opened {url} in your browser.")),
        false => ui.data(url),
    }
}
