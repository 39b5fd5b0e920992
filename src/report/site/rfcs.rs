//! The pages of requests for comments: their list, and one for each.

use serde::Serialize;

use super::address::{safe_href, web_address};
use super::component::ReadmeView;
use super::frame::{PageLink, Titled};
use super::markdown::heading_fragment;
use super::names::rfc_page;
use super::pages::Site;
use crate::base::text::plural_of;
use crate::model::rfc::{LinkTarget, link_target};
use crate::ops::inventory::site::{Readme, SiteRfc};

#[derive(Serialize)]
pub(super) struct RfcListPage<'a> {
    title: &'static str,
    root: &'a str,
    count: String,
    rfcs: Vec<RfcItem<'a>>,
}

#[derive(Serialize)]
struct RfcItem<'a> {
    id: &'a str,
    href: String,
    title: &'a str,
    description: Option<&'a str>,
    author: Option<&'a str>,
    status: Option<&'a str>,
    merge_request: Option<PageLink>,
}

#[derive(Serialize)]
pub(super) struct RfcPage<'a> {
    heading: String,
    root: &'a str,
    #[serde(flatten)]
    item: RfcItem<'a>,
    readme: ReadmeView,
}

impl Titled for RfcListPage<'_> {
    fn title(&self) -> &str {
        self.title
    }
}

impl Titled for RfcPage<'_> {
    fn title(&self) -> &str {
        &self.heading
    }
}

impl Site<'_> {
    pub(super) fn rfcs<'v>(&'v self, root: &'v str) -> RfcListPage<'v> {
        let rfcs = &self.content.rfcs;
        RfcListPage {
            title: "Requests for comments",
            root,
            count: plural_of(rfcs.len(), "document", "documents"),
            rfcs: rfcs.iter().map(|rfc| self.rfc_item(rfc, root)).collect(),
        }
    }

    pub(super) fn rfc<'v>(&'v self, at: usize, root: &'v str) -> RfcPage<'v> {
        let rfc = &self.content.rfcs[at];
        RfcPage {
            heading: format!("{}: {}", rfc.id, rfc.title),
            root,
            item: self.rfc_item(rfc, root),
            readme: self.readme(&rfc.text, root),
        }
    }

    /// Returns the page of the request for comments to which a link in a file of its repository leads.
    pub(super) fn rfc_href(&self, readme: &Readme, link: &str, root: &str) -> Option<String> {
        let LinkTarget::Files(paths) = link_target(&readme.path, link) else { return None };
        let at = paths.iter().find_map(|path| self.frame.rfcs.get(path.as_str()))?;
        let rfc = &self.content.rfcs[*at];
        let fragment = link.split_once('#').and_then(|(_, fragment)| heading_fragment(fragment));
        let fragment = fragment.unwrap_or_default();
        (rfc.text.repo == readme.repo).then(|| format!("{root}{}{fragment}", rfc_page(&rfc.name)))
    }

    fn rfc_item<'v>(&'v self, rfc: &'v SiteRfc, root: &str) -> RfcItem<'v> {
        RfcItem {
            id: &rfc.id,
            href: format!("{root}{}", rfc_page(&rfc.name)),
            title: &rfc.title,
            description: rfc.description.as_deref(),
            author: rfc.author.as_deref(),
            status: rfc.status.as_deref(),
            merge_request: rfc.merge_request.as_deref().map(|text| {
                let web = web_address(self.content.inventory, &rfc.text.repo, self.cleaner);
                let href = web.zip(rfc.merge_request_number).and_then(|(web, number)| {
                    safe_href(&format!("{web}/-/merge_requests/{number}"), self.cleaner)
                });
                PageLink::new(text, href)
            }),
        }
    }
}
