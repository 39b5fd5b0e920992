//! Tests of `cki login`, `logout` and `auth status` with the stand-in for GitLab: what is kept, what is shown, and what
//! goes to which server. The order of the sources is tested in `ops::shared::token`.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use cki::demo::gitlab::{StandIn, StandInConfig, StandInOptions, TimeScale};
use nix::sys::signal::Signal;

use crate::support::cli::{Cli, Outcome};
use crate::support::ports::free_port;
use crate::support::terminal_session::TerminalSession;

const ALICE: &str = "alice-not-a-real-token";
const READER: &str = "reader-not-a-real-token";
const BOB: &str = "bob-not-a-real-token";

/// A stand-in at which the token of the reader ends in four days.
fn stand_in() -> StandIn {
    let text = include_str!("../../fixtures/gitlab.yaml");
    let mut config = StandInConfig::parse("gitlab.yaml", text).expect("is valid");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(4 * 24);
    for token in &mut config.tokens {
        let end =
            if token.token == READER { soon.to_string()[..10].to_owned() } else { "2999-01-31".to_owned() };
        token.expires_at = Some(end);
    }
    let began = "2026-11-22T10:00:00Z".parse().expect("is a time");
    StandIn::start(StandInOptions { config, pace: TimeScale::ByHand, began, port: 0 }).expect("starts")
}

/// A person whose setting names the stand-in.
fn person(gitlab: &StandIn) -> Cli {
    let mut cli = Cli::new();
    cli.set("CKI_GITLAB_URL", gitlab.url());
    cli.place("server", gitlab.url());
    cli
}

fn logins(cli: &Cli) -> PathBuf {
    cli.directory().join("home/.local/state/cki/logins.json")
}

#[track_caller]
fn log_in(cli: &Cli, line: &str, token: &str) -> Outcome {
    let outcome = cli.call(line).stdin(format!("{token}\n")).end();
    assert!(!outcome.to_string().contains(token), "shows the token: {outcome}");
    outcome
}

#[test]
fn login_keeps_a_token_that_the_server_accepts() {
    let gitlab = stand_in();
    let cli = person(&gitlab);
    let refused = log_in(&cli, "login --stdin", "wrong").ends_with(5).says("nothing was kept");
    assert!(!refused.to_string().contains("not finished"), "{refused}");
    log_in(&cli, "login --stdin --offline", ALICE).ends_with(6).says("while offline");
    log_in(&cli, "login http://192.0.2.1 --stdin", ALICE).ends_with(7).says("without encryption");
    log_in(&cli, "login --stdin", "two words").ends_with(2).says("this is no token");
    assert!(!logins(&cli).exists());
    cli.run("auth status").ends_with(1).says("hint: `cki login` keeps a token.");
    log_in(&cli, "login --stdin", READER)
        .ends_with(0)
        .says("as @alice.")
        .says("scopes read_api; expires on ")
        .says("warning: The token lacks the scope `api`: `cki stage` cannot comment with it.")
        .says(", in 4 days.");
    let mode = logins(&cli).metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Commands that use it say once that it ends.
    let shown = cli.run("stage --mr 213 --project group/tools -n").ends_with(0);
    assert_eq!(shown.stderr.matches("expires on").count(), 1, "{shown}");
    cli.call("login {server}/ --stdin")
        .stdin(ALICE)
        .set("GITLAB_TOKEN", BOB)
        .end()
        .ends_with(0)
        .says("in `")
        .says("warning: Another token comes first: from GITLAB_TOKEN.");
    assert!(std::fs::read_to_string(logins(&cli)).expect("is there").contains(ALICE));
    std::fs::set_permissions(logins(&cli), std::fs::Permissions::from_mode(0o640)).expect("changes");
    cli.run("stage --mr 213 --project group/tools -n")
        .ends_with(7)
        .says("can be read by others")
        .says("chmod 600");
}

#[test]
fn auth_status_and_logout_name_the_source_of_each_token() {
    let gitlab = stand_in();
    let cli = person(&gitlab);
    log_in(&cli, "login --stdin", ALICE).ends_with(0);
    let row = &cli.run("auth status -o json").ends_with(0).json()["servers"][0];
    assert_eq!((row["state"].as_str(), row["user"].as_str()), (Some("valid"), Some("alice")), "{row}");
    assert_eq!(row["scopes"][0], "api");
    assert_eq!(row["expires_at"], "2999-01-31");
    assert!(row["source"].as_str().is_some_and(|source| source.contains("logins.json")), "{row}");
    assert_eq!(cli.run("auth status -o name").ends_with(0).stdout.trim_end(), gitlab.url());
    let debugged = cli.run("auth status --debug-http -q").ends_with(0);
    for line in [" /api/v4/user", "> private-token: ••••••••", "< 200, GET /user", "\"username\":\"alice\""]
    {
        assert!(debugged.stderr.contains(line.trim_start()), "{line}: {debugged}");
    }
    assert!(!debugged.to_string().contains(ALICE), "{debugged}");
    let asked = gitlab.requests().len();
    cli.run("auth status --offline -o wide").ends_with(0).says("@alice").says("not asked").says("2999-01-31");
    assert_eq!(gitlab.requests().len(), asked);
    let tokens = format!("{{\"{}\": \"T\"}}", gitlab.url());
    let mapped = |line: &str, token: &str| cli.call(line).set("GITLAB_TOKENS", &tokens).set("T", token).end();
    let rejected = mapped("auth status", "wrong").ends_with(1);
    let rejected = rejected.says("rejected").says("does not accept the token");
    assert!(!rejected.to_string().contains("wrong"), "{rejected}");
    mapped("auth status -o wide", BOB).ends_with(0).says("@bob").says("T, by GITLAB_TOKENS");
    mapped("logout", BOB)
        .ends_with(0)
        .says("Logged out of")
        .says("There is still a token")
        .says("T, by GITLAB_TOKENS");
    assert!(!logins(&cli).exists());
    cli.run("logout").ends_with(0).says("`cki login` keeps no token");
    cli.call("auth status").set("GITLAB_TOKENS", "nonsense").end().ends_with(4).says("is no JSON object");
}

#[test]
fn servers_are_asked_at_once_and_one_may_be_out_of_reach() {
    let (public, internal) = (stand_in(), stand_in());
    let cli = person(&public);
    log_in(&cli, "login --stdin", ALICE).ends_with(0);
    log_in(&cli, &format!("login {} --stdin", internal.url()), BOB).ends_with(0);
    let gone = format!("http://127.0.0.1:{}", free_port());
    let more = format!("{{\"{gone}\": \"T\"}}");
    let status = |line: &str| cli.call(line).set("GITLAB_TOKENS", &more).set("T", READER).end().ends_with(0);
    let json = status("auth status -o json").json();
    let rows: Vec<(&str, &str, Option<&str>)> = json["servers"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|row| {
            (
                row["server"].as_str().expect("a text"),
                row["state"].as_str().expect("a text"),
                row["user"].as_str(),
            )
        })
        .collect();
    for row in [
        (public.url(), "valid", Some("alice")),
        (internal.url(), "valid", Some("bob")),
        (gone.as_str(), "unreachable", None),
    ] {
        assert!(rows.contains(&row), "{row:?}: {rows:?}");
    }
    status(&format!("auth status {gone}")).says("no answer").says("cannot reach");
    // Each token went to its own server.
    let debugged = status("auth status --debug-http");
    for token in [ALICE, BOB, READER] {
        assert!(!debugged.to_string().contains(token), "{debugged}");
    }
    // The doctor looks at the server of the settings, and shows what it asks.
    let looked = cli.run("doctor --debug-http -v");
    for line in ["> GET ", "/api/v4/version", "> private-token: ••••••••", "< 200, GET /user"]
    {
        assert!(looked.stderr.contains(line), "{line}: {looked}");
    }
    assert!(!looked.to_string().contains(ALICE), "{looked}");
}

#[test]
fn login_asks_on_a_terminal_without_showing_the_token() {
    let gitlab = stand_in();
    let cli = person(&gitlab);
    cli.run("login").ends_with(2).says("pipe it in with `--stdin`");
    let ask = || {
        let terminal = TerminalSession::start(&cli, "login");
        terminal.until("Token (hidden):");
        terminal
    };
    let terminal = ask();
    terminal.send_signal(Signal::SIGINT);
    terminal.until("Cancelled: nothing was done.");
    terminal.ends_with(130);
    let mut terminal = ask();
    terminal.type_keys(&format!("{ALICE}\n"));
    terminal.until("which only you can read.");
    assert!(!terminal.output().contains(ALICE), "{}", terminal.output());
    terminal.ends_with(0);
}

#[test]
fn auth_status_tells_a_proxy_the_host_and_no_token() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = format!("http://{}", proxy.local_addr().expect("has one"));
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    std::thread::spawn(move || {
        for mut stream in proxy.incoming().flatten() {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            // On a busy machine, a client may give up before it sends anything.
            if length == 0 {
                continue;
            }
            log.lock().expect("is whole").push(String::from_utf8_lossy(&head[..length]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let cli = Cli::new();
    let call = cli.call("auth status gitlab.invalid").set("HTTPS_PROXY", &address);
    let mapped = call.set("GITLAB_TOKENS", "{\"gitlab.invalid\": \"T\"}").set("T", ALICE);
    // Whether it is out of tries or out of time depends on the machine.
    mapped.end().ends_with(0).says("no answer").says("`https://gitlab.invalid`");
    let count = seen.lock().expect("is whole").len();
    let call =
        cli.call("auth status gitlab.invalid").set("HTTPS_PROXY", &address).set("NO_PROXY", "gitlab.invalid");
    let direct = call.set("GITLAB_TOKENS", "{\"gitlab.invalid\": \"T\"}").set("T", ALICE).end();
    direct.ends_with(0).says("no answer").says("`https://gitlab.invalid`");
    let seen = seen.lock().expect("is whole");
    assert_eq!(seen.len(), count, "a host of NO_PROXY is reached without the proxy: {seen:?}");
    assert!(
        !seen.is_empty() && seen.iter().all(|head| head.starts_with("CONNECT gitlab.invalid:443 ")),
        "{seen:?}"
    );
    assert!(!seen.iter().any(|head| head.contains(ALICE)), "{seen:?}");
}

#[test]
fn login_is_not_for_a_server_that_only_a_project_names() {
    let gitlab = stand_in();
    let mut cli = person(&gitlab);
    cli.set("CKI_GITLAB_URL", "");
    cli.write("cki.toml", "[gitlab]\nurl = '{server}'\n");
    log_in(&cli, "login --stdin", ALICE).ends_with(7).says("does not choose where your token goes");
    let stage = "stage --mr 213 --project group/tools -n";
    let withheld = cli.call(stage).set("GITLAB_TOKEN", ALICE).end().ends_with(0);
    withheld.says("No token is sent to");
    // The user names it, too: now it is the user's own choice.
    log_in(&cli, "login {server} --stdin", ALICE).ends_with(0);
    let used = cli.run(stage).ends_with(0);
    assert!(!used.to_string().contains("No token is sent to"), "{used}");
    assert!(gitlab.requests().iter().any(|one| one.contains("/notes")), "asked with the token");
}
