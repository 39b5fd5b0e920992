//! The head of an answer, and its meaning for a page: pure functions.

use std::time::Duration;

use reqwest::Url;

use super::page_state::PageState;
use crate::base::http::is_loopback;

/// Segments of a path that are those of a login.
const LOGIN_SEGMENTS: [&str; 16] = [
    "login",
    "log-in",
    "log_in",
    "signin",
    "sign-in",
    "sign_in",
    "sso",
    "auth",
    "authenticate",
    "authorize",
    "oauth",
    "oauth2",
    "saml",
    "saml2",
    "openid-connect",
    "cas",
];
/// First labels of hosts whose only purpose is a login.
const LOGIN_HOSTS: [&str; 9] =
    ["login", "signin", "sso", "auth", "accounts", "idp", "id", "keycloak", "passport"];

/// The head of an answer.
#[derive(Debug, Clone)]
pub(super) struct WebAnswer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    /// Wait that the server asks for.
    pub(super) asked_wait: Option<Duration>,
}

/// Next step after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AnswerStep {
    /// The page is at another address, permanently or for now.
    Redirect { to: Url, is_permanent: bool },
    /// Nothing more is to be asked.
    End(PageState),
}

impl WebAnswer {
    /// Returns what follows from the answer of an address.
    pub(super) fn step(&self, at: &Url) -> AnswerStep {
        let status = self.status;
        AnswerStep::End(match status {
            301 | 302 | 303 | 307 | 308 => {
                let to = self.location.as_deref().and_then(|location| at.join(location).ok());
                match to.filter(|to| matches!(to.scheme(), "http" | "https") && to.has_host()) {
                    Some(to) => {
                        return AnswerStep::Redirect { to, is_permanent: matches!(status, 301 | 308) };
                    }
                    None => PageState::Gone(format!("answers {status} without a web address")),
                }
            }
            200..=399 => PageState::Reached,
            401 | 403 => PageState::NeedsLogin,
            407 => PageState::Unreachable("cannot be reached: the proxy asks for a login".to_owned()),
            408 | 425 => PageState::Faulty(format!("answers {status}")),
            400..=499 => PageState::Gone(format!("answers {status}")),
            _ => PageState::Faulty(format!("answers {status}")),
        })
    }
}

/// Returns whether an address is likely to be that of a login.
pub(super) fn leads_to_login(url: &Url) -> bool {
    let is_login = |text: &str, known: &[&str]| known.iter().any(|one| text.eq_ignore_ascii_case(one));
    let host = url.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
    let mut segments = url.path().split(['/', '.']);
    is_login(host, &LOGIN_HOSTS) || segments.any(|segment| is_login(segment, &LOGIN_SEGMENTS))
}

/// Returns whether an address is one of this machine, or of a network that only it may be in. Names of hosts are not
/// looked up.
pub(super) fn leads_to_this_network(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    is_loopback(host)
        || match host.parse() {
            Ok(std::net::IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
            Ok(std::net::IpAddr::V6(ip)) => {
                ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
            }
            Err(_) => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    fn step(status: u16, location: Option<&str>) -> AnswerStep {
        let location = location.map(str::to_owned);
        WebAnswer { status, location, asked_wait: None }.step(&url("https://x.test/a/b"))
    }

    #[test]
    fn status_decides_about_a_page() {
        let gone = |why: &str| AnswerStep::End(PageState::Gone(why.to_owned()));
        let faulty = |why: &str| AnswerStep::End(PageState::Faulty(why.to_owned()));
        for (status, expected) in [
            (200, AnswerStep::End(PageState::Reached)),
            (204, AnswerStep::End(PageState::Reached)),
            (304, AnswerStep::End(PageState::Reached)),
            (401, AnswerStep::End(PageState::NeedsLogin)),
            (403, AnswerStep::End(PageState::NeedsLogin)),
            (404, gone("answers 404")),
            (405, gone("answers 405")),
            (410, gone("answers 410")),
            (500, faulty("answers 500")),
            (999, faulty("answers 999")),
            (302, gone("answers 302 without a web address")),
        ] {
            assert_eq!(step(status, None), expected, "{status}");
        }
    }

    #[test]
    fn redirects_lead_to_web_addresses_only() {
        for (status, location, to, is_permanent) in [
            (301, "/c", "https://x.test/c", true),
            (308, "c?d#e", "https://x.test/a/c?d#e", true),
            (302, "//y.test/", "https://y.test/", false),
            (307, "http://y.test:81/z", "http://y.test:81/z", false),
        ] {
            assert_eq!(step(status, Some(location)), AnswerStep::Redirect { to: url(to), is_permanent });
        }
        for location in ["file:///etc/passwd", "mailto:a@b", "https://", "javascript:x"] {
            assert!(matches!(step(301, Some(location)), AnswerStep::End(PageState::Gone(_))), "{location}");
        }
    }

    #[test]
    fn logins_and_close_addresses_are_recognised() {
        for login in [
            "https://gitlab.com/users/sign_in",
            "https://x.test/Login?next=/a",
            "https://x.test/login.php",
            "https://sso.x.test/a",
            "https://x.test/realms/a/protocol/openid-connect/auth",
        ] {
            assert!(leads_to_login(&url(login)), "{login}");
        }
        for page in ["https://x.test/docs/authors", "https://blog.x.test/loginless", "https://x.test/"] {
            assert!(!leads_to_login(&url(page)), "{page}");
        }
        for close in [
            "http://localhost/",
            "http://127.1.2.3/",
            "http://169.254.169.254/",
            "http://[fe80::1]/",
            "http://10.0.0.1/",
        ] {
            assert!(leads_to_this_network(&url(close)), "{close}");
        }
        for far in ["https://x.test/", "http://8.8.8.8/", "http://[2001:db8::1]/"] {
            assert!(!leads_to_this_network(&url(far)), "{far}");
        }
    }
}
