//! Entries as entities of Backstage. Writing the file belongs in `report`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::annotations::{DEPENDENCIES, NOBODY, PEOPLE, REFERENCE, SOURCE, written_verb};
use crate::model::inventory::{Category, Component, Inventory};
use crate::model::reference::{Reference, is_name};

/// Maximum length of a name in Backstage.
const LONGEST: usize = 63;
/// Stands for what Backstage requires of an API, and an inventory does not have.
const NO_DEFINITION: &str = "The inventory has no definition of this API.";
/// State of a component: an inventory describes what runs.
const LIFECYCLE: &str = "production";

/// Entries as a catalog.
#[derive(Debug)]
pub struct BackstageCatalog {
    /// Entities, in the order of the inventory.
    pub entities: Vec<Entity>,
    /// Entries that have no entity, since Backstage does not accept their names.
    pub skipped: Vec<Reference>,
    /// Keys of entries that entities have no place for, each with the number of entries that have it.
    pub lost: BTreeMap<&'static str, usize>,
}

/// An entity.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Serialize)]
struct Metadata {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<EntityLink>,
}

#[derive(Debug, Serialize)]
struct EntityLink {
    url: String,
    title: String,
    r#type: &'static str,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subcomponent_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subdomain_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_of: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provides_apis: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consumes_apis: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'static str>,
}

/// Turns the entries of an inventory into entities.
#[must_use]
pub fn export(inventory: &Inventory) -> BackstageCatalog {
    let names = Names::new(inventory);
    let (mut skipped, mut lost, mut entities) = (Vec::new(), BTreeMap::new(), Vec::new());
    // An API is provided by a component: in an inventory, the API depends on it.
    let mut provided: HashMap<&Reference, Vec<&Reference>> = HashMap::new();
    for component in inventory.components.iter().filter(|one| kind_of(inventory, &one.reference) == "API") {
        for dependency in component.dependencies.iter().filter(|one| one.verb == "provided-by") {
            provided.entry(&dependency.target).or_default().push(&component.reference);
        }
    }
    for component in &inventory.components {
        match names.own(&component.reference) {
            Some((name, namespace)) => {
                let mut writer = EntityWriter { inventory, names: &names, lost: BTreeSet::new() };
                let apis = provided.get(&component.reference).map(Vec::as_slice).unwrap_or_default();
                entities.push(writer.entity(component, name, namespace, apis));
                writer.lost.into_iter().for_each(|key| *lost.entry(key).or_default() += 1);
            }
            None => skipped.push(component.reference.clone()),
        }
    }
    BackstageCatalog { entities, skipped, lost }
}

/// Returns the kind of the entity of an entry.
fn kind_of(inventory: &Inventory, reference: &Reference) -> &'static str {
    match reference.category.as_str() {
        "people" => {
            let kind = inventory.get(reference).and_then(|entry| entry.kind.as_deref());
            if kind == Some("person") { "User" } else { "Group" }
        }
        "api" => "API",
        "system" => "System",
        "domain" => "Domain",
        "resource" => "Resource",
        id => {
            let is_production = inventory
                .category(id)
                .map_or_else(|| matches!(id, "external" | "infrastructure"), Category::is_production);
            if is_production { "Resource" } else { "Component" }
        }
    }
}

/// Names of entities by the references of their entries: two entries with one name have different namespaces.
struct Names {
    by_reference: HashMap<Reference, (String, Option<String>)>,
}

impl Names {
    fn new(inventory: &Inventory) -> Self {
        let mut taken = HashSet::new();
        let mut by_reference = HashMap::new();
        for component in &inventory.components {
            let (reference, kind) = (&component.reference, kind_of(inventory, &component.reference));
            let namespace = reference.category.to_lowercase().replace(['_', '.'], "-");
            let namespace = namespace.trim_matches('-').to_owned();
            let candidates = [None, Some(namespace).filter(|name| !name.is_empty() && name.len() <= LONGEST)];
            if !is_entity_name(&reference.name) {
                continue;
            }
            let free = candidates.into_iter().enumerate().find(|(at, namespace)| {
                let key = (kind, namespace.clone().unwrap_or_default(), reference.name.to_lowercase());
                (*at == 0 || namespace.is_some()) && taken.insert(key)
            });
            if let Some((_, namespace)) = free {
                by_reference.insert(reference.clone(), (reference.name.clone(), namespace));
            }
        }
        Self { by_reference }
    }

    fn own(&self, reference: &Reference) -> Option<(String, Option<String>)> {
        self.by_reference.get(reference).cloned()
    }
}

/// Returns whether Backstage accepts a name.
fn is_entity_name(name: &str) -> bool {
    name.len() <= LONGEST && name.ends_with(|last: char| last.is_ascii_alphanumeric())
}

struct EntityWriter<'a> {
    inventory: &'a Inventory,
    names: &'a Names,
    /// Keys of the entry that have no place.
    lost: BTreeSet<&'static str>,
}

impl EntityWriter<'_> {
    /// Returns the reference of an entity: `component:default/herder`.
    fn reference(&self, reference: &Reference) -> String {
        let kind = kind_of(self.inventory, reference).to_lowercase();
        let (name, namespace) = self.names.own(reference).unwrap_or_else(|| (reference.name.clone(), None));
        format!("{kind}:{}/{name}", namespace.as_deref().unwrap_or("default"))
    }

    fn entity(
        &mut self,
        component: &Component,
        name: String,
        namespace: Option<String>,
        apis: &[&Reference],
    ) -> Entity {
        let kind = kind_of(self.inventory, &component.reference);
        let mut annotations = BTreeMap::from([(REFERENCE, component.reference.to_string())]);
        annotations.extend(self.source(component).map(|source| (SOURCE, source)));
        if component.people.len() > 1 || component.people.iter().any(|name| !is_name(name)) {
            annotations.insert(PEOPLE, component.people.join(","));
        }
        let mut spec = self.spec(component, kind);
        self.relations(component, kind, &mut spec, &mut annotations);
        if kind == "Component" {
            spec.provides_apis.extend(apis.iter().map(|api| self.reference(api)));
        }
        self.note_lost(component);
        let links = self.links(component);
        let metadata = Metadata {
            name,
            namespace,
            description: component.description.as_deref().map(str::to_owned),
            annotations,
            links,
        };
        Entity { api_version: "backstage.io/v1alpha1", kind, metadata, spec }
    }

    fn spec(&self, component: &Component, kind: &str) -> Spec {
        let own = component.kind.as_deref().map(str::to_owned);
        let typed = own.clone().unwrap_or_else(|| component.reference.category.clone());
        let owner = component.people.first().map_or_else(
            || format!("group:default/{NOBODY}"),
            |name| match self.inventory.get(&Reference::new("people", name.as_ref())) {
                Some(entry) => self.reference(&entry.reference),
                // An entity of another namespace would look for it there.
                None => format!("group:default/{name}"),
            },
        );
        match kind {
            "Group" => Spec {
                r#type: Some(own.unwrap_or_else(|| "team".to_owned())),
                children: Some(Vec::new()),
                ..Spec::default()
            },
            "User" => Spec { member_of: Some(Vec::new()), ..Spec::default() },
            "System" | "Domain" => Spec { r#type: own, owner: Some(owner), ..Spec::default() },
            "Resource" => Spec { r#type: Some(typed), owner: Some(owner), ..Spec::default() },
            "API" => Spec {
                r#type: Some(typed),
                lifecycle: Some(LIFECYCLE),
                owner: Some(owner),
                definition: Some(NO_DEFINITION),
                ..Spec::default()
            },
            _ => Spec {
                r#type: Some(typed),
                lifecycle: Some(LIFECYCLE),
                owner: Some(owner),
                ..Spec::default()
            },
        }
    }

    /// Adds the relations of an entry. Backstage has no verbs, so an annotation keeps those that it would lose.
    fn relations(
        &mut self,
        component: &Component,
        kind: &str,
        spec: &mut Spec,
        annotations: &mut BTreeMap<&'static str, String>,
    ) {
        let mut verbs = Vec::new();
        for dependency in &component.dependencies {
            let target = self.reference(&dependency.target);
            let to = kind_of(self.inventory, &dependency.target);
            if dependency.inferred {
                self.lost.insert("dependencies.inferred");
            }
            match (dependency.verb.as_str(), kind, to) {
                ("part-of", "Component" | "API" | "Resource", "System") if spec.system.is_none() => {
                    spec.system = Some(target);
                }
                ("part-of", "Component", "Component") if spec.subcomponent_of.is_none() => {
                    spec.subcomponent_of = Some(target);
                }
                ("part-of", "System", "Domain") if spec.domain.is_none() => spec.domain = Some(target),
                ("part-of", "Domain", "Domain") if spec.subdomain_of.is_none() => {
                    spec.subdomain_of = Some(target);
                }
                ("part-of", "Group", "Group") if spec.parent.is_none() => spec.parent = Some(target),
                ("part-of", "User", "Group") => spec.member_of.get_or_insert_default().push(target),
                ("consumes", "Component", "API") => spec.consumes_apis.push(target),
                ("provides", "Component", "API") => spec.provides_apis.push(target),
                // The component provides it.
                ("provided-by", "API", "Component") => {}
                (verb, "Component" | "Resource", _) => {
                    verbs.push(format!("{} {}", written_verb(verb), dependency.target));
                    if !spec.depends_on.contains(&target) {
                        spec.depends_on.push(target);
                    }
                }
                _ => {
                    self.lost.insert("dependencies");
                }
            }
        }
        if !verbs.is_empty() {
            annotations.insert(DEPENDENCIES, verbs.join(", "));
        }
    }

    /// Returns the place of the sources.
    fn source(&mut self, component: &Component) -> Option<String> {
        if component.sources.len() > 1 {
            self.lost.insert("sources");
        }
        let source = component.sources.first()?;
        let url = self.inventory.repo_url(&source.repo)?;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            self.lost.insert("sources");
            return None;
        }
        let url = crate::model::inventory::shown_source(url);
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix(".git").unwrap_or(url);
        // The forms of GitLab and of GitHub.
        let tree = if url.contains("://github.com/") { "/tree/HEAD/" } else { "/-/tree/HEAD/" };
        Some(match &source.path {
            Some(path) => format!("url:{url}{tree}{}/", path.trim_matches('/')),
            None => format!("url:{url}/"),
        })
    }

    fn links(&mut self, component: &Component) -> Vec<EntityLink> {
        let both = [(&component.documentation, "documentation"), (&component.monitoring, "dashboard")];
        let mut links = Vec::new();
        for (list, kind) in both {
            for link in list {
                match &link.url {
                    Some(url) => {
                        links.push(EntityLink { url: url.clone(), title: link.label.clone(), r#type: kind });
                    }
                    None => {
                        self.lost.insert(if kind == "dashboard" { "monitoring" } else { kind });
                    }
                }
            }
        }
        links
    }

    fn note_lost(&mut self, component: &Component) {
        let keys = [
            ("infrastructure", component.infrastructure.is_some()),
            ("environment", !component.environment.is_empty()),
            ("hosts", !component.hosts.is_empty()),
            ("deployment", !component.deployment.is_empty()),
            ("image", component.image.is_some()),
            ("build", component.build.is_some()),
            ("run", component.run.is_some()),
            ("stage", component.stage.is_some()),
            ("ignore", !component.ignore.is_empty()),
        ];
        self.lost.extend(keys.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key));
    }
}
