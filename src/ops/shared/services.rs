//! The backing services that there are: their names, their templates with the settings of the inventory, and the
//! facts about each. Resolving the needs of a component belongs in `dependencies`.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::secret::{MASK, Secret};
use crate::model::environment::{Environment, GeneratorContext, SecretRules, ServiceBinding};
use crate::model::guard::Guard;
use crate::model::inventory::{Component, Inventory, Parameters};
use crate::model::port::PublishedPort;
use crate::model::probe::ReadinessProbe;
use crate::model::reference::is_name;
use crate::model::service::{ServiceTemplate, TemplateContext};
use crate::ops::shared::need_error::NeedError;

/// The address at which ports are published.
const LOOPBACK: &str = "127.0.0.1";

/// Returns the names of all backing services, sorted.
///
/// # Errors
/// Fails when a directory of the user cannot be read.
pub fn names(assets: &Assets) -> Result<Vec<String>, FileError> {
    let files = assets.names("services")?;
    let names = files.iter().filter_map(|file| file.strip_suffix(".yaml"));
    Ok(names.filter(|name| is_name(name)).map(str::to_owned).collect())
}

/// Loads the template of a backing service, with the settings of the inventory.
///
/// # Errors
/// Fails when the template cannot be read or is invalid.
pub fn template(
    assets: &Assets,
    inventory: &Inventory,
    name: &str,
) -> Result<Option<ServiceTemplate>, NeedError> {
    let Some(asset) = assets.text(&format!("services/{name}.yaml"))? else { return Ok(None) };
    let mut template = ServiceTemplate::read(name, &asset.origin, &asset.text)?;
    if let Some(image) = inventory.services.get(name).and_then(|choice| choice.image.as_deref()) {
        template.set_image(image);
    }
    Ok(Some(template))
}

/// Returns the surroundings of a service: its host is its own name, unless all services have one address.
pub(in crate::ops) fn at<'a>(ctx: TemplateContext<'a>, name: &'a str) -> TemplateContext<'a> {
    let host = if ctx.host.is_empty() { name } else { ctx.host };
    TemplateContext { host, ..ctx }
}

/// The facts about a backing service.
#[derive(Debug)]
pub struct ServiceDetails<'a> {
    /// Its name.
    pub name: String,
    /// The text by which a user names it.
    pub query: String,
    /// Its purpose.
    pub description: Option<String>,
    /// Its image.
    pub image: String,
    /// `file:line` of the image in the inventory, if the inventory replaces the one of the template.
    pub image_place: Option<String>,
    /// The ports it listens on.
    pub ports: Vec<u16>,
    /// Its readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// The parameters of a request, with their defaults.
    pub parameters: Parameters,
    /// The variables that a component gets which needs it.
    pub provided: Vec<ProvidedVariable>,
    /// It runs without a container, too.
    pub native: bool,
    /// The components that need it.
    pub used_by: Vec<&'a Component>,
    /// Its template: a path, or `built in: services/redis.yaml`.
    pub place: String,
}

impl ServiceDetails<'_> {
    /// Returns the tag of the image.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let image = self.image.split('@').next().unwrap_or_default();
        // A colon before the last slash belongs to a registry's port.
        image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
    }
}

/// A variable that a backing service provides; its secrets are masked.
#[derive(Debug, Clone)]
pub struct ProvidedVariable {
    /// Name.
    pub name: String,
    /// Value, with a mask in place of each secret.
    pub value: String,
    /// The value is a secret.
    pub secret: bool,
}

/// Gathers the facts about a backing service, as a component in its network sees it. A mask stands for every secret
/// from the start: no secret is made or read.
///
/// # Errors
/// Fails when its template cannot be read or rendered.
pub fn details<'a>(
    name: &str,
    inventory: &'a Inventory,
    assets: &Assets,
    guard: &Guard,
    users: &Users<'a>,
) -> Result<ServiceDetails<'a>, NeedError> {
    let template = template(assets, inventory, name)?.ok_or_else(|| NeedError::NoService(name.to_owned()))?;
    let parameters = template.parameters(&Parameters::new(), template.file())?;
    let rules = SecretRules::always(MASK);
    let context = GeneratorContext::default();
    let ctx = TemplateContext { host: name, program: "cki", context: &context, rules: &rules };
    let service = template.fill(ctx, std::slice::from_ref(&parameters))?;
    let provided = template.provided(ctx, &parameters)?;
    let is_replaced = inventory.services.get(name).is_some_and(|choice| choice.image.is_some());
    let variable = |binding: ServiceBinding| {
        let value = binding.value.expose();
        // A user's template may hold a credential as it is.
        let secret = binding.secret || guard.is_secret(&binding.name, value);
        let value = if secret { MASK.to_owned() } else { value.to_owned() };
        ProvidedVariable { name: binding.name, value, secret }
    };
    Ok(ServiceDetails {
        query: inventory.service_query(name),
        image_place: is_replaced.then(|| inventory.source_map.place(&format!("services.{name}.image"))),
        provided: provided.into_iter().map(variable).collect(),
        native: service.native.is_some(),
        used_by: users.of(name),
        place: template.file().to_owned(),
        name: service.name,
        description: service.description,
        image: service.image,
        ports: service.ports,
        ready: service.ready,
        parameters,
    })
}

/// Returns the environment of a program of this machine that uses a backing service with its default parameters.
/// `published` are the ports of this machine that lead to it, where they are not its own.
///
/// # Errors
/// Fails when its template cannot be read or rendered.
pub fn client_environment(
    name: &str,
    inventory: &Inventory,
    assets: &Assets,
    ctx: TemplateContext<'_>,
    published: &[PublishedPort],
) -> Result<Environment, NeedError> {
    let template = template(assets, inventory, name)?.ok_or_else(|| NeedError::NoService(name.to_owned()))?;
    let parameters = template.parameters(&Parameters::new(), template.file())?;
    let ctx = TemplateContext { host: LOOPBACK, ..ctx };
    let mut provided = template.provided(ctx, &parameters)?;
    for binding in &mut provided {
        binding.value = Secret::new(at_published(binding.value.expose(), published));
    }
    Ok(Environment::of_bindings(&provided))
}

/// Returns the value of a variable with the published ports in place of the service's own: in an address of this
/// machine, or as the whole value.
fn at_published(value: &str, published: &[PublishedPort]) -> String {
    for one in published.iter().filter(|one| one.port != one.local) {
        if value == one.port.to_string() {
            return one.local.to_string();
        }
    }
    let mut made = String::new();
    let mut rest = value;
    let start = format!("{LOOPBACK}:");
    while let Some(at) = rest.find(&start) {
        let (before, after) = rest.split_at(at + start.len());
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let port = published.iter().find(|one| after[..digits] == one.port.to_string());
        made.push_str(before);
        made.push_str(&port.map_or_else(|| after[..digits].to_owned(), |one| one.local.to_string()));
        rest = &after[digits..];
    }
    made + rest
}

/// The components that need each backing service.
#[derive(Debug)]
pub struct Users<'a>(BTreeMap<&'a str, Vec<&'a Component>>);

impl<'a> Users<'a> {
    /// Finds the users of all backing services of an inventory.
    #[must_use]
    pub fn find(inventory: &'a Inventory) -> Self {
        let mut users: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
        for component in &inventory.components {
            for need in component.run.iter().flat_map(|run| &run.needs) {
                let known = users.entry(need.name.as_str()).or_default();
                if known.last().is_none_or(|last| last.reference != component.reference) {
                    known.push(component);
                }
            }
        }
        Self(users)
    }

    fn of(&self, service: &str) -> Vec<&'a Component> {
        self.0.get(service).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guard::Credentials;
    use crate::model::inventory::InventoryDocument;

    const SAMPLE: &str = "\
services: {redis: {image: 'example.org:5000/valkey:9'}}
components:
  - {name: web, category: service, image: x, run: {needs: [redis, {redis: {}}, login]}}
  - {name: api, category: service, image: x, run: {needs: [login]}}
";

    fn with_details(name: &str, check: impl FnOnce(ServiceDetails<'_>)) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("services")).expect("creates");
        let text = "image: plain\nparameters: {who: me}\nprovides:\n  USER_NAME: {value: '{{ who }}'}\n  \
                    PLAIN_URL: {value: \"x://{{ secret('PASSWORD') }}@{{ host }}/\"}\n  \
                    PASSWORD: {value: \"{{ secret('PASSWORD') }}\", secret: true}\n";
        std::fs::write(directory.path().join("services/login.yaml"), text).expect("writes");
        std::fs::write(directory.path().join("services/README.md"), "no template").expect("writes");
        let assets = Assets::new(vec![directory.path().to_path_buf()]);
        assert_eq!(
            names(&assets).expect("lists"),
            ["http", "login", "postgres", "rabbitmq", "redis", "s3", "smtp", "valkey"]
        );
        let head = InventoryDocument { file: "i.yaml".into(), text: SAMPLE.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        let credentials = Credentials::read("c", "{marks: [], rules: []}").expect("reads");
        let guard = Guard::new(&inventory, credentials);
        let users = Users::find(&inventory);
        check(details(name, &inventory, &assets, &guard, &users).expect("has facts"));
    }

    #[test]
    fn client_values_have_the_published_port() {
        let port = |port, local| PublishedPort { local, port, is_http: false };
        let ports = [port(6379, 16379), port(80, 80), port(63, 1)];
        for (value, expected) in [
            ("redis://u:p@127.0.0.1:6379/6379", "redis://u:p@127.0.0.1:16379/6379"),
            ("6379", "16379"),
            ("63790", "63790"),
            (
                "http://127.0.0.1:80/ 127.0.0.1:6379,127.0.0.1:",
                "http://127.0.0.1:80/ 127.0.0.1:16379,127.0.0.1:",
            ),
            ("redis://example.org:6379", "redis://example.org:6379"),
        ] {
            assert_eq!(at_published(value, &ports), expected);
        }
    }

    #[test]
    fn service_details_mask_secrets_in_all_values() {
        with_details("login", |shown| {
            let provided: Vec<(&str, &str)> =
                shown.provided.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
            // The template does not say that this URL has a login in it.
            assert_eq!(provided, [("PASSWORD", MASK), ("PLAIN_URL", MASK), ("USER_NAME", "me")]);
            assert_eq!((shown.version(), shown.image_place.as_deref()), (None, None));
            let users: Vec<&str> = shown.used_by.iter().map(|one| one.name()).collect();
            assert_eq!(users, ["api", "web"]);
        });
    }

    #[test]
    fn service_details_have_the_image_of_the_inventory() {
        with_details("redis", |shown| {
            assert_eq!(shown.image, "example.org:5000/valkey:9");
            assert_eq!(shown.version(), Some("9"));
            assert_eq!(shown.image_place.as_deref(), Some("i.yaml:1"));
            assert_eq!((shown.used_by.len(), shown.ports), (1, vec![6379]), "a component counts once");
            assert!(shown.place.starts_with("built in: "), "{}", shown.place);
        });
    }
}
