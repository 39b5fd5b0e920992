//! A site: its facts, its templates and the list of its files. What is in them is in the files of the pages.

use super::frame::Frame;
use super::templates::SiteTemplates;
use crate::base::template::html::{HtmlTemplates, TextCleaner};
use crate::ops::inventory::site::SiteContent;

/// A file of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SiteFile {
    Overview,
    Owners,
    System,
    Findings,
    Index,
    /// A file of [`FILES`].
    Fixed(&'static str),
    /// A component, by its place in the inventory.
    Component(usize),
    /// A category, by its place in the list of categories.
    Category(usize),
    /// An owner, by its place in the list of owners.
    Owner(usize),
    /// A backing service, by its place in the content.
    Service(usize),
    /// The list of requests for comments.
    Rfcs,
    /// A request for comments, by its place in the content.
    Rfc(usize),
}

/// A site: its facts and its templates.
#[derive(Debug)]
pub struct Site<'a> {
    pub(super) content: &'a SiteContent<'a>,
    pub(super) templates: HtmlTemplates<'a>,
    pub(super) fixed: &'a SiteTemplates,
    pub(super) cleaner: &'a TextCleaner,
    pub(super) frame: Frame<'a>,
    pub(super) files: Vec<(String, SiteFile)>,
}
