//! Report of `cki auth status`, as a table and as JSON. A token is never part of it.

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, safe_line};
use crate::model::access_token::TokenLife;
use crate::ops::auth_status::{AuthRow, TokenState};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct AuthView<'a> {
    servers: Vec<ServerView<'a>>,
}

#[derive(Serialize)]
struct ServerView<'a> {
    server: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    user: Option<&'a str>,
    scopes: Option<&'a [String]>,
    expires_at: Option<&'a str>,
    source: Option<&'a str>,
}

/// Prints the servers; as names, those that have a token.
pub fn print(ui: &Ui, rows: &[AuthRow], now: jiff::Timestamp) {
    if ui.is_names() {
        return ui.names(rows.iter().filter(|row| row.from.is_some()).map(|row| row.server.url()));
    }
    if ui.is_structured() {
        return view::print(ui, &AuthView { servers: rows.iter().map(server_view).collect() });
    }
    let mut table =
        Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Optional, Fit::Optional]);
    let head = ["SERVER", "USER", "TOKEN", "EXPIRES", "SCOPES", "SOURCE"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for row in rows {
        table.row(cells(row, now));
    }
    ui.lines(table.lines(ui.columns()));
    for row in rows {
        if let Some(why) = reason(row).filter(|why| !why.is_empty()) {
            ui.status(&format!("{}: {}.", row.server, safe_line(why)));
        }
        if let Some(life) = row.life(now).filter(|life| life.is_short()) {
            ui.warning(&format!("The token for {} {}.", row.server, life.sentence()));
        }
    }
    if rows.iter().all(|row| row.from.is_none()) {
        ui.hint("`cki login` keeps a token.");
    }
}

fn cells(row: &AuthRow, now: jiff::Timestamp) -> [Cell; 6] {
    let or_dash =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "–".to_owned());
    let known = row.known.as_ref();
    let user = known.map(|known| format!("@{}", safe_line(&known.user)));
    let scopes = known
        .and_then(|known| known.scopes.as_ref())
        .map(|scopes| safe_line(&scopes.join(", ")).into_owned());
    let (state, paint): (&str, fn(&str) -> String) = match &row.state {
        TokenState::Valid => ("✔ valid", style::good),
        TokenState::Rejected(_) => ("✘ rejected", style::bad),
        TokenState::Unreachable(_) => ("○ no answer", style::warn),
        TokenState::NotAsked(_) => ("○ not asked", style::dim),
        TokenState::None(_) => ("–", style::dim),
    };
    let from = row.from.as_deref().map(|from| safe_line(from).replace('`', ""));
    [
        Cell::styled(row.server.url(), style::name),
        or_dash(user).into(),
        Cell::styled(state, paint),
        or_dash(row.life(now).map(|life: TokenLife| life.ends.to_string())).into(),
        or_dash(scopes).into(),
        Cell::styled(or_dash(from), style::dim),
    ]
}

/// Returns the reason for a state that is not simply good.
fn reason(row: &AuthRow) -> Option<&str> {
    match &row.state {
        TokenState::Valid => None,
        TokenState::Rejected(why) | TokenState::Unreachable(why) | TokenState::None(why) => Some(why),
        TokenState::NotAsked(why) => Some(why).filter(|why| **why != "offline").copied(),
    }
}

fn server_view(row: &AuthRow) -> ServerView<'_> {
    let known = row.known.as_ref();
    let (state, reason) = match &row.state {
        TokenState::Valid => ("valid", None),
        TokenState::Rejected(why) => ("rejected", Some(why.as_str())),
        TokenState::Unreachable(why) => ("unreachable", Some(why.as_str())),
        TokenState::NotAsked(why) => ("not_asked", Some(*why)),
        TokenState::None(why) => ("none", Some(why.as_str()).filter(|why| !why.is_empty())),
    };
    ServerView {
        server: row.server.url(),
        state,
        reason,
        user: known.map(|known| known.user.as_str()),
        scopes: known.and_then(|known| known.scopes.as_deref()),
        expires_at: known.and_then(|known| known.expires_at.as_deref()),
        source: row.from.as_deref(),
    }
}
