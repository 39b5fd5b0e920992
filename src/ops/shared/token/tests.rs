//! Tests of the search: the order of the sources, and the servers that get nothing.

use super::*;
use crate::config::Config;

const SECOND: Option<Duration> = Some(Duration::from_secs(20));

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let env = Env::new(pairs.iter().copied().chain([("HOME", "/nonexistent")]));
    let config = Config::load(&env, Path::new("/"), []).expect("loads");
    Settings::resolve(&config, &env).expect("resolves")
}

fn look_in(settings: &Settings, env: &Env, patience: Option<Duration>) -> Result<TokenStanding, TokenError> {
    TokenSearch { settings, env, cwd: Path::new("/"), patience }.for_setting()
}

fn look(settings: &Settings) -> Result<TokenStanding, TokenError> {
    look_in(settings, &Env::default(), SECOND)
}

/// Returns the token and its source, or what stands in its way.
fn shown(standing: Result<TokenStanding, TokenError>) -> String {
    match standing.expect("is read") {
        TokenStanding::Usable(found) => format!("{} from {}", found.token.secret.expose(), found.from),
        TokenStanding::Missing { .. } => "missing".to_owned(),
        TokenStanding::Withheld { by } => format!("withheld by {by}"),
        TokenStanding::Unencrypted => "unencrypted".to_owned(),
    }
}

fn project() -> SettingOrigin {
    SettingOrigin::Project { file: "/p/cki.toml".into(), line: 1 }
}

#[test]
fn user_token_is_withheld_from_project_server() {
    for server in ["https://evil.example", "http://127.0.0.1:1"] {
        let mut of_project = settings(&[("CKI_GITLAB_TOKEN", "own")]);
        of_project.gitlab_url = (server.to_owned(), project());
        assert_eq!(shown(look(&of_project)), "withheld by /p/cki.toml:1");
        // A token for which nothing names a server, and the user's command, are the user's own, too.
        let mut bare = settings(&[]);
        bare.gitlab_url = (server.to_owned(), project());
        let env = Env::new([("GITLAB_TOKEN", "own")]);
        assert_eq!(shown(look_in(&bare, &env, SECOND)), "withheld by /p/cki.toml:1");
        bare.gitlab_token_command = Some("printf own".to_owned());
        assert_eq!(shown(look(&bare)), "withheld by /p/cki.toml:1");
        // The project's own token goes to its own server, and so does one that the user keeps for that server.
        of_project.gitlab_token = Some((Secret::new("theirs"), project()));
        assert_eq!(shown(look(&of_project)), "theirs from /p/cki.toml:1");
        let tokens = format!("{{\"{server}\": \"T\"}}");
        let env = Env::new([("GITLAB_TOKENS", tokens.as_str()), ("T", "mapped")]);
        assert_eq!(shown(look_in(&bare, &env, SECOND)), "mapped from T, by GITLAB_TOKENS");
    }
    assert_eq!(shown(look(&settings(&[("CKI_GITLAB_TOKEN", "own")]))), "own from CKI_GITLAB_TOKEN");
}

#[test]
fn token_is_not_sent_without_encryption() {
    let of = |url| shown(look(&settings(&[("CKI_GITLAB_TOKEN", "own"), ("CKI_GITLAB_URL", url)])));
    assert_eq!(of("http://git.example"), "unencrypted");
    assert_eq!(of("http://localhost:1"), "own from CKI_GITLAB_TOKEN");
}

#[test]
fn sources_are_asked_in_order() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().display().to_string();
    let all = [
        ("HOME", path.as_str()),
        ("PATH", "/usr/bin:/bin"),
        ("GITLAB_TOKENS", r#"{"gitlab.com": "COM"}"#),
        ("COM", "mapped"),
        ("GITLAB_TOKEN", "single"),
        ("CI_JOB_TOKEN", "job"),
        ("CI_SERVER_URL", "https://gitlab.com"),
    ];
    let env = Env::new(all);
    let server = ServerAddress::parse("gitlab.com").expect("is one");
    let store = LoginStore::of(&env).expect("has a place");
    let login = crate::ops::shared::token::StoredLogin {
        server: server.url().to_owned(),
        user: "alice".to_owned(),
        scopes: None,
        expires_at: None,
        place: TokenPlace::File,
    };
    store.keep(login, &server, &Secret::new("kept").into()).expect("is kept");
    let file = glab::file(&env).expect("has a place");
    files::write_atomic(&file, b"hosts: {gitlab.com: {token: glab}}\n", 0o600).expect("writes");
    let none = settings(&[]);
    let of = |settings: &Settings, names: &[&str]| {
        let left = all.iter().filter(|(name, _)| !names.contains(name)).copied();
        let text = shown(look_in(settings, &Env::new(left), SECOND));
        text.split(" from ").next().unwrap_or_default().to_owned()
    };
    let mut gone = Vec::new();
    assert_eq!(of(&settings(&[("CKI_GITLAB_TOKEN", "own")]), &gone), "own");
    for (name, token) in [("COM", "mapped"), ("GITLAB_TOKEN", "single"), ("CI_JOB_TOKEN", "job")] {
        assert_eq!(of(&none, &gone), token);
        gone.push(name);
    }
    assert_eq!(of(&settings(&[("CKI_GITLAB_TOKEN_COMMAND", "printf command")]), &gone), "command");
    assert_eq!(of(&none, &gone), "kept");
    store.forget(&server).expect("is removed");
    assert_eq!(of(&none, &gone), "glab");
    let servers = TokenSearch { settings: &none, env: &env, cwd: Path::new("/"), patience: SECOND }.servers();
    assert_eq!(servers.expect("are read"), [server]);
    files::write_atomic(&file, b"hosts: {gitlab.com: {token: glab}}\n", 0o644).expect("writes");
    let left = Env::new([("HOME", path.as_str())]);
    assert!(matches!(look_in(&none, &left, SECOND), Err(TokenError::Readable(_))));
}

/// Returns an environment with the usual programs.
fn programs() -> Env {
    Env::new([("PATH", "/usr/bin:/bin")])
}

#[test]
fn token_command_prints_token_or_times_out() {
    let look = |line: &str, patience| {
        look_in(&settings(&[("CKI_GITLAB_TOKEN_COMMAND", line)]), &programs(), patience)
    };
    let from = " from the command of `gitlab.token_command`";
    assert_eq!(shown(look("printf 'a b\\nc'", SECOND)), format!("a b{from}"));
    for (line, why) in
        [("false", "exit"), ("true", "nothing"), ("", "empty"), ("no-such-program", "not found")]
    {
        let result = match line {
            "" => run("", (&programs(), Path::new("/")), SECOND).map(|_| ()),
            _ => look(line, SECOND).map(|_| ()),
        };
        let error = result.expect_err(line).to_string();
        assert!(error.contains(why), "{error}");
    }
    let began = std::time::Instant::now();
    let error = look("sh -c 'sleep 1000'", Some(Duration::from_millis(50))).expect_err("hangs");
    assert!(error.to_string().contains("does not end"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(shown(look_in(&settings(&[]), &Env::default(), None)), "missing");
}

#[test]
fn token_file_must_be_private() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("token");
    files::write_atomic(&file, b"secret\n", 0o644).expect("writes");
    let name = file.display().to_string();
    let settings = settings(&[("CKI_GITLAB_TOKEN_FILE", &name)]);
    assert!(matches!(look(&settings), Err(TokenError::Readable(_))));
    // The same holds for the user's own settings with a token.
    let mut own = settings.clone();
    own.gitlab_token = Some((Secret::new("secret"), SettingOrigin::User { file: file.clone(), line: 1 }));
    assert!(matches!(look(&own), Err(TokenError::Readable(_))));
    files::write_atomic(&file, b"secret\n", 0o600).expect("writes");
    assert!(matches!(look(&own), Ok(TokenStanding::Usable(_))));
    assert_eq!(shown(look(&settings)), format!("secret from {name}"));
    // A file that somebody else can replace is no better.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), open).expect("changes");
    assert!(matches!(look(&settings), Err(TokenError::Distrusted { .. })));
}
