//! `cki inventory check --links`: looks at the targets of links, in the clones of this machine and on web servers. The
//! rules are in `model::inventory::check::links`, the requests in `systems::web`.

mod cache;
mod clones;
mod outcome;
mod plan;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use reqwest::Url;

use crate::base::clock::Clock;
use crate::base::http::HttpClient;
use crate::base::redact::without_tokens;
use crate::base::text::plural;
use crate::model::event::{Events, ProgressUnit};
use crate::model::inventory::check::{LinkFault, LinkFaultKind};
use crate::model::inventory::{ChoiceError, Inventory};
use crate::model::reference::Reference;
use crate::ops::shared::workspace::Workspace;
use crate::systems::web::{PageState, Web};
use cache::LinkCache;
pub use outcome::{CheckedLinks, CheckedTarget, LinkReport, TargetState, Unchecked};
use plan::{LinkCheck, LinkPlan, PlannedLink};

/// Maximum time for all pages.
const PATIENCE: Duration = Duration::from_secs(300);
/// Maximum bytes of a new address.
const LONGEST_ADDRESS: usize = 1000;
/// Endings of reasons that are about this machine's network, not about a server.
const NETWORK_FAULTS: [&str; 2] = ["Temporary failure in name resolution", "Network is unreachable"];

/// Means of a check of links.
#[derive(Debug, Clone)]
pub struct LinkMeans<'a> {
    /// Clones of this machine.
    pub workspace: &'a Workspace,
    /// Connections; its policy says whether there are any.
    pub http: Arc<HttpClient>,
    /// Clock for pauses, and for the age of what is in the cache.
    pub clock: Arc<dyn Clock>,
    /// Directory of the cache, if there is a place for it.
    pub cache: Option<&'a Path>,
    /// Receiver of progress.
    pub events: Events,
}

/// Checks the links of the whole inventory, or those of the entries that words choose.
///
/// # Errors
/// Fails when a name is unknown or ambiguous, or the selectors match nothing.
pub async fn check_links<'a>(
    inventory: &'a Inventory,
    words: &[String],
    means: &'a LinkMeans<'a>,
) -> Result<CheckedLinks<'a>, ChoiceError> {
    let chosen = inventory.choose(words)?;
    let chosen: HashSet<&Reference> = chosen.iter().map(|one| &one.reference).collect();
    let links = inventory.links((!words.is_empty()).then_some(&chosen));
    let plan = LinkPlan::new(links, inventory, means.workspace);
    let mut pages = CheckedPages::default();
    if !means.http.policy().offline {
        pages.check(&plan.pages, means).await;
    }
    pages.look_for_network(&plan.pages);
    Ok(assemble(plan, &pages, means))
}

/// States of pages. One without a state was not asked for.
#[derive(Default)]
struct CheckedPages {
    states: HashMap<usize, PageState>,
    cached: HashSet<usize>,
    no_network: Option<String>,
}

impl CheckedPages {
    /// Asks for pages, unless an earlier check found them lately.
    async fn check(&mut self, pages: &[Url], means: &LinkMeans<'_>) {
        let mut cache = LinkCache::open(means.cache, means.clock.wall());
        for (number, url) in pages.iter().enumerate() {
            if let Some(state) = cache.get(url) {
                self.states.insert(number, state);
                self.cached.insert(number);
            }
        }
        let web = Web::new(means.http.clone(), means.clock.clone());
        let web = &web;
        let missing = pages.iter().enumerate().filter(|(number, _)| !self.cached.contains(number));
        let mut asked: FuturesUnordered<_> =
            missing.map(async |(number, url)| (number, web.state(url).await)).collect();
        let total = asked.len();
        if total == 0 {
            return;
        }
        let task = means.events.start("links", format!("requesting {}", plural(total, "page")));
        let until = tokio::time::Instant::now() + PATIENCE;
        let mut done = 0;
        while let Ok(Some((number, state))) = tokio::time::timeout_at(until, asked.next()).await {
            done += 1;
            task.progress(done, u64::try_from(total).ok(), ProgressUnit::Items);
            task.detail(pages[number].host_str().unwrap_or_default());
            cache.put(&pages[number], &state);
            self.states.insert(number, state);
        }
        task.dismiss();
        cache.store();
    }

    /// Decides whether the network is at fault, not the servers: none of several was reached, or the reason says so.
    fn look_for_network(&mut self, pages: &[Url]) {
        let mut hosts = BTreeSet::new();
        let mut reasons = Vec::new();
        for (number, state) in self.states.iter().filter(|(number, _)| !self.cached.contains(number)) {
            let PageState::Unreachable(why) = state else { return };
            hosts.insert(pages[*number].host_str());
            reasons.push((number, why));
        }
        reasons.sort_unstable();
        let is_of_network = |why: &str| NETWORK_FAULTS.iter().any(|fault| why.ends_with(fault));
        self.no_network = reasons
            .first()
            .filter(|_| hosts.len() > 1 || reasons.iter().all(|(_, why)| is_of_network(why)))
            .map(|(number, why)| format!("`{}` {why}", pages[**number].host_str().unwrap_or_default()));
    }

    /// Returns the state of a page of a link, and the fault of the link.
    fn of(
        &self,
        number: usize,
        url: &Url,
        planned: &PlannedLink<'_>,
        may_move: bool,
        is_offline: bool,
    ) -> (TargetState, Option<LinkFaultKind>) {
        let shown = planned.target.clone();
        // What is behind a path of a repository is its page.
        let shown = if may_move { shown } else { url.to_string() };
        match self.states.get(&number) {
            None if is_offline => (TargetState::Unchecked(Unchecked::Offline), None),
            None => (TargetState::Unchecked(Unchecked::OutOfTime), None),
            Some(PageState::Reached) => (TargetState::Reached, None),
            Some(PageState::Moved(to)) => match moved(&shown, to).filter(|_| may_move) {
                Some(to) => (TargetState::Moved, Some(LinkFaultKind::Moved { url: shown, to })),
                None => (TargetState::Reached, None),
            },
            Some(PageState::Gone(why)) => {
                (TargetState::Broken, Some(LinkFaultKind::NoPage { url: shown, why: why.clone() }))
            }
            Some(PageState::Unreachable(_))
                if self.no_network.is_some() && !self.cached.contains(&number) =>
            {
                (TargetState::Unchecked(Unchecked::NoNetwork), None)
            }
            Some(PageState::Faulty(why) | PageState::Unreachable(why)) => {
                let fault = LinkFaultKind::Unreachable { url: shown, why: why.clone() };
                (TargetState::Unreachable, Some(fault))
            }
            Some(PageState::NeedsLogin) => (TargetState::Unchecked(Unchecked::NeedsLogin), None),
            Some(PageState::RateLimited) => (TargetState::Unchecked(Unchecked::RateLimited), None),
        }
    }
}

/// Returns the new address of a page as an inventory would write it; `None` if the old one is as good: servers add and
/// remove a final slash, and the page of a repository has an address without `.git`.
fn moved(from: &str, to: &Url) -> Option<String> {
    let plain = |text: &str| {
        let text = text.split('#').next().unwrap_or_default().trim_end_matches('/');
        text.strip_suffix(".git").unwrap_or(text).to_owned()
    };
    let is_safe = to.as_str().len() <= LONGEST_ADDRESS && *without_tokens(to.as_str()) == *to.as_str();
    if plain(from) == plain(to.as_str()) || !is_safe {
        return None;
    }
    let (page, place) = from.split_once('#').map_or((from, None), |(page, place)| (page, Some(place)));
    let mut to = to.to_string();
    if page.trim_end_matches('/').ends_with(".git") && !to.ends_with(".git") {
        to = format!("{}.git", to.trim_end_matches('/'));
    }
    Some(place.map_or_else(|| to.clone(), |place| format!("{to}#{place}")))
}

/// Puts together what was found.
fn assemble<'a>(plan: LinkPlan<'a>, pages: &CheckedPages, means: &LinkMeans<'_>) -> CheckedLinks<'a> {
    let is_offline = means.http.policy().offline;
    let mut faults = Vec::new();
    let mut targets: Vec<CheckedTarget> = Vec::new();
    let mut known = HashSet::new();
    for planned in plan.links {
        let mut is_cached = false;
        let (state, fault) = match &planned.check {
            LinkCheck::There => (TargetState::Reached, None),
            LinkCheck::Faulty(fault) => (TargetState::Broken, Some(fault.clone())),
            LinkCheck::Unchecked(why) => (TargetState::Unchecked(*why), None),
            LinkCheck::Page { number, may_move } => {
                is_cached = pages.cached.contains(number);
                pages.of(*number, &plan.pages[*number], &planned, *may_move, is_offline)
            }
        };
        let PlannedLink { link, target, .. } = planned;
        if let TargetState::Unchecked(why) = state {
            means.events.note(format!("`{target}` is not checked: {}.", why.words()));
        }
        faults.extend(fault.map(|fault| LinkFault { link, fault }));
        if known.insert(target.clone()) {
            targets.push(CheckedTarget { target, state, is_cached });
        }
    }
    let no_network = pages.no_network.clone();
    CheckedLinks { faults, report: LinkReport { targets, no_network } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_names_the_address_that_the_inventory_should_have() {
        let to = |text: &str| Url::parse(text).expect(text);
        let of = |from: &str, text: &str| moved(from, &to(text));
        assert_eq!(of("http://x.test/a#b", "https://x.test/a").as_deref(), Some("https://x.test/a#b"));
        assert_eq!(
            of("https://x.test/g/old.git", "https://x.test/g/new").as_deref(),
            Some("https://x.test/g/new.git")
        );
        assert_eq!(of("https://x.test/g/p.git", "https://x.test/g/p"), None);
        assert_eq!(of("https://x.test/a", "https://x.test/a/"), None);
    }

    #[test]
    fn no_network_is_told_apart_from_servers_that_do_not_answer() {
        let pages: Vec<Url> = ["https://a.test/1", "https://a.test/2", "https://b.test/"]
            .map(|text| Url::parse(text).expect(text))
            .into();
        let dead = |why: &str| PageState::Unreachable(format!("cannot be reached: {why}"));
        let network = |states: &[(usize, PageState)]| {
            let mut checked = CheckedPages { states: states.iter().cloned().collect(), ..Default::default() };
            checked.look_for_network(&pages);
            checked.no_network
        };
        let refused = "Connection refused";
        assert_eq!(network(&[(0, dead(refused)), (1, dead(refused))]), None);
        assert_eq!(
            network(&[(0, dead(refused)), (2, dead(refused))]).as_deref(),
            Some("`a.test` cannot be reached: Connection refused")
        );
        assert_eq!(network(&[(0, dead(refused)), (1, PageState::Reached), (2, dead(refused))]), None);
        assert!(network(&[(0, dead(NETWORK_FAULTS[1]))]).is_some());
        assert_eq!(network(&[]), None);
    }
}
