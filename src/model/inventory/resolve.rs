//! Rules about an inventory as a whole: the order of its entries, values implied by categories, and
//! checks of references. Rules about a single entry belong in `entry`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::backstage::unplaced::UnplacedPart;
use super::details::EntryFacts;
use super::error::{Errors, InventoryError};
use super::index::{self, Index, count};
use super::problem::{Problem, ProblemKind};
use super::{Category, Inventory, SourceMap};
use crate::model::guard::is_host_pattern;

impl Inventory {
    /// Sorts the entries, fills in values implied by categories, and checks the whole.
    pub(super) fn resolve(&mut self) -> Result<(), InventoryError> {
        self.index_categories();
        index::sort(&mut self.components, &self.index);
        self.check_names()?;
        let implied: BTreeMap<String, String> =
            self.categories.iter().filter_map(|c| Some((c.id.clone(), c.kind.clone()?))).collect();
        for component in &mut self.components {
            if component.kind.is_none() {
                component.kind = implied.get(&component.reference.category).cloned().map(Cow::Owned);
            }
        }
        self.check_repos();
        self.check_hosts();
        self.check_cycles()
    }

    /// Does the same for an inventory from the cache: its entries are sorted, and it was valid.
    pub(super) fn finish_stored(&mut self) {
        self.index_categories();
        self.check_repos();
        self.check_hosts();
    }

    /// Builds the index of categories, with those that only entries name.
    fn index_categories(&mut self) {
        self.index = Index::new(&self.categories);
        let mut before = "";
        for component in &self.components {
            let id = &component.reference.category;
            if std::mem::replace(&mut before, id) == id {
                continue;
            }
            if self.index.add_category(id, self.categories.len()) {
                let (id, title, description, kind, production) = (id.clone(), None, None, None, None);
                self.categories.push(Category { id, title, description, kind, production });
            }
        }
    }

    /// Refuses two entries with the same reference.
    fn check_names(&self) -> Result<(), InventoryError> {
        let twice = self.components.windows(2).filter(|pair| pair[0].reference == pair[1].reference);
        let mut errors = Errors::default();
        for pair in twice {
            errors.note(InventoryError::Twice {
                file: pair[1].source_map.spot(""),
                other: pair[0].source_map.spot(""),
                reference: pair[1].reference.clone(),
            });
        }
        errors.none()
    }

    fn check_repos(&mut self) {
        let mut problems = Vec::new();
        if let Some(rfcs) = self.rfcs.as_ref().filter(|rfcs| self.repo_url(&rfcs.repo).is_none()) {
            let what = ProblemKind::UnknownRepository(rfcs.repo.clone());
            problems.push(Problem::of(&self.source_map, "rfcs.repo", what));
        }
        for component in self.components.iter().filter(|one| one.may_have(EntryFacts::LACKS_REPOSITORY)) {
            let mut check = |repo: &str, part: &dyn Fn() -> String| {
                if self.repo_url(repo).is_none() {
                    let what = ProblemKind::UnknownRepository(repo.to_owned());
                    problems.push(Problem::of(&component.source_map, &part(), what));
                }
            };
            for (index, source) in component.sources.iter().enumerate() {
                check(&source.repo, &|| format!("sources.{index}.repo"));
            }
            for (index, link) in component.documentation.iter().enumerate() {
                link.repo.iter().for_each(|repo| check(repo, &|| format!("documentation.{index}.repo")));
            }
            component.build.iter().for_each(|build| check(&build.repo, &|| "build.repo".to_owned()));
            for (index, files) in component.deployment.iter().enumerate() {
                check(&files.repo, &|| format!("deployment.{index}.repo"));
            }
        }
        self.problems.extend(problems);
    }

    /// Reports invalid host patterns, which would never match a value and so protect nothing.
    fn check_hosts(&mut self) {
        let head = self.production.hosts.iter().enumerate();
        let head = head.map(|(index, host)| (&self.source_map, "production.hosts", index, host));
        let entries = self.components.iter().filter(|one| one.may_have(EntryFacts::HAS_NO_HOST));
        let entries = entries.flat_map(|component| {
            let hosts = component.hosts.iter().enumerate();
            hosts.map(move |(index, host)| (&component.source_map, "hosts", index, host))
        });
        let wrong = head.chain(entries).filter(|(.., host)| !is_host_pattern(host));
        let problems: Vec<Problem> = wrong
            .map(|(written, list, index, host)| {
                Problem::of(written, &format!("{list}.{index}"), ProblemKind::NoHost(host.clone()))
            })
            .collect();
        self.problems.extend(problems);
    }

    /// Records that a file or directory of the inventory is not read, with the reason.
    pub fn note_unread(&mut self, path: String, why: impl Into<Cow<'static, str>>) {
        let written = SourceMap::new(path, Cow::Borrowed(""));
        self.problems.push(Problem::of(&written, "", ProblemKind::Unread(why.into())));
    }

    /// Records the parts of catalogs of Backstage that have no place.
    pub fn note_unplaced(&mut self, parts: Vec<UnplacedPart>) {
        self.unplaced.extend(parts);
    }

    /// Records each name in `needs` that is neither one of these backing services nor a runnable entry.
    pub fn check_needs(&mut self, services: &[String]) {
        let all_anew = self.checked_services.take().is_some_and(|checked| *checked != *services);
        let known: HashSet<&str> = services.iter().map(String::as_str).collect();
        let mut shared: Option<Arc<[String]>> = None;
        let mut problems = Vec::new();
        for component in self.components.iter() {
            if !all_anew && !component.may_have(EntryFacts::HAS_UNKNOWN_NEED) {
                continue;
            }
            let needs = component.run.iter().flat_map(|run| &run.needs).enumerate();
            for (index, need) in needs {
                if known.contains(need.name.as_str()) || self.get_by_name(&need.name).is_some() {
                    continue;
                }
                let services = Arc::clone(shared.get_or_insert_with(|| services.into()));
                let what = ProblemKind::UnknownNeed { need: need.name.clone(), services };
                problems.push(Problem::of(&component.source_map, &format!("run.needs.{index}"), what));
            }
        }
        self.problems.extend(problems);
    }

    /// Refuses components that need each other, since they can never be started. The search visits each
    /// entry and each need once, and keeps its path in a list instead of the stack: a chain may be as
    /// long as the inventory.
    fn check_cycles(&self) -> Result<(), InventoryError> {
        #[derive(Clone, Copy, PartialEq)]
        enum VisitState {
            New,
            OnTheWay,
            Done,
        }
        let needs = |at: usize| self.components[at].run.as_ref().map_or(&[][..], |run| &run.needs);
        let mut states = vec![VisitState::New; self.components.len()];
        for start in 0..self.components.len() {
            if states[start] != VisitState::New || needs(start).is_empty() {
                continue;
            }
            // Entries on the current path, each with the index of its next need.
            let mut way = vec![(start, 0)];
            states[start] = VisitState::OnTheWay;
            while let Some((at, next)) = way.last_mut() {
                let Some(need) = needs(*at).get(*next) else {
                    states[*at] = VisitState::Done;
                    way.pop();
                    continue;
                };
                *next += 1;
                count::one();
                let Some(needed) = self.place_of_needed(&need.name) else { continue };
                match states[needed] {
                    VisitState::Done => {}
                    VisitState::New => {
                        states[needed] = VisitState::OnTheWay;
                        way.push((needed, 0));
                    }
                    VisitState::OnTheWay => {
                        let members = way.iter().skip_while(|(at, _)| *at != needed);
                        return Err(InventoryError::Cycle {
                            file: self.components[needed].source_map.spot("run.needs"),
                            members: members
                                .map(|(at, _)| self.components[*at].reference.to_string())
                                .collect(),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}
