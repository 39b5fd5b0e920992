//! Pagination: finds the next page of a list. Uses only the query of the server's link, so that no answer can
//! send the token to another place.

use super::answer::Headers;
use super::request::ApiRequest;

/// Returns the query of the next page, if there is one: from `Link` (offset and keyset pagination alike),
/// else from `X-Next-Page`.
pub(super) fn next(request: &ApiRequest, headers: &Headers) -> Option<Vec<(String, String)>> {
    let by_link = headers.link.as_deref().and_then(next_link).and_then(|url| query_of(&url));
    by_link.or_else(|| {
        let page = headers.next_page.as_deref().map(str::trim).filter(|page| !page.is_empty())?;
        let mut query = request.query.clone();
        query.retain(|(key, _)| key != "page");
        query.push(("page".to_owned(), page.to_owned()));
        Some(query)
    })
}

/// Returns the address with `rel="next"` in a `Link` header (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>')?;
        let url = &rest[start + 1..end];
        let after = &rest[end + 1..];
        let parameters = after.split('<').next().unwrap_or_default().trim_end_matches([',', ' ']);
        let is_next = parameters.split(';').any(|parameter| {
            let Some((key, value)) = parameter.split_once('=') else { return false };
            let value = value.trim().trim_matches('"');
            key.trim().eq_ignore_ascii_case("rel") && value.split_whitespace().any(|one| one == "next")
        });
        if is_next {
            return Some(url.to_owned());
        }
        rest = after;
    }
    None
}

fn query_of(url: &str) -> Option<Vec<(String, String)>> {
    let url = reqwest::Url::parse(url).ok()?;
    let query: Vec<(String, String)> =
        url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    (!query.is_empty()).then_some(query)
}

#[cfg(test)]
mod tests {
    use super::super::request;
    use super::*;

    fn after(link: Option<&str>, next_page: Option<&str>) -> Option<Vec<(String, String)>> {
        let headers = Headers {
            link: link.map(str::to_owned),
            next_page: next_page.map(str::to_owned),
            ..Headers::default()
        };
        next(&request::discussions("a/b", 3), &headers)
    }

    fn pairs(query: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn next_page_is_found_by_link_or_number() {
        let link = "<https://h/x?page=1&per_page=2>; rel=\"prev\", <https://h/x?page=3&per_page=2>; rel=\"next\", \
                    <https://h/x?page=1&per_page=2>; rel=\"first\"";
        assert_eq!(after(Some(link), Some("3")), pairs(&[("page", "3"), ("per_page", "2")]));
        let keyset = "<https://elsewhere/steal?cursor=eyJ%3D&per_page=100>; rel=next";
        assert_eq!(after(Some(keyset), None), pairs(&[("cursor", "eyJ="), ("per_page", "100")]));
        assert_eq!(after(None, Some("2")), pairs(&[("per_page", "100"), ("page", "2")]));
        for (link, page) in [
            (None, None),
            (None, Some("")),
            (Some("<https://h/x?page=1>; rel=\"last\""), Some("")),
            (Some("<nonsense>; rel=\"next\""), None),
            (Some("<unclosed; rel=\"next\""), None),
            (Some(""), None),
        ] {
            assert_eq!(after(link, page), None, "{link:?}");
        }
    }
}
