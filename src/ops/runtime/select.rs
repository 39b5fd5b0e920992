//! Selects instances by the user's query.

use super::error::InstanceError;
use super::list::{FoundInstances, InstanceSummary, is_run};
use crate::model::identity::{ResourceLabels, Retention, Role, RunId};
use crate::model::inventory::SERVICE;

/// The kind of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The name or reference of a component.
    Component,
    /// A prefix of a run's ID.
    Run,
    /// A run and a name in it: `RUN/NAME`.
    Part,
    /// The name of a backing service.
    Name,
}

impl By {
    fn finds(self, one: &InstanceSummary, query: &str) -> bool {
        if let Some(service) = query.strip_prefix(SERVICE) {
            return self == Self::Name && one.identity.role == Role::Service && one.identity.name == service;
        }
        match self {
            Self::Component => {
                let component = one.identity.component.as_str();
                component == query || component.rsplit('/').next() == Some(query)
            }
            Self::Run => is_run(one.identity.run.as_str(), query),
            Self::Part => query.split_once('/').is_some_and(|(run, name)| {
                is_run(one.identity.run.as_str(), run) && one.identity.name == name
            }),
            Self::Name => one.identity.name == query,
        }
    }
}

/// Returns the instances that a query matches, of any number of runs.
fn find<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<(By, Vec<&'a InstanceSummary>), InstanceError> {
    let matches = |all: &'a [InstanceSummary], by: By| -> Vec<&'a InstanceSummary> {
        all.iter().filter(|one| by.finds(one, query)).collect()
    };
    for by in [By::Component, By::Run, By::Part, By::Name] {
        let found = match by {
            // A run's ID is unique on the engine, whatever the inventory.
            By::Run | By::Part => [matches(&listing.instances, by), matches(&listing.others, by)].concat(),
            By::Component | By::Name => matches(&listing.instances, by),
        };
        if !found.is_empty() {
            return Ok((by, found));
        }
    }
    let mut running: Vec<String> =
        listing.instances.iter().map(|one| one.identity.component.clone()).collect();
    running.sort();
    running.dedup();
    let others = [By::Component, By::Name].into_iter().flat_map(|by| matches(&listing.others, by));
    let mut elsewhere: Vec<String> = others.map(|one| one.identity.run.to_string()).collect();
    elsewhere.sort();
    elsewhere.dedup();
    Err(InstanceError::NotRunning {
        query: query.to_owned(),
        running,
        elsewhere,
        start: Vec::new(),
        engines: Vec::new(),
    })
}

/// Returns the runs of instances, oldest first.
fn runs_of<'a>(all: &[&'a InstanceSummary]) -> Vec<&'a RunId> {
    let mut runs: Vec<&RunId> = Vec::new();
    for one in all {
        if !runs.contains(&&one.identity.run) {
            runs.push(&one.identity.run);
        }
    }
    runs
}

/// Returns the instances that a name means: those that have not ended, if there are any.
fn preferred(found: Vec<&InstanceSummary>) -> Vec<&InstanceSummary> {
    let alive: Vec<&InstanceSummary> = found.iter().copied().filter(|one| one.is_alive()).collect();
    if alive.is_empty() { found } else { alive }
}

/// Returns the selected instances of any number of runs: of a component by its name or reference, of a backing
/// service by its name, of a run by a prefix of its ID, or one of a run, as `RUN/NAME`.
///
/// # Errors
/// Fails when nothing matches.
pub fn select_all<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    find(listing, query).map(|(_, found)| found)
}

/// Returns the one selected run. Of several runs of one name, the name means the one that has not ended.
///
/// # Errors
/// Fails when nothing, or several runs, match.
pub fn select_run<'a>(listing: &'a FoundInstances, query: &str) -> Result<&'a RunId, InstanceError> {
    let (_, found) = find(listing, query)?;
    match runs_of(&found).as_slice() {
        [run] => Ok(run),
        _ => match runs_of(&preferred(found)).as_slice() {
            [run] => Ok(run),
            runs => Err(several(query, runs.iter().map(ToString::to_string).collect(), true)),
        },
    }
}

/// Returns the run that a query ends, and the instances of it that the query means: all of them for a run's ID, a
/// component without its dependencies for a name.
///
/// # Errors
/// Fails when nothing, or several runs, match.
pub(in crate::ops) fn select_ending<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<(&'a RunId, Vec<&'a InstanceSummary>), InstanceError> {
    let run = select_run(listing, query)?;
    let (by, mut found) = find(listing, query)?;
    found.retain(|one| one.identity.run == *run);
    if by == By::Component && found.iter().any(|one| one.is_main()) {
        found.retain(|one| one.is_main());
    }
    Ok((run, found))
}

/// The end of a run, or of a part of it.
#[derive(Debug)]
pub(in crate::ops) struct Ended<'a> {
    /// The instances that end.
    pub(in crate::ops) instances: Vec<&'a InstanceSummary>,
    /// The names of those that remain; if there are none, the whole run ends.
    pub(in crate::ops) remaining: Vec<String>,
}

/// Returns what ends with some instances of a run. Without the last requested component, the rest has no use. A run whose
/// process is there, or was retained at its end, ends as a whole.
pub(in crate::ops) fn ended_with<'a>(
    listing: &'a FoundInstances,
    run: &RunId,
    named: &[&'a InstanceSummary],
) -> Ended<'a> {
    let of_run = listing.instances.iter().chain(&listing.others).filter(|one| one.identity.run == *run);
    let (ended, others): (Vec<_>, Vec<_>) = of_run.partition(|one| named.iter().any(|named| named.is(one)));
    let is_detached = ended.iter().all(|one| one.identity.lifetime == Retention::Retained);
    if is_detached && others.iter().any(|one| one.is_main()) {
        let remaining = others.iter().map(|one| one.identity.name.clone()).collect();
        return Ended { instances: ended, remaining };
    }
    Ended { instances: [ended, others].concat(), remaining: Vec::new() }
}

/// Returns the one selected instance: the component itself if several parts of its run match. Of several runs of
/// one name, the name means the one that has not ended.
///
/// # Errors
/// Fails when nothing, or several instances, match.
pub fn select_one<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<&'a InstanceSummary, InstanceError> {
    let (by, found) = find(listing, query)?;
    one_of(query, by, found, false)
}

/// Returns the one instance that a query means, of those that it matches. `whole`: the name of a run means all of it,
/// not its component.
fn one_of<'a>(
    query: &str,
    by: By,
    found: Vec<&'a InstanceSummary>,
    whole: bool,
) -> Result<&'a InstanceSummary, InstanceError> {
    let name = query.strip_prefix(SERVICE).unwrap_or(query);
    let is_main = |one: &InstanceSummary| one.identity.name == name || one.identity.role == Role::Component;
    let main: Vec<&InstanceSummary> = found.iter().copied().filter(|one| is_main(one)).collect();
    let main = preferred(if main.is_empty() { found } else { main });
    if let [one] = main.as_slice() {
        return Ok(one);
    }
    let runs = runs_of(&main);
    let choice = |one: &&InstanceSummary| {
        let ResourceLabels { run, name, role, .. } = &one.identity;
        let is_only = main.iter().filter(|other| other.identity.run == *run).count() == 1;
        match is_only && *role == Role::Component && !whole {
            true => run.to_string(),
            false => format!("{run}/{name}"),
        }
    };
    Err(several(query, main.iter().map(choice).collect(), by != By::Run && runs.len() > 1))
}

fn several(query: &str, choices: Vec<String>, are_runs: bool) -> InstanceError {
    InstanceError::Several { query: query.to_owned(), choices, are_runs }
}

/// Checks that an instance has not ended. `query` selects it.
///
/// # Errors
/// Fails when it has.
pub fn check_alive(one: &InstanceSummary, query: &str) -> Result<(), InstanceError> {
    if one.is_alive() {
        return Ok(());
    }
    let can_be_copied = one.instance.can_be_copied();
    Err(InstanceError::NotAlive { name: one.identity.name.clone(), query: query.to_owned(), can_be_copied })
}

/// Returns the shortest query that means a part of a run: its name, unless that means another run.
#[must_use]
pub fn query_of(listing: &FoundInstances, run: &RunId, name: &str) -> String {
    match select_one(listing, name) {
        Ok(one) if one.identity.run == *run => name.to_owned(),
        _ => run.to_string(),
    }
}

/// Returns the instances whose output is selected: a run selects all its parts, a name one instance, and
/// no query all instances of the listing's scope. Each appears once, in the order of their start.
///
/// # Errors
/// Fails when a query matches nothing, or several runs.
pub(in crate::ops) fn select_outputs<'a>(
    listing: &'a FoundInstances,
    queries: &[String],
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    let mut chosen: Vec<&InstanceSummary> = Vec::new();
    for query in queries {
        match find(listing, query)? {
            (By::Run, found) => {
                let run = select_run(listing, query)?;
                chosen.extend(found.into_iter().filter(|one| one.identity.run == *run));
            }
            (by, found) => chosen.push(one_of(query, by, found, true)?),
        }
    }
    if queries.is_empty() {
        return Ok(listing.instances.iter().collect());
    }
    let is_chosen = |one: &&InstanceSummary| chosen.iter().any(|known| known.is(one));
    Ok(listing.instances.iter().chain(&listing.others).filter(is_chosen).collect())
}

/// Returns whether the queries select an instance that started later.
pub(in crate::ops) fn matches_query(one: &InstanceSummary, queries: &[String]) -> bool {
    let by_name = |query: &String| {
        By::Name.finds(one, query)
            || (By::Component.finds(one, query) && one.identity.role == Role::Component)
            || By::Run.finds(one, query)
            || By::Part.finds(one, query)
    };
    queries.is_empty() || queries.iter().any(by_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::container::Status;

    const ONE: &str = "0000000001";
    const TWO: &str = "1111111112";
    const GROUP: &str = "2222222223";

    fn instance(run: &str, component: &str, name: &str, role: Role, status: Status) -> InstanceSummary {
        let identity = ResourceLabels {
            run: RunId::parse(run).expect("is one"),
            component: component.into(),
            role,
            name: name.into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime: Retention::Retained,
            inventory: String::new(),
        };
        InstanceSummary::sample(identity, status)
    }

    /// Two runs of `web`, each with a `redis`, and a group.
    fn listing(first: Status) -> FoundInstances {
        let instances = vec![
            instance(ONE, "service/web", "web", Role::Component, first.clone()),
            instance(ONE, "service/web", "redis", Role::Service, first),
            instance(TWO, "service/web", "web", Role::Component, Status::Running),
            instance(TWO, "service/web", "redis", Role::Service, Status::Running),
            instance(GROUP, "service/a", "a", Role::Component, Status::Running),
            instance(GROUP, "service/b", "b", Role::Component, Status::Running),
        ];
        FoundInstances { instances, ..FoundInstances::default() }
    }

    /// Returns the choices of an ambiguous query.
    fn choices<T: std::fmt::Debug>(result: Result<T, InstanceError>) -> String {
        let Err(InstanceError::Several { choices, .. }) = result else { panic!("is clear: {result:?}") };
        choices.join(" ")
    }

    #[test]
    fn two_runs_of_one_name_are_told_apart_by_texts_that_select_one() {
        let listing = listing(Status::Running);
        let outputs = |query: &str| select_outputs(&listing, &[query.to_owned()]);
        assert_eq!(choices(select_one(&listing, "web")), format!("{ONE} {TWO}"));
        assert_eq!(choices(select_one(&listing, "redis")), format!("{ONE}/redis {TWO}/redis"));
        assert_eq!(choices(select_run(&listing, "web")), format!("{ONE} {TWO}"));
        assert_eq!(choices(select_run(&listing, "redis")), format!("{ONE} {TWO}"));
        assert_eq!(choices(outputs("web")), format!("{ONE}/web {TWO}/web"));
        assert_eq!(choices(select_one(&listing, GROUP)), format!("{GROUP}/a {GROUP}/b"));
        assert_eq!(outputs(ONE).expect("is clear").len(), 2, "all of a run");
        for (query, run, name) in [
            (ONE, ONE, "web"),
            ("1111", TWO, "web"),
            ("1111/redis", TWO, "redis"),
            ("0000000001/web", ONE, "web"),
            ("2222/b", GROUP, "b"),
            ("a", GROUP, "a"),
        ] {
            let one = select_one(&listing, query).expect("is clear");
            assert_eq!((one.identity.run.as_str(), one.identity.name.as_str()), (run, name), "{query}");
            assert_eq!(select_run(&listing, query).expect("is clear").as_str(), run, "{query}");
        }
        let run = |text: &str| RunId::parse(text).expect("is one");
        assert_eq!(query_of(&listing, &run(ONE), "web"), ONE);
        assert_eq!(query_of(&listing, &run(GROUP), "a"), "a");
    }

    #[test]
    fn a_component_ends_alone_and_the_last_one_with_its_run() {
        let mut listing = listing(Status::Running);
        listing.instances.push(instance(GROUP, "service/a", "db", Role::Service, Status::Running));
        let ends = |listing: &FoundInstances, queries: &[&str]| {
            let mut named = Vec::new();
            for query in queries {
                named.extend(select_ending(listing, query).expect("is clear").1);
            }
            let Ended { instances, remaining } = ended_with(listing, &named[0].identity.run, &named);
            let mut names: Vec<&str> = instances.iter().map(|one| one.identity.name.as_str()).collect();
            names.sort_unstable();
            (names.join(" "), remaining.join(" "))
        };
        let both = |ended: &str, remaining: &str| (ended.to_owned(), remaining.to_owned());
        assert_eq!(ends(&listing, &["a"]), both("a", "b db"), "`b` may use the service");
        assert_eq!(ends(&listing, &["2222/db"]), both("db", "a b"), "a service ends alone, too");
        assert_eq!(ends(&listing, &["a", "b"]), both("a b db", ""));
        assert_eq!(ends(&listing, &["2222"]), both("a b db", ""));
        assert_eq!(ends(&listing, &[&format!("{ONE}/web")]), both("redis web", ""), "the last component");
        assert_eq!(ends(&listing, &["1111/redis"]), both("redis", "web"));
        for one in &mut listing.instances {
            one.identity.lifetime = Retention::Owner;
        }
        assert_eq!(ends(&listing, &["a"]), both("a b db", ""), "its process ends with it");
    }

    #[test]
    fn name_means_the_run_that_has_not_ended() {
        let listing = listing(Status::Exited(1));
        assert_eq!(select_one(&listing, "web").expect("is clear").identity.run.as_str(), TWO);
        assert_eq!(select_run(&listing, "redis").expect("is clear").as_str(), TWO);
        assert_eq!(select_one(&listing, ONE).expect("is clear").identity.run.as_str(), ONE);
        assert_eq!(select_all(&listing, "web").expect("matches").len(), 4);
    }
}
