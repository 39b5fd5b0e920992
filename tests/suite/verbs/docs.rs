//! Tests of `cki docs`.

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
    assert_snapshot!(cli.run("docs web"), @"
    guide · docs/web.md in tools
    # Web

    Serves `pages`, see [the list](https://example.com/list).

    - one
    - two

    operations · operations.md in gone
    not cloned: cki clone web

    old · old.md in tools
    the clone has no such file

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
    old         old.md in tools                    the clone has no such file
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
    cli.run("docs web api").ends_with(2);
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
    let shown = cli.run("docs web").ends_with(0);
    assert!(
        shown.stdout.contains("a link leads out of the clone") && !shown.stdout.contains("root:"),
        "{shown}"
    );
}
