//! Tests of `cki docs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use insta::assert_snapshot;

use crate::support::cli::Cli;

const INVENTORY: &str = "\
title: Sample
repos: {tools: https://gitlab.example.com/group/tools, gone: https://gitlab.example.com/group/gone}
components:
  - name: web
    category: service
    documentation:
      - {label: guide, repo: tools, path: docs/web.md}
      - {label: operations, repo: gone, path: operations.md}
      - {label: old, repo: tools, path: old.md}
      - {label: handbook, url: https://example.com/handbook}
    monitoring: [{label: dashboard, url: https://grafana.example.com/d/web}]
  - {name: api, category: service, sources: [{repo: tools, path: api}]}
  - {name: bare, category: service}
";

/// Files of the clone of `tools`, in which nothing is a repository of git.
fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    for (path, text) in [
        (
            "docs/web.md",
            "# Web\n\nServes `pages`, see [the list](https://example.com/list).\n\n- one\n- two\n",
        ),
        ("api/README.rst", "API\n===\n\nAnswers\x1b[31m requests.\n"),
        ("README.md", "# Tools\n\nRetries are here.\n"),
        ("src/retry.py", "# retries\n"),
    ] {
        let file = cli.workspace().join("tools").join(path);
        std::fs::create_dir_all(file.parent().expect("is in a directory")).expect("makes");
        std::fs::write(file, text).expect("writes");
    }
    cli
}

#[test]
fn docs_shows_pages_and_links() {
    let cli = cli();
    assert_snapshot!(cli.run("docs web --offline"), @"
    guide · docs/web.md in tools
    # Web

    Serves `pages`, see [the list](https://example.com/list).

    - one
    - two

    operations · operations.md in gone
    not cloned: cki clone web

    old · old.md in tools
    the repository has no such file

    Links
      handbook  https://example.com/handbook

    Monitoring
      dashboard  https://grafana.example.com/d/web
    --- exit 0
    ");
    // Beside the sources; without control sequences.
    assert_snapshot!(cli.run("docs api"), @"
    README · api/README.rst in tools
    API
    ===

    Answers requests.
    --- exit 0
    ");
    assert_snapshot!(cli.run("docs bare"), @"
    The entry of `bare` names no page of documentation and no sources with a README.
    --- exit 0
    ");
}

#[test]
fn docs_lists_pages_with_their_places() {
    let cli = cli();
    assert_snapshot!(cli.run("docs web --list"), @"
    guide       docs/web.md in tools               /tmp/cki-TESTID/home/cki/tools/docs/web.md
    operations  operations.md in gone              not cloned: cki clone web
    old         old.md in tools                    the repository has no such file
    handbook    https://example.com/handbook
    dashboard   https://grafana.example.com/d/web
    --- exit 0
    ");
    let shown = cli.run("docs web -o json").ends_with(0).json();
    assert_eq!(shown["pages"][1]["reason"], "not cloned: cki clone web");
    assert!(shown["pages"][0]["file"].as_str().is_some_and(|file| file.ends_with("/tools/docs/web.md")));
    assert_eq!(shown["links"][0]["url"], "https://example.com/handbook");
}

#[test]
fn docs_takes_selectors_and_fails_without_a_page() {
    let cli = cli();
    let shown = cli.run("docs category=service --offline").ends_with(0);
    assert!(shown.stdout.contains("# Web") && shown.stdout.contains("Answers requests."), "{shown}");
    let listed = cli.run("docs api web --list").ends_with(0);
    assert!(listed.stdout.starts_with("service/api\n  README  "), "{listed}");
    let json = cli.run("docs category=service -o json").ends_with(0).json();
    assert_eq!(json["components"].as_array().map(Vec::len), Some(3), "{json}");
    cli.run("docs category=service --open").ends_with(2).says("`--open` opens the link of one component");
    cli.run("docs kind=none").ends_with(3).says("no component matches");
    std::fs::remove_file(cli.workspace().join("tools/api/README.rst")).expect("is there");
    std::os::unix::fs::symlink("/etc/passwd", cli.workspace().join("tools/api/README.rst")).expect("links");
    cli.run("docs api --offline").ends_with(1).says("leads out of the clone");
}

#[test]
fn docs_reads_pages_that_are_not_checked_out() {
    let cli = cli();
    let directory = cli.workspace().join("gone");
    let repository = git2::Repository::init(&directory).expect("makes a repository");
    repository.remote("origin", "https://gitlab.example.com/group/gone").expect("adds a remote");
    let who = git2::Signature::now("a", "a@example.com").expect("is valid");
    let blob = repository.blob(b"# Operations\n").expect("writes");
    let mut tree = repository.treebuilder(None).expect("begins");
    tree.insert("operations.md", blob, 0o100_644).expect("adds");
    let tree = repository.find_tree(tree.write().expect("writes")).expect("is there");
    repository.commit(Some("HEAD"), &who, &who, "begin", &tree, &[]).expect("commits");
    assert!(!directory.join("operations.md").exists());
    let shown = cli.run("docs web").ends_with(0);
    assert!(shown.stdout.contains("# Operations"), "{shown}");
}

/// Serves answers by path, one connection after the other; returns the address.
fn serve(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("connects");
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("clones"));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).expect("reads") > 0 {}
            let path = head.split(' ').nth(1).unwrap_or_default();
            let known = answers.iter().find(|(known, _)| *known == path).map(|(_, answer)| *answer);
            let answer = known.unwrap_or("404 Not Found\r\n\r\n");
            let leaks = head.to_lowercase().contains("authorization") || head.contains("TOKEN");
            let answer = if leaks { "200 OK\r\n\r\na login was sent" } else { answer };
            let _ = write!(stream, "HTTP/1.1 {}", answer.replacen("\r\n", "\r\nConnection: close\r\n", 1));
        }
    });
    format!("http://{address}")
}

#[test]
fn docs_reads_pages_from_the_web_server_of_a_repository() {
    let server = serve(&[
        ("/group/far/-/raw/HEAD/api/README.rst", "200 OK\r\n\r\nAPI\n===\n\nFar\x1b[31m away.\n"),
        ("/group/far/-/raw/HEAD/a%20page.md", "200 OK\r\n\r\n# A page\n"),
        ("/group/private/-/raw/HEAD/x.md", "302 Found\r\nLocation: /users/sign_in\r\n\r\n"),
        ("/users/sign_in", "200 OK\r\n\r\n<html>Sign in</html>"),
        ("/group/broken/-/raw/HEAD/x.md", "500 Oh\r\n\r\n"),
    ]);
    let cli = Cli::new();
    let repos =
        ["far", "private", "broken"].map(|name| format!("{name}: '{server}/group/{name}.git'")).join(", ");
    cli.inventory(&format!(
        "repos: {{{repos}, ssh: 'git@example.com:group/ssh'}}
components:
  - {{name: api, category: service, sources: [{{repo: far, path: api}}]}}
  - name: web
    category: service
    documentation:
      - {{label: page, repo: far, path: a page.md}}
      - {{label: none, repo: far, path: none.md}}
      - {{label: private, repo: private, path: x.md}}
      - {{label: broken, repo: broken, path: x.md}}
      - {{label: ssh, repo: ssh, path: x.md}}\n"
    ));
    // First, as somebody who has not trusted the inventory yet.
    let untrusting = cli.call("docs api").untrusting().end().ends_with(0);
    assert!(untrusting.stdout.contains("not cloned: cki clone api\n"), "{untrusting}");
    untrusting.says(
        "Pages that are not cloned are read from their servers once you trust the inventory: `cki trust`.",
    );
    assert_snapshot!(cli.run("docs api"), @"
    README · api/README.rst in far · http://127.0.0.1:~PORT/group/far/-/raw/HEAD/api/README.rst
    API
    ===

    Far away.
    --- stderr
      docs         1 page from 127.0.0.1
    --- exit 0
    ");
    assert_snapshot!(cli.run("docs web"), @"
    page · a page.md in far · http://127.0.0.1:~PORT/group/far/-/raw/HEAD/a%20page.md
    # A page

    none · none.md in far
    the repository has no such file

    private · x.md in private
    not cloned: cki clone web; 127.0.0.1 shows it to nobody without a login

    broken · x.md in broken
    not cloned: cki clone web; 127.0.0.1 answers 500

    ssh · x.md in ssh
    not cloned: cki clone web
    --- stderr
      docs         1 page from 127.0.0.1
    --- exit 0
    ");
    let offline = cli.run("docs api --offline").ends_with(0);
    assert!(offline.stdout.contains("not cloned: cki clone api\n"), "{offline}");
}

#[test]
fn docs_searches_local_documentation() {
    let cli = cli();
    assert_snapshot!(cli.run("docs --search RETR"), @"
    /tmp/cki-TESTID/home/cki/tools/README.md:3: Retries are here.
    --- stderr
    hint: not cloned, so not searched: gone; `cki clone service/web` gets the first.
    --- exit 0
    ");
    assert_snapshot!(cli.run("docs web --search no-such-text"), @"
    --- stderr
    No line of 3 local pages contains `no-such-text`.
    hint: not cloned, so not searched: gone; `cki clone service/web` gets the first.
    --- exit 1
    ");
    let found = cli.run("docs --search pages -o json").ends_with(0).json();
    assert_eq!((&found["hits"][0]["path"], &found["hits"][0]["line"]), (&"docs/web.md".into(), &3.into()));
    cli.run("docs --search ' '").ends_with(2);
}

#[test]
fn docs_opens_a_web_address_only() {
    let cli = cli();
    // Without a browser.
    let shown = cli.run("docs web --open").ends_with(0);
    assert_eq!(shown.stdout, "https://example.com/handbook\n");
    cli.inventory(
        "components: [{name: a, category: b, documentation: [{label: x, url: 'file:///etc/passwd'}]}]",
    );
    cli.run("docs a --open").ends_with(2).says("has no web address of documentation");
}

#[test]
fn docs_stays_within_a_clone() {
    let cli = cli();
    let file = cli.workspace().join("tools/docs/web.md");
    std::fs::remove_file(&file).expect("is there");
    std::os::unix::fs::symlink("/etc/passwd", &file).expect("links");
    let shown = cli.run("docs web --offline").ends_with(0);
    assert!(
        shown.stdout.contains("a link leads out of the clone") && !shown.stdout.contains("root:"),
        "{shown}"
    );
}
