//! The layer of a deployment in a local environment: above the defaults of the table, below the backing
//! services. Values of Secrets and values that name production are never used. Reading a deployment
//! belongs in [`crate::model::deployment`].

use std::collections::BTreeMap;
use std::fmt;

use super::production_value::{ProductionInfo, ProductionValue, expanded};
use super::replace::{Local, Placeholders};
use super::secret_detection::{holds_password, in_production};
use super::{EnvironmentError, GeneratorSource, ProductionRules, SecretNames, ValueOrigin, Variable};
use crate::base::secret::Secret;
use crate::model::deployment::expansion::{Segment, render};
use crate::model::deployment::{DeployedContainer, EnvEntry, EnvVarSource};
use crate::model::inventory::{Component, EnvVarDecl};

/// A deployment with the checks for its values.
#[derive(Clone, Copy)]
pub struct Deployed<'a> {
    /// Container of the component.
    pub container: &'a DeployedContainer,
    /// Rules for replacing values that name production.
    pub rules: &'a ProductionRules,
    /// Returns whether a text names production.
    pub names_production: &'a dyn Fn(&str) -> bool,
    /// Returns whether the value (second) of a variable (first) looks like a credential.
    pub is_credential: &'a dyn Fn(&str, &str) -> bool,
}

impl fmt::Debug for Deployed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployed").field("container", &self.container.label).finish_non_exhaustive()
    }
}

/// Local texts by variable, which replace those of the deployment.
pub(super) type LocalTexts = BTreeMap<String, Vec<Segment>>;

/// Adds the layer. Its references are resolved later, once all other layers are known.
pub(super) fn add(
    deployed: Deployed<'_>,
    component: &Component,
    placeholders: Placeholders<'_>,
    variables: &mut BTreeMap<String, Variable>,
) -> Result<LocalTexts, EnvironmentError> {
    let names = placeholders.rules.names();
    let mut texts = LocalTexts::new();
    let declared = |name: &str| component.environment.iter().find(|declared| declared.name == name);
    let is_open = |name: &str| declared(name).is_some_and(|declared| declared.secret == Some(false));
    let is_secret = |name: &str, value: &str| {
        declared(name).is_some_and(EnvVarDecl::is_secret)
            || (!is_open(name) && names.judge(name, value).hide)
            || (deployed.is_credential)(name, value)
    };
    let written = in_production(deployed.container, &is_secret, names);
    for (given, known) in deployed.container.variables.iter().zip(written) {
        let place = given.place.clone();
        let variable = variables
            .entry(given.name.clone())
            .or_insert_with(|| Variable::new(&given.name, ValueOrigin::Missing { place: place.clone() }));
        let taken = match (&given.value, &known.value) {
            (EnvVarSource::Secret { secret, key }, _) => {
                variable.secret = true;
                variable.source = Some(GeneratorSource {
                    name: given.name.clone(),
                    kept_as: format!("Secret {secret}, key {key}"),
                    value: None,
                    declared: false,
                    // The reason is in the value in production.
                    why: String::new(),
                });
                None
            }
            (EnvVarSource::Field(field), _) => {
                deployed.rules.field(&given.name, field, component.name())?.map(|made| {
                    variable.replaced_by = Some(made.rule);
                    Secret::new(made.value)
                })
            }
            (EnvVarSource::Text(_) | EnvVarSource::Unknown(_) | EnvVarSource::Required(_), known) => {
                let value = known.written();
                let local = match () {
                    () if is_open(&given.name) => Local::Same,
                    () if declared(&given.name).is_some_and(EnvVarDecl::is_secret) => {
                        Local::Whole(GeneratorSource {
                            name: given.name.clone(),
                            kept_as: format!("variable {}", given.name),
                            value: value.filter(|value| !value.expose().is_empty()).cloned(),
                            declared: true,
                            why: "declared to be secret".to_owned(),
                        })
                    }
                    () => placeholders.of(given, value.map(Secret::expose))?,
                };
                layer(deployed, given, value, local, variable, &mut texts)
            }
        };
        let hides = |value: &Secret| !is_open(&given.name) && names.judge(&given.name, value.expose()).hide;
        variable.secret |= taken.as_ref().is_some_and(hides);
        variable.required |= matches!(given.value, EnvVarSource::Required(_));
        variable.production = Some(known);
        if let Some(value) = taken {
            let before = std::mem::replace(&mut variable.origin, ValueOrigin::Deployment { place });
            variable.instead_of = variable.value.is_some().then_some(before);
            variable.value = Some(value);
        }
    }
    Ok(texts)
}

/// Returns the local value, or `None` if a placeholder replaces all of it.
fn layer(
    deployed: Deployed<'_>,
    given: &EnvEntry,
    value: Option<&Secret>,
    local: Local,
    variable: &mut Variable,
    texts: &mut LocalTexts,
) -> Option<Secret> {
    let (pieces, reasons) = match local {
        // The guard refuses a credential in a variable whose name does not mark it as secret.
        Local::Same => return value.cloned(),
        Local::Whole(source) => {
            variable.secret = true;
            variable.source = Some(source);
            return None;
        }
        Local::Parts(pieces, reasons) => (pieces, reasons),
    };
    let text = render(&pieces, &|_| None);
    if (deployed.is_credential)(&given.name, &text) {
        variable.secret = true;
        variable.source = Some(GeneratorSource {
            name: given.name.clone(),
            kept_as: format!("variable {}", given.name),
            value: value.cloned(),
            declared: false,
            why: format!("{}, and the rest looks like a credential", reasons.join(", ")),
        });
        return None;
    }
    variable.parts = reasons;
    texts.insert(given.name.clone(), pieces);
    Some(Secret::new(text))
}

/// Resolves references with the local values of other variables, and replaces parts that name
/// production.
pub(super) fn settle(
    deployed: Deployed<'_>,
    texts: &LocalTexts,
    names: &SecretNames,
    variables: &mut BTreeMap<String, Variable>,
) -> Result<(), EnvironmentError> {
    for given in &deployed.container.variables {
        let ((Some(pieces), _) | (None, EnvVarSource::Text(pieces))) = (texts.get(&given.name), &given.value)
        else {
            continue;
        };
        let parts = || {
            pieces.iter().filter_map(|piece| match piece {
                Segment::Variable(name) => variables.get(name),
                Segment::Text(_) => None,
            })
        };
        let tainted = parts().any(|part| part.secret);
        let own = parts().any(|part| part.secret && part.own);
        let local = expanded(pieces, &|name| variables.get(name)?.value.as_ref().map(Secret::expose));
        let Some(variable) = variables.get_mut(&given.name) else { continue };
        variable.secret |= tainted;
        variable.own |= own && matches!(variable.origin, ValueOrigin::Deployment { .. });
        let was_production = match &variable.production {
            Some(ProductionInfo { value: ProductionValue::Written(value), .. }) => {
                (deployed.names_production)(value.expose())
            }
            _ => false,
        };
        match (&variable.origin, local) {
            (ValueOrigin::Service { service, .. }, _) if was_production => {
                variable.replaced_by = Some(format!("backing service {service}"));
            }
            (ValueOrigin::Deployment { place }, None) => {
                variable.origin = ValueOrigin::Missing { place: place.clone() };
                variable.value = None;
            }
            (ValueOrigin::Deployment { place }, Some(local)) if (deployed.names_production)(&local) => {
                match deployed.rules.replace(&given.name, &local, deployed.names_production)? {
                    Some(made) => {
                        variable.parts.clear();
                        variable.value = Some(Secret::new(made.value));
                        variable.replaced_by = Some(made.rule);
                    }
                    None => {
                        variable.origin = ValueOrigin::Missing { place: place.clone() };
                        variable.value = None;
                        variable.replaced_by = Some("no rule fits".to_owned());
                    }
                }
            }
            (ValueOrigin::Deployment { .. }, Some(local)) => {
                variable.secret |= !variable.parts.is_empty() || holds_password(&local, names);
                variable.value = Some(Secret::new(local));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::production_value::LONGEST;
    use super::super::{EnvOverrides, Environment, Inputs, SecretRules, ServiceBinding};
    use super::*;
    use crate::base::assets::embedded_text;
    use crate::model::deployment::DeploymentPart;
    use crate::model::inventory::{Inventory, InventoryDocument};

    const TABLE: &str = "\
production: {environment: {IS_PRODUCTION: \"false\"}}
components:
  - name: web
    category: service
    environment:
      - {name: LEVEL, default: WARN}
      - {name: KEPT, default: here}
      - {name: LOGIN, secret: true}
      - {name: LACKING, required: true}
      - {name: DB_PASSWORD, description: nobody says whether it is secret}
      - {name: TOKEN_NAMES, secret: false}
";

    fn given(name: &str, value: EnvVarSource) -> EnvEntry {
        EnvEntry {
            name: name.to_owned(),
            place: format!("d.yaml:{name}"),
            value,
            parts: Vec::new(),
            draft: None,
        }
    }

    fn text(name: &str, value: &str) -> EnvEntry {
        let earlier = |name: &str| ["HOST", "API_TOKEN", "BIG"].contains(&name);
        given(name, EnvVarSource::Text(crate::model::deployment::expansion::pieces(value, &earlier)))
    }

    /// Returns the environment of a deployment: name, value, origin, rule, and value in production.
    fn resolved(variables: Vec<EnvEntry>, wishes: EnvOverrides) -> Vec<(String, Variable)> {
        let head = InventoryDocument { file: "i.yaml".into(), text: TABLE.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        let container = DeployedContainer {
            label: "Deployment/web, container web".to_owned(),
            place: "d.yaml:1".to_owned(),
            image: None,
            command: Vec::new(),
            args: Vec::new(),
            workdir: None,
            ports: Vec::new(),
            ready: None,
            variables,
            interpolated: Vec::new(),
            init: Vec::new(),
        };
        let rules = embedded_text("production-values.yaml").expect("is built in");
        let rules = ProductionRules::read("p", rules).expect("are valid");
        let secrets = embedded_text("placeholder-secrets.yaml").expect("is built in");
        let names = embedded_text("secret-names.yaml").expect("is built in");
        let names = SecretNames::read("n", names).expect("are valid");
        let names_production = |text: &str| text.contains("prod.example.org");
        let provided = ServiceBinding {
            name: "BUS".into(),
            value: Secret::new("bus"),
            secret: false,
            service: "rabbitmq".into(),
            place: "services/rabbitmq.yaml".into(),
        };
        let environment = Environment::resolve(Inputs {
            component: &inventory.components[0],
            inventory: &inventory,
            deployed: Some(Deployed {
                container: &container,
                rules: &rules,
                names_production: &names_production,
                is_credential: &|_, value| value.contains("glpat-"),
            }),
            provided: vec![provided],
            secrets: &SecretRules::read("r", secrets).expect("are valid").with_names(names),
            context: crate::model::environment::GeneratorContext::of("w"),
            wishes,
        });
        let variables = environment.expect("resolves").variables;
        variables.into_iter().map(|variable| (variable.name.clone(), variable)).collect()
    }

    fn find<'a>(all: &'a [(String, Variable)], name: &str) -> &'a Variable {
        &all.iter().find(|(known, _)| known == name).expect("is there").1
    }

    fn value<'a>(all: &'a [(String, Variable)], name: &str) -> Option<&'a str> {
        find(all, name).value.as_ref().map(Secret::expose)
    }

    #[test]
    fn it_is_above_the_table_and_below_all_else() {
        let variables = vec![
            text("LEVEL", "DEBUG"),
            text("IS_PRODUCTION", "true"),
            text("BUS", "bus.prod.example.org"),
            text("MINE", "theirs"),
            given("LACKING", EnvVarSource::Unknown("why".into())),
        ];
        let set = vec![("MINE".to_owned(), Secret::new("mine"), ValueOrigin::Flag)];
        let all = resolved(variables, EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
        let seen = |name: &str| (value(&all, name), find(&all, name).origin.id());
        assert_eq!(seen("LEVEL"), (Some("DEBUG"), "deployment"));
        assert_eq!(seen("KEPT"), (Some("here"), "default"));
        assert_eq!(seen("IS_PRODUCTION"), (Some("false"), "locked"));
        assert_eq!(seen("BUS"), (Some("bus"), "service"));
        assert_eq!(find(&all, "BUS").replaced_by.as_deref(), Some("backing service rabbitmq"));
        assert_eq!(seen("MINE"), (Some("mine"), "flag"));
        assert_eq!(seen("LACKING"), (None, "missing"));
        let there = find(&all, "IS_PRODUCTION").production.as_ref().expect("is known");
        assert_eq!(there.value.written().map(Secret::expose), Some("true"));
    }

    #[test]
    fn what_names_production_is_replaced_wherever_it_gets_to() {
        let variables = vec![
            text("HOST", "api.prod.example.org"),
            text("URL", "https://$(HOST)/v1"),
            text("PARTS", "https://api.prod.$(DOMAIN)example.org/x"),
            given("SPACE", EnvVarSource::Field("metadata.namespace".into())),
        ];
        let all = resolved(variables.clone(), EnvOverrides::default());
        assert_eq!(value(&all, "HOST"), Some("host.reference.invalid"));
        assert_eq!(find(&all, "HOST").replaced_by.as_deref(), Some("host"));
        // Values made of it follow, also when the user sets it.
        assert_eq!(value(&all, "URL"), Some("https://host.reference.invalid/v1"));
        assert_eq!(
            (value(&all, "SPACE"), find(&all, "SPACE").replaced_by.as_deref()),
            (Some("local"), Some("namespace"))
        );
        let set = vec![("HOST".to_owned(), Secret::new("localhost"), ValueOrigin::Flag)];
        let all = resolved(variables, EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
        assert_eq!(value(&all, "URL"), Some("https://localhost/v1"));
    }

    #[test]
    fn no_secret_is_taken_from_a_deployment() {
        let variables = vec![
            given("API_TOKEN", EnvVarSource::Secret { secret: "login".into(), key: "token".into() }),
            text("URL", "https://user:$(API_TOKEN)@localhost/"),
            text("LOGIN", "hunter2"),
            text("OTHER_PASSWORD", "hunter2"),
            text("DB_PASSWORD", "hunter2"),
            text("TOKEN_NAMES", "those of the bots"),
            text("AUTH_ENABLED", "true"),
        ];
        let all = resolved(variables, EnvOverrides::default());
        for name in ["API_TOKEN", "LOGIN", "OTHER_PASSWORD", "DB_PASSWORD"] {
            let variable = find(&all, name);
            assert!(variable.secret && variable.origin.id() == "placeholder-secret", "{name}");
            assert!(value(&all, name).is_some_and(|value| value.contains("reference")), "{name}");
        }
        let token = value(&all, "API_TOKEN").expect("has one");
        assert_eq!(value(&all, "URL"), Some(format!("https://user:{token}@localhost/").as_str()));
        assert!(find(&all, "URL").secret, "it holds one");
        assert_eq!((value(&all, "AUTH_ENABLED"), find(&all, "AUTH_ENABLED").secret), (Some("true"), false));
        let names = find(&all, "TOKEN_NAMES");
        assert_eq!((value(&all, "TOKEN_NAMES"), names.secret), (Some("those of the bots"), false));
    }

    #[test]
    fn what_production_has_is_hidden_though_the_local_value_is_not() {
        let mut made = text("MODE", "hunter2");
        made.parts = vec![DeploymentPart { name: "A_PASSWORD".to_owned(), range: 0..7, known: true }];
        let variables = vec![
            text("DATABASE_URL", "postgres://u:hunter2@db.prod.example.org/x"),
            text("API_TOKEN", "hunter2"),
            text("URL", "https://prod.example.org/?key=$(API_TOKEN)"),
            text("LINK", "see glpat-0123456789abcdef0123, prod.example.org"),
            text("HERE", "postgres://u:hunter2@localhost/x"),
            text("PLAIN", "https://api.prod.example.org:443/v1"),
            made,
        ];
        let all = resolved(variables, EnvOverrides::default());
        let hidden = |name: &str| find(&all, name).production.as_ref().expect("is known").secret;
        for name in ["DATABASE_URL", "API_TOKEN", "URL", "LINK", "HERE", "MODE"] {
            assert!(hidden(name), "{name}");
        }
        assert!(!hidden("PLAIN"));
        assert_eq!(value(&all, "DATABASE_URL"), Some("postgres://database-url.reference.invalid/x"));
        assert!(!find(&all, "DATABASE_URL").secret, "the local value is none");
        assert!(find(&all, "HERE").secret, "it is the same here");
        assert!(value(&all, "MODE").is_some_and(|value| value.contains("reference")));
    }

    #[test]
    fn what_is_made_of_a_secret_of_the_users_is_one_of_theirs() {
        let secret = EnvVarSource::Secret { secret: "login".into(), key: "token".into() };
        let variables = vec![
            text("HOST", "localhost"),
            given("API_TOKEN", secret),
            text("URL", "https://u:$(API_TOKEN)@$(HOST)/"),
            given("AGAIN", EnvVarSource::Text(vec![Segment::Variable("URL".into())])),
            text("PLAIN", "https://$(HOST)/"),
        ];
        let own = |set: &[(&str, &str)]| {
            let set =
                set.iter().map(|(n, v)| ((*n).to_owned(), Secret::new(*v), ValueOrigin::Flag)).collect();
            let all =
                resolved(variables.clone(), EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
            let own = all.iter().filter(|(_, variable)| variable.secret && variable.own);
            own.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(own(&[("API_TOKEN", "real")]), ["AGAIN", "API_TOKEN", "URL"]);
        assert!(own(&[("HOST", "127.0.0.1")]).is_empty(), "it is made of a placeholder secret");
        assert_eq!(own(&[("API_TOKEN", "real"), ("URL", "x")]), ["AGAIN", "API_TOKEN", "URL"]);
    }

    #[test]
    fn values_that_grow_without_end_are_left_out() {
        let mut variables = vec![text("BIG", &"x".repeat(LONGEST))];
        variables.push(given("BIGGER", EnvVarSource::Text(vec![Segment::Variable("BIG".into()); 2])));
        let all = resolved(variables, EnvOverrides::default());
        assert_eq!(value(&all, "BIG").map(str::len), Some(LONGEST));
        assert_eq!(value(&all, "BIGGER"), None);
    }
}
