//! Report of `cki login` and `cki logout`, as text and as JSON.

use serde::Serialize;

use crate::base::text::safe_line;
use crate::model::access_token::TokenLife;
use crate::model::server::ServerAddress;
use crate::ops::login::{API_SCOPE, LoginOutcome, LogoutOutcome};
use crate::ops::shared::token::TokenPlace;
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct LoginView<'a> {
    server: &'a str,
    user: &'a str,
    name: &'a str,
    scopes: Option<&'a [String]>,
    expires_at: Option<&'a str>,
    kept_in: TokenPlace,
    file: String,
    used_instead: Option<&'a str>,
}

#[derive(Serialize)]
struct LogoutView<'a> {
    server: &'a str,
    removed_from: Option<TokenPlace>,
    remaining: Option<&'a str>,
}

/// Says where the user makes a token.
pub fn ask(ui: &Ui, server: &ServerAddress) {
    ui.status(&format!(
        "Make a token with the scope `{API_SCOPE}` at \
         {server}/-/user_settings/personal_access_tokens?name=cki&scopes={API_SCOPE}"
    ));
}

/// Prints a login.
pub fn print(ui: &Ui, outcome: &LoginOutcome, now: jiff::Timestamp) {
    let LoginOutcome { server, checked, login, file, keyring_refused, used_instead } = outcome;
    if ui.is_structured() {
        let view = LoginView {
            server: server.url(),
            user: &checked.user,
            name: &checked.name,
            scopes: checked.scopes.as_deref(),
            expires_at: checked.expires_at.as_deref(),
            kept_in: login.place,
            file: file.display().to_string(),
            used_instead: used_instead.as_deref(),
        };
        return view::print(ui, &view);
    }
    ui.status(&format!("Logged in to {server} as @{}.", safe_line(&checked.user)));
    let scopes = match checked.scopes.as_deref() {
        None => "scopes not told by the server".to_owned(),
        Some(scopes) => format!("scopes {}", safe_line(&scopes.join(", "))),
    };
    let life = checked.expires_at.as_deref().and_then(|day| TokenLife::of(day, now));
    let end = life.map_or_else(|| "no end known".to_owned(), TokenLife::sentence);
    ui.status(&format!("The token: {scopes}; {end}."));
    let file = safe_line(&file.display().to_string()).into_owned();
    ui.status(&match login.place {
        TokenPlace::Keyring => "It is kept in the desktop keyring.".to_owned(),
        TokenPlace::File => format!("It is kept in `{file}`, which only you can read."),
    });
    if let Some(why) = keyring_refused {
        ui.warning(&format!("The token is not in the desktop keyring: {}.", safe_line(why)));
    }
    if checked.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|one| one == API_SCOPE)) {
        ui.warning(&format!("The token lacks the scope `{API_SCOPE}`: `cki stage` cannot comment with it."));
    }
    if life.is_some_and(TokenLife::is_short) {
        ui.warning(&format!("The token {end}."));
    }
    if let Some(from) = used_instead {
        ui.warning(&format!("Another token comes first: from {}.", safe_line(from)));
    }
}

/// Prints the end of a login.
pub fn print_logout(ui: &Ui, outcome: &LogoutOutcome) {
    let LogoutOutcome { server, removed, remaining } = outcome;
    if ui.is_structured() {
        let (removed_from, remaining) = (*removed, remaining.as_deref());
        return view::print(ui, &LogoutView { server: server.url(), removed_from, remaining });
    }
    ui.status(&match removed {
        Some(TokenPlace::Keyring) => {
            format!("Logged out of {server}: its token is gone from the desktop keyring.")
        }
        Some(TokenPlace::File) => format!("Logged out of {server}: its token is gone from this machine."),
        None => format!("`cki login` keeps no token for {server}."),
    });
    if removed.is_some() {
        ui.status(&format!(
            "The server accepts it until it expires, or until you revoke it at \
             {server}/-/user_settings/personal_access_tokens"
        ));
    }
    if let Some(from) = remaining {
        ui.warning(&format!("There is still a token for {server}: from {}.", safe_line(from)));
    }
}
