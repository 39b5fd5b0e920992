//! Servers that want a login, refuse, break off, or are something else: each case is told from the
//! others, names the address, and leaves nothing behind. Logins go nowhere but where they belong.

use super::*;

#[tokio::test]
async fn clone_uses_a_login_and_never_stores_it() {
    let bench = Bench::new().await;
    let url = bench.server.url("private/x.git");
    let refused = bench.clone(&url).await;
    assert_eq!(out_of_reach(&refused).to_string(), format!("`{url}` wants a login"));
    let wrong = bench.clone_with(&bench.git_with(bench.logins("wrong")), bench.wanted(&url), None).await;
    assert_eq!(out_of_reach(&wrong).to_string(), format!("`{url}` refuses the login of `{USER}`"));
    assert_eq!(names(&bench.work()), Vec::<String>::new());
    let git = bench.git_with(bench.logins(TOKEN));
    let cloned = bench.clone_with(&git, bench.wanted(&url), None).await;
    assert_eq!(done(&cloned), &CloneResult::Cloned);
    assert_eq!(done(&bench.clone_with(&git, bench.wanted(&url), None).await), &CloneResult::Unchanged);
    bench.assert_whole();
    assert!(!holds(&bench.target(), TOKEN));
    assert_eq!(bench.ask(&["config", "remote.origin.url"]), url);
}

#[tokio::test]
async fn clone_uses_a_login_in_the_address_and_drops_it() {
    let bench = Bench::new().await;
    let url = bench.server.url("private/x.git");
    let with_login = url.replace("://", &format!("://{USER}:{TOKEN}@"));
    let cloned = bench.clone(&with_login).await;
    assert_eq!((done(&cloned), &cloned.url), (&CloneResult::Cloned, &url));
    assert!(!holds(&bench.target(), TOKEN));
    assert!(!format!("{cloned:?}").contains(TOKEN));
    let gone = with_login.replace("private/x", "private/gone");
    std::fs::remove_dir_all(bench.target()).expect("removes");
    let error = bench.clone(&gone).await;
    assert!(matches!(out_of_reach(&error), GitError::NotFound { .. }));
    assert!(!format!("{error:?} {}", error.detail()).contains(TOKEN));
}

#[tokio::test]
async fn clone_sends_a_login_on_demand_and_to_its_server_only() {
    let bench = Bench::new().await;
    let other = GitServer::start(&bench.directory.path().join("served")).await;
    let git = bench.git_with(bench.logins(TOKEN));
    bench.clone_with(&git, bench.wanted(&bench.server.url("x.git")), None).await;
    assert!(bench.server.seen().iter().all(|seen| !seen.login));
    let wanted = CloneTarget { target: bench.work().join("y"), ..bench.wanted(&other.url("private/x.git")) };
    let refused = bench.clone_with(&git, wanted, None).await;
    assert!(matches!(out_of_reach(&refused), GitError::Unauthorised { user: None, .. }));
    assert!(other.seen().iter().all(|seen| !seen.login));
}

#[tokio::test]
async fn http_errors_are_told_apart() {
    let mut bench = Bench::new().await;
    bench.grow();
    let of = async |path: &str| {
        let repository = bench.clone(&bench.server.url(path)).await;
        let error = out_of_reach(&repository).to_string();
        assert!(error.contains(&bench.server.url(path)), "{error}");
        assert!(!error.contains('\x1b'));
        (repository, error)
    };
    let (found, error) = of("fail/403/x.git").await;
    assert!(matches!(out_of_reach(&found), GitError::Forbidden { .. }));
    assert!(error.ends_with(": no, says the server"), "{error}");
    let (found, error) = of("fail/500/x.git").await;
    assert!(matches!(out_of_reach(&found), GitError::Server { status: 500, .. }));
    assert!(error.ends_with("answered 500: no, says the server"), "{error}");
    let (found, _) = of("fail/404/x.git").await;
    assert!(matches!(out_of_reach(&found), GitError::NotFound { .. }));
    let (found, _) = of("nowhere.git").await;
    assert!(matches!(out_of_reach(&found), GitError::NotFound { .. }));
    let (found, error) = of("html/x.git").await;
    assert!(matches!(out_of_reach(&found), GitError::NotGit { .. }), "{error}");
    let (found, error) = of("elsewhere/x.git").await;
    assert!(
        matches!(out_of_reach(&found), GitError::Redirected { to, .. } if to.starts_with("http://localhost:")),
        "{error}"
    );
    let (found, error) = of("reset/x.git").await;
    assert!(
        matches!(out_of_reach(&found), GitError::NotGit { .. } | GitError::Unreachable { .. }),
        "{error}"
    );
    let (found, error) = of("cut/x.git").await;
    assert!(matches!(out_of_reach(&found), GitError::Broken { .. }), "{error}");
    assert_eq!(names(&bench.work()), Vec::<String>::new());
}

#[tokio::test]
async fn clone_reports_tls_errors_and_connection_resets() {
    let bench = Bench::new().await;
    let secure = bench.server.url("x.git").replace("http://", "https://");
    let found = bench.clone(&secure).await;
    assert!(matches!(out_of_reach(&found), GitError::Tls { .. }), "{found:?}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("has an address");
    let resets = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // Closed with the request unread: the system answers with a reset.
            connection.readable().await.expect("something comes");
            drop(connection);
        }
    });
    let found = bench.clone(&format!("http://{address}/x.git")).await;
    resets.abort();
    assert!(matches!(out_of_reach(&found), GitError::Unreachable { .. }), "{found:?}");
}

#[tokio::test]
async fn offline_clone_reaches_this_machine_only() {
    let bench = Bench::new().await;
    let policy = HttpPolicy { offline: true, ..HttpPolicy::default() };
    let git =
        Git::new(Arc::new(HttpClient::new(policy)), Logins::default(), clean_env(bench.directory.path()));
    for url in ["https://gitlab.com/x", "git://gitlab.com/x", "git@gitlab.com:x", "ssh://gitlab.com/x"] {
        let found = bench.clone_with(&git, bench.wanted(url), None).await;
        assert!(matches!(out_of_reach(&found), GitError::Offline { .. }), "{url}: {found:?}");
    }
    let near = bench.wanted(&bench.server.url("x.git"));
    assert_eq!(done(&bench.clone_with(&git, near, None).await), &CloneResult::Cloned);
}

#[tokio::test]
async fn clone_reports_a_directory_that_is_no_repository() {
    let bench = Bench::new().await;
    for url in ["/nowhere/x", &bench.directory.path().display().to_string()] {
        let found = bench.clone(url).await;
        assert!(matches!(out_of_reach(&found), GitError::NotFound { .. }), "{found:?}");
    }
}

#[tokio::test]
async fn clone_supports_the_git_protocol() {
    let bench = Bench::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("has an address");
    let served = bench.directory.path().join("served");
    let daemon = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let socket = connection.into_std().expect("a socket");
            socket.set_nonblocking(false).expect("a socket can wait");
            let input = std::os::fd::OwnedFd::from(socket.try_clone().expect("a second handle"));
            let mut command = tokio::process::Command::from(git_command(&served));
            command.args(["daemon", "--inetd", "--export-all", "--strict-paths"]).arg(served.join("x.git"));
            command.stdin(input).stdout(std::os::fd::OwnedFd::from(socket)).kill_on_drop(true);
            command.spawn().expect("git is installed").wait().await.expect("ends");
        }
    });
    let found = bench.clone(&format!("git://{address}/nowhere")).await;
    assert!(
        matches!(out_of_reach(&found), GitError::NotFound { .. } | GitError::Unreachable { .. }),
        "{found:?}"
    );
    let cloned = bench.clone(&format!("git://{address}{}", bench.served().display())).await;
    daemon.abort();
    assert_eq!(done(&cloned), &CloneResult::Cloned);
    bench.assert_whole();
}
