//! Pages of repositories that are not cloned, read from the web server of the repository as anybody may read them:
//! without a login, and never more than a page.

use std::error::Error as _;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{StatusCode, Url};

use super::{DocPage, Documentation, PAGE_LIMIT, PageContent};
use crate::base::http::HttpClient;
use crate::model::inventory::{Component, Inventory};
use crate::ops::shared::readme;
use crate::systems::git::without_login;

/// Maximum time for a page.
const PATIENCE: Duration = Duration::from_secs(10);
/// Host whose files have addresses on another one.
const GITHUB: &str = "github.com";

impl Documentation<'_> {
    /// Returns the hosts from which [`Documentation::fetch`] would read, each once.
    #[must_use]
    pub fn hosts(&self, inventory: &Inventory) -> Vec<String> {
        let urls = self.absent().filter_map(|page| raw_url(inventory.repo_url(&page.repo)?, &page.path));
        let mut hosts: Vec<String> = urls.filter_map(|url| url.host_str().map(str::to_owned)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// Reads the pages that no clone has from the web servers of their repositories. Returns how many it found; the
    /// reason of any other is in its content.
    pub async fn fetch(&mut self, inventory: &Inventory, http: &HttpClient) -> usize {
        let is_readme = self.component.documentation.iter().all(|link| link.repo.is_none());
        let fetched = join_all(self.absent().map(async |page| match is_readme {
            true => first_readme(self.component, page, inventory, http).await,
            false => Some((page.path.clone(), content(page, &page.path, inventory, http).await?)),
        }));
        let fetched = fetched.await;
        let mut count = 0;
        let absent = self.pages.iter_mut().filter(|page| matches!(page.content, PageContent::NotCloned));
        for (page, fetched) in absent.zip(fetched) {
            if let Some((path, content)) = fetched {
                count += usize::from(matches!(content, PageContent::Fetched { .. }));
                (page.path, page.content) = (path, content);
            }
        }
        count
    }

    fn absent(&self) -> impl Iterator<Item = &DocPage> {
        self.pages.iter().filter(|page| matches!(page.content, PageContent::NotCloned))
    }
}

/// Reads the README beside the sources, else that of the repository.
async fn first_readme(
    component: &Component,
    page: &DocPage,
    inventory: &Inventory,
    http: &HttpClient,
) -> Option<(String, PageContent)> {
    let mut last = None;
    for (_, place) in readme::places(component).into_iter().filter(|(repo, _)| *repo == page.repo) {
        for path in readme::paths(place) {
            let path = path.display().to_string();
            let content = content(page, &path, inventory, http).await?;
            let is_missing = matches!(content, PageContent::Missing);
            last = Some((path, content));
            if !is_missing {
                return last;
            }
        }
    }
    last
}

/// Reads a page; `None` if its repository has no web address.
async fn content(
    page: &DocPage,
    path: &str,
    inventory: &Inventory,
    http: &HttpClient,
) -> Option<PageContent> {
    let url = raw_url(inventory.repo_url(&page.repo)?, path)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let read = tokio::time::timeout(PATIENCE, text(&url, http)).await;
    Some(match read {
        Ok(Ok(Some(text))) => PageContent::Fetched { text, url: url.to_string() },
        Ok(Ok(None)) => PageContent::Missing,
        Ok(Err(why)) => PageContent::Unfetched(format!("{host} {why}")),
        Err(_) => PageContent::Unfetched(format!("{host} did not answer within {} s", PATIENCE.as_secs())),
    })
}

/// Reads a text; `None` if the server has none at this address.
async fn text(url: &Url, http: &HttpClient) -> Result<Option<String>, String> {
    let client = http.client_for(url).map_err(|error| error.to_string())?;
    let unreachable = |error: reqwest::Error| {
        let root = error.source().and_then(|source| source.source()).map(ToString::to_string);
        format!("cannot be reached: {}", root.unwrap_or_else(|| error.without_url().to_string()))
    };
    let mut response = client.get(url.clone()).send().await.map_err(unreachable)?;
    match response.status() {
        StatusCode::NOT_FOUND => return Ok(None),
        // A private project sends its visitors to the login.
        status if status.is_redirection() || response.url().path() != url.path() => {
            return Err("shows it to nobody without a login".to_owned());
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err("shows it to nobody without a login".to_owned());
        }
        status if !status.is_success() => return Err(format!("answers {}", status.as_u16())),
        _ => {}
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(unreachable)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > PAGE_LIMIT {
            return Err(format!("has more than {} MiB of it", PAGE_LIMIT >> 20));
        }
    }
    String::from_utf8(bytes).map(Some).map_err(|_| "has a page that is not text".to_owned())
}

/// Returns the address of a file's text on the branch that the server shows first, as GitLab and GitHub have it.
fn raw_url(repository: &str, path: &str) -> Option<Url> {
    let mut url = Url::parse(&without_login(repository)).ok()?;
    let project = url.path().trim_matches('/').trim_end_matches(".git").to_owned();
    let is_web = matches!(url.scheme(), "http" | "https") && !project.is_empty();
    if !is_web || path.split('/').any(|part| part == "..") {
        return None;
    }
    let is_github = url.host_str() == Some(GITHUB);
    if is_github {
        url.set_host(Some("raw.githubusercontent.com")).ok()?;
    }
    url.set_query(None);
    url.set_path(&project);
    let raw: &[&str] = if is_github { &["HEAD"] } else { &["-", "raw", "HEAD"] };
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    url.path_segments_mut().ok()?.extend(raw.iter().copied().chain(parts));
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_url_follows_gitlab_and_github() {
        let of = |repository: &str, path: &str| raw_url(repository, path).map(|url| url.to_string());
        assert_eq!(
            of("https://user:secret@gitlab.example.com/a/group/tools.git", "docs/a b#.md").as_deref(),
            Some("https://gitlab.example.com/a/group/tools/-/raw/HEAD/docs/a%20b%23.md")
        );
        assert_eq!(
            of("https://github.com/o/hub/", "./README.md").as_deref(),
            Some("https://raw.githubusercontent.com/o/hub/HEAD/README.md")
        );
        for (repository, path) in [
            ("git@gitlab.example.com:group/tools.git", "README.md"),
            ("ssh://git@gitlab.example.com/group/tools", "README.md"),
            ("/srv/tools", "README.md"),
            ("https://gitlab.example.com/", "README.md"),
            ("https://gitlab.example.com/group/tools", "../../other/-/raw/HEAD/x"),
        ] {
            assert_eq!(of(repository, path), None, "{repository} {path}");
        }
    }
}
