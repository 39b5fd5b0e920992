//! Reports of backing services: `cki list services`, and `cki show` of one, as text and as JSON. Secrets are masked
//! before they get here.

use serde::Serialize;

use crate::base::assets::BUILT_IN;
use crate::base::secret::MASK;
use crate::base::text::{Cell, Fit, Table, plural, safe_line};
use crate::model::inventory::{Inventory, Parameters};
use crate::ops::runtime::helper_image;
use crate::ops::shared::services::{ProvidedVariable, ServiceDetails};
use crate::report::fact_page::FactPage;
use crate::report::view;
use crate::ui::{Ui, style};

/// Columns from which on a table has the images of services.
const NARROW: usize = 72;

#[derive(Serialize)]
struct ServicesView<'a> {
    inventory: &'a str,
    origin: &'a str,
    total: usize,
    services: Vec<ServiceView<'a>>,
}

#[derive(Serialize)]
struct ServiceView<'a> {
    name: &'a str,
    query: &'a str,
    description: Option<&'a str>,
    image: &'a str,
    version: Option<&'a str>,
    image_place: Option<&'a str>,
    ports: &'a [u16],
    ready: Option<String>,
    parameters: &'a Parameters,
    provides: Vec<ProvidedView<'a>>,
    native: bool,
    used_by: Vec<String>,
    written_in: &'a str,
}

#[derive(Serialize)]
struct ProvidedView<'a> {
    name: &'a str,
    value: &'a str,
    secret: bool,
}

/// Prints the matching backing services.
pub fn print_list(ui: &Ui, inventory: &Inventory, found: &[ServiceDetails<'_>]) {
    if ui.is_names() {
        return ui.names(found.iter().map(|service| &service.query));
    }
    let total = inventory.backing_services.len();
    if ui.is_structured() {
        let services = found.iter().map(service_view).collect();
        let view = ServicesView { inventory: &inventory.title, origin: &inventory.origin, total, services };
        return view::print(ui, &view);
    }
    if !found.is_empty() {
        let has_images = ui.columns().is_none_or(|columns| columns >= NARROW);
        let table = if ui.is_wide() { wide(found) } else { narrow(found, has_images) };
        ui.pages(table.lines(ui.columns()));
    }
    let count = match found.len() {
        some if some == total => plural(total, "backing service"),
        some => format!("{some} of {}", plural(total, "backing service")),
    };
    let next = "`cki show NAME` shows one, `cki run-local NAME` runs it";
    ui.status(&style::dim(&format!("{count} · {next}")));
}

/// Returns the table. Beside the images, a narrow terminal has no room for the names of variables.
fn narrow(found: &[ServiceDetails<'_>], has_images: bool) -> Table {
    let fits = [Fit::Whole, Fit::Whole, Fit::Whole, Fit::Wrap];
    let mut table = Table::new(0, if has_images { &fits } else { &fits[1..] });
    let mut add = |cells: [Cell; 4]| {
        let cells = cells.into_iter().enumerate().filter(|(at, _)| has_images || *at != 1);
        table.row(cells.map(|(_, cell)| cell));
    };
    add(["NAME", "IMAGE", "PORTS", "VARIABLES"].map(|text| Cell::styled(text, style::dim)));
    for service in found {
        add([
            Cell::styled(safe_line(&service.query), style::name),
            safe_line(&short_image(service)).into_owned().into(),
            ports(service).into(),
            Cell::styled(safe_line(&variables(service)), style::dim),
        ]);
    }
    table
}

fn wide(found: &[ServiceDetails<'_>]) -> Table {
    let mut table = Table::new(0, &[]);
    let head = ["NAME", "VERSION", "PORTS", "VARIABLES", "USED BY", "IMAGE", "WRITTEN IN", "DESCRIPTION"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for service in found {
        let or_dash = |text: &str| match text {
            "" => "–".to_owned(),
            text => safe_line(text).into_owned(),
        };
        table.row([
            Cell::styled(safe_line(&service.query), style::name),
            or_dash(service.version().unwrap_or_default()).into(),
            or_dash(&ports(service)).into(),
            or_dash(&variables(service)).into(),
            or_dash(&users(service).join(" ")).into(),
            or_dash(&service.image).into(),
            or_dash(&service.place).into(),
            or_dash(service.description.as_deref().and_then(|text| text.lines().next()).unwrap_or_default())
                .into(),
        ]);
    }
    table
}

/// Returns the name and tag of an image, without the registry and the digest.
fn short_image(service: &ServiceDetails<'_>) -> String {
    if service.image == helper_image::NAME {
        return "cki itself".to_owned();
    }
    let image = service.image.split('@').next().unwrap_or_default();
    image.rsplit('/').next().unwrap_or_default().to_owned()
}

fn ports(service: &ServiceDetails<'_>) -> String {
    service.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn variables(service: &ServiceDetails<'_>) -> String {
    service.provided.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn users(service: &ServiceDetails<'_>) -> Vec<String> {
    service.used_by.iter().map(|component| component.reference.to_string()).collect()
}

/// Prints all facts of a backing service.
pub fn print(ui: &Ui, service: &ServiceDetails<'_>) {
    if ui.is_structured() {
        return view::print(ui, &service_view(service));
    }
    if ui.is_names() {
        return ui.names([&service.query]);
    }
    let page = ServicePage { ui, facts: FactPage { ui } };
    ui.data(&format!("{}  {}", style::name(&safe_line(&service.name)), style::dim("backing service")));
    for line in service.description.as_deref().unwrap_or("No description.").lines() {
        ui.data(&safe_line(line));
    }
    ui.data("");
    page.image(service);
    page.rows("Ports", service.ports.iter().map(ToString::to_string));
    let ready = service.ready.as_ref().map(|ready| format!("when {ready}"));
    page.rows("Ready", ready);
    page.parameters(service);
    page.provides(service);
    page.rows("Used by", users(service));
    let mut run = vec![format!("cki run-local {}", service.query)];
    if !service.native {
        run.push("only with a container engine".to_owned());
    }
    page.rows("Run", &run);
    page.rows("For clients", [format!("cki env {}", service.query)]);
    let place = match service.place.starts_with(BUILT_IN) {
        true => service.place.clone(),
        false => ui.place(&service.place).into_owned(),
    };
    page.rows("Written in", [place]);
}

struct ServicePage<'a> {
    ui: &'a Ui,
    facts: FactPage<'a>,
}

impl ServicePage<'_> {
    /// Prints a label with its rows.
    fn rows<T: AsRef<str>>(&self, label: &str, rows: impl IntoIterator<Item = T>) {
        let rows: Vec<String> = rows.into_iter().map(|row| safe_line(row.as_ref()).into_owned()).collect();
        self.facts.rows(label, &rows);
    }

    fn image(&self, service: &ServiceDetails<'_>) {
        if service.image == helper_image::NAME {
            return self.rows("Image", ["this program, which `cki` puts into an image"]);
        }
        let (name, digest) = match service.image.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (service.image.as_str(), None),
        };
        let mut rows = vec![name.to_owned()];
        rows.extend(digest.map(str::to_owned));
        let place = service.image_place.as_ref();
        rows.extend(place.map(|place| format!("from {}, in place of its template's", self.ui.place(place))));
        self.rows("Image", &rows);
        self.rows("Version", service.version());
    }

    fn parameters(&self, service: &ServiceDetails<'_>) {
        if service.parameters.is_empty() {
            return;
        }
        let mut table = Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for (name, default) in &service.parameters {
            let default = format!("default {default}");
            table.row([safe_line(name).into_owned().into(), Cell::styled(safe_line(&default), style::dim)]);
        }
        self.facts.table("Parameters", &table);
    }

    fn provides(&self, service: &ServiceDetails<'_>) {
        if service.provided.is_empty() {
            return self.facts.rows::<String>("Provides", &[]);
        }
        let mut table = Table::new(0, &[Fit::Whole, Fit::Whole]);
        for ProvidedVariable { name, value, secret } in &service.provided {
            let paint = if *secret { style::secret } else { str::to_owned };
            let value = if *secret { MASK } else { value.as_str() };
            table.row([safe_line(name).into_owned().into(), Cell::styled(safe_line(value), paint)]);
        }
        self.facts.table("Provides", &table);
    }
}

fn service_view<'a>(service: &'a ServiceDetails<'_>) -> ServiceView<'a> {
    let provided =
        |one: &'a ProvidedVariable| ProvidedView { name: &one.name, value: &one.value, secret: one.secret };
    ServiceView {
        name: &service.name,
        query: &service.query,
        description: service.description.as_deref(),
        image: &service.image,
        version: service.version(),
        image_place: service.image_place.as_deref(),
        ports: &service.ports,
        ready: service.ready.as_ref().map(ToString::to_string),
        parameters: &service.parameters,
        provides: service.provided.iter().map(provided).collect(),
        native: service.native,
        used_by: users(service),
        written_in: &service.place,
    }
}
