//! The plan of a check of links: each by the clones of this machine, by a web page, or not at all.

use std::collections::HashMap;

use reqwest::Url;

use super::clones::{LinkedFile, LocalClones};
use super::outcome::Unchecked;
use crate::model::forge::{ForgeFile, file_page};
use crate::model::inventory::check::LinkFaultKind;
use crate::model::inventory::{DeclaredLink, DeclaredTarget, Inventory};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::without_login;

/// Schemes of addresses that are no web pages.
const OTHER_SCHEMES: [&str; 17] = [
    "file", "ftp", "ftps", "git", "irc", "ircs", "ldap", "ldaps", "mailto", "matrix", "news", "sftp", "sip",
    "slack", "ssh", "tel", "xmpp",
];

/// A link with the way to check it.
pub(super) struct PlannedLink<'a> {
    pub(super) link: DeclaredLink<'a>,
    /// Its target as people read it, without a login.
    pub(super) target: String,
    pub(super) check: LinkCheck,
}

/// The way to check a link.
pub(super) enum LinkCheck {
    /// A clone has the file.
    There,
    /// It has a fault.
    Faulty(LinkFaultKind),
    /// A page of the list has to be asked for.
    Page {
        /// Place in the list.
        number: usize,
        /// A new address of the page is a fault of this link.
        may_move: bool,
    },
    /// Nothing can be asked.
    Unchecked(Unchecked),
}

/// All links, and the pages to ask for, each once.
#[derive(Default)]
pub(super) struct LinkPlan<'a> {
    pub(super) links: Vec<PlannedLink<'a>>,
    pub(super) pages: Vec<Url>,
    numbers: HashMap<Url, usize>,
}

impl<'a> LinkPlan<'a> {
    /// Plans the check of links, and looks for files in clones.
    pub(super) fn new(
        links: Vec<DeclaredLink<'a>>,
        inventory: &'a Inventory,
        workspace: &'a Workspace,
    ) -> Self {
        let mut plan = Self::default();
        let mut clones = LocalClones::new(inventory, workspace);
        for link in links {
            let planned = match link.target {
                DeclaredTarget::Nothing(label) => {
                    let fault = LinkFaultKind::NoTarget(label.to_owned());
                    Some((label.to_owned(), LinkCheck::Faulty(fault)))
                }
                DeclaredTarget::Url(text) => Some(plan.url(text, &mut clones)),
                DeclaredTarget::Path { repo, path } => {
                    let planned = plan.path(repo, path, inventory, &mut clones);
                    // That of sources and of requests for comments breaks another rule.
                    let is_other = link.part.starts_with("sources.") || link.component.is_none();
                    let no_repository = || LinkCheck::Faulty(LinkFaultKind::NoRepository(repo.to_owned()));
                    planned.or_else(|| (!is_other).then(|| (repo.to_owned(), no_repository())))
                }
                DeclaredTarget::Repository(name) => {
                    inventory.repo_url(name).map(|address| plan.repository(address))
                }
            };
            if let Some((target, check)) = planned {
                plan.links.push(PlannedLink { link, target, check });
            }
        }
        plan
    }

    fn url(&mut self, text: &str, clones: &mut LocalClones<'a>) -> (String, LinkCheck) {
        let parsed = Url::parse(text.trim());
        let is_other = |url: &Url| OTHER_SCHEMES.contains(&url.scheme());
        let url = match parsed {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) if is_other(&url) => {
                return (without_login(text), LinkCheck::Unchecked(Unchecked::OtherScheme));
            }
            _ => {
                let text = without_login(text);
                return (text.clone(), LinkCheck::Faulty(LinkFaultKind::NoAddress(text)));
            }
        };
        let target = shown(&url);
        let file = ForgeFile::parse(&url).map_or(LinkedFile::Unknown, |file| clones.file(&file));
        (target, by_file(file).unwrap_or_else(|| self.page(url, true)))
    }

    fn path(
        &mut self,
        repo: &'a str,
        path: &str,
        inventory: &'a Inventory,
        clones: &mut LocalClones<'a>,
    ) -> Option<(String, LinkCheck)> {
        let address = inventory.repo_url(repo)?;
        let target = match path {
            "" => without_login(repo),
            path => format!("{}: {path}", without_login(repo)),
        };
        let check = by_file(clones.path(repo, path)).unwrap_or_else(|| {
            let page = file_page(&web_page(address), path).and_then(|page| Url::parse(&page).ok());
            match page.filter(|page| matches!(page.scheme(), "http" | "https")) {
                // The new address of a repository is a fault of the list of repositories, not of each path.
                Some(page) => self.page(page, false),
                None => LinkCheck::Unchecked(Unchecked::NotCloned),
            }
        });
        Some((target, check))
    }

    fn repository(&mut self, address: &str) -> (String, LinkCheck) {
        let target = without_login(address);
        let page = Url::parse(&target).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let check = match page {
            Some(page) => self.page(page, true),
            None => LinkCheck::Unchecked(Unchecked::OtherScheme),
        };
        (target, check)
    }

    fn page(&mut self, mut url: Url, may_move: bool) -> LinkCheck {
        // The place in a page makes it no other page, and a login is never sent.
        url.set_fragment(None);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let number = *self.numbers.entry(url.clone()).or_insert_with(|| {
            self.pages.push(url);
            self.pages.len() - 1
        });
        LinkCheck::Page { number, may_move }
    }
}

fn by_file(state: LinkedFile) -> Option<LinkCheck> {
    match state {
        LinkedFile::There => Some(LinkCheck::There),
        LinkedFile::Missing { repo, path, revision } => {
            let repo = without_login(&repo);
            Some(LinkCheck::Faulty(LinkFaultKind::NoFile { repo, path, revision }))
        }
        LinkedFile::Unknown => None,
    }
}

/// Returns the address of the page of a repository.
fn web_page(address: &str) -> String {
    let address = without_login(address);
    let address = address.trim_end_matches('/');
    address.strip_suffix(".git").unwrap_or(address).to_owned()
}

/// Returns an address without a login.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
