//! An access token for GitLab, with its kind. The search for a token, and the rules on who may have it, are in
//! `ops::shared::token`; sending it is in `systems::gitlab`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::base::secret::Secret;
use crate::base::text::plural;

/// Days before the end of a token at which it is reported.
const SOON: i32 = 7;

/// Kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Personal, project or group access token.
    Access,
    /// Token of an application (OAuth 2).
    OAuth,
    /// Token of a CI job, `CI_JOB_TOKEN`.
    Job,
}

/// Access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The secret.
    pub secret: Secret,
    /// Its kind.
    pub kind: TokenKind,
}

impl AccessToken {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>, kind: TokenKind) -> Self {
        Self { secret: Secret::new(secret), kind }
    }

    /// Returns the user name with which git sends it as a password.
    #[must_use]
    pub fn git_user(&self) -> &'static str {
        match self.kind {
            // GitLab accepts an access token as the password of any user.
            TokenKind::Access | TokenKind::OAuth => "oauth2",
            TokenKind::Job => "gitlab-ci-token",
        }
    }
}

impl From<Secret> for AccessToken {
    fn from(secret: Secret) -> Self {
        Self { secret, kind: TokenKind::Access }
    }
}

/// Remaining life of a token that ends on a day, which GitLab counts from midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLife {
    /// The first day on which it does not work any more.
    pub ends: Date,
    /// Days until then; 0 or less if it has ended.
    pub days: i32,
}

impl TokenLife {
    /// Reads the day on which a token ends; `None` if it is no date.
    #[must_use]
    pub fn of(expires_at: &str, now: jiff::Timestamp) -> Option<Self> {
        let ends: Date = expires_at.parse().ok()?;
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        Some(Self { ends, days: today.until(ends).ok()?.get_days() })
    }

    /// Returns whether it has ended.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.days <= 0
    }

    /// Returns whether it ends within a week, or has ended.
    #[must_use]
    pub fn is_short(self) -> bool {
        self.days <= SOON
    }

    /// Returns the end in words: `expires on 2026-12-03, in 4 days`.
    #[must_use]
    pub fn sentence(self) -> String {
        let Self { ends, days } = self;
        if self.is_over() {
            return format!("expired on {ends}");
        }
        format!("expires on {ends}, in {}", plural(usize::try_from(days).unwrap_or(0), "day"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_hidden_and_has_a_user_for_git() {
        let of = |kind| AccessToken::new("glpat-0123", kind);
        assert!(!format!("{:?}", of(TokenKind::Access)).contains("0123"));
        assert_eq!(
            (of(TokenKind::Access).git_user(), of(TokenKind::Job).git_user()),
            ("oauth2", "gitlab-ci-token")
        );
    }

    #[test]
    fn token_life_counts_days_in_utc() {
        let now: jiff::Timestamp = "2026-11-29T23:59:59Z".parse().expect("is a time");
        let of = |day: &str| {
            TokenLife::of(day, now).map(|life| (life.is_over(), life.is_short(), life.sentence()))
        };
        let said = |over, short, text: &str| Some((over, short, text.to_owned()));
        assert_eq!(of("2026-11-29"), said(true, true, "expired on 2026-11-29"));
        assert_eq!(of("2026-11-30"), said(false, true, "expires on 2026-11-30, in 1 day"));
        assert_eq!(of("2026-12-06"), said(false, true, "expires on 2026-12-06, in 7 days"));
        assert_eq!(of("2027-12-07"), said(false, false, "expires on 2027-12-07, in 373 days"));
        assert_eq!(of("soon"), None);
    }
}
