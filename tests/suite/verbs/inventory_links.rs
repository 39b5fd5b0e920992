//! Tests of `cki inventory check --links`.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::ports::free_port;
use crate::support::web_server::WebServer;

/// An inventory with links to a server and to a clone, which is a repository with `docs/web.md` on `main` and
/// `docs/new.md` on `fix/it`.
fn cli(server: &WebServer) -> Cli {
    let cli = Cli::new();
    cli.place("server", &server.url(""));
    cli.inventory(
        "\
title: Sample
repos:
  tools: '{server}/ok/group/tools.git'
  far: '{server}/ok/far.git'
ignore:
  - {rule: unreachable-link, component: service/api, reason: It is often down.}
components:
  - name: web
    category: service
    description: The web site.
    people: [team]
    sources: [{repo: tools, path: docs}, {repo: far, path: src}]
    documentation:
      - {label: guide, repo: tools, path: docs/web.md}
      - {label: old, repo: tools, path: docs/old.md}
      - {label: out, repo: tools, path: ../../secret}
      - {label: branch, url: '{server}/ok/group/tools/-/blob/fix/it/docs/new.md#L3'}
      - {label: gone, url: '{server}/ok/group/tools/-/blob/main/docs/gone.md'}
      - {label: page, url: '{server}/ok/page#one'}
      - {label: same, url: '{server}/ok/page#two'}
      - {label: renamed, url: '{server}/moved/page#three'}
      - {label: lost, url: '{server}/status/404/page'}
    monitoring:
      - {label: dashboard, url: '{server}/private/dashboard'}
      - {label: typo, url: 'htp://x'}
      - {label: chat, url: 'irc://chat.example.com/web'}
      - {label: repository, repo: nowhere, path: x}
  - name: api
    category: service
    description: The interface.
    people: [team]
    sources: [{repo: tools}]
    documentation: [{label: page, url: '{server}/status/501/page'}]
",
    );
    let directory = cli.workspace().join("tools");
    let repository = git2::Repository::init(&directory).expect("makes a repository");
    repository.remote("origin", &server.url("/ok/group/tools")).expect("adds a remote");
    let who = git2::Signature::now("a", "a@example.com").expect("is valid");
    for (reference, name) in [
        ("refs/remotes/origin/main", "web.md"),
        ("refs/heads/main", "web.md"),
        ("refs/heads/fix/it", "new.md"),
    ] {
        let blob = repository.blob(b"# A page\n").expect("writes");
        let mut docs = repository.treebuilder(None).expect("begins");
        docs.insert(name, blob, 0o100_644).expect("adds");
        let mut root = repository.treebuilder(None).expect("begins");
        root.insert("docs", docs.write().expect("writes"), 0o040_000).expect("adds");
        let tree = repository.find_tree(root.write().expect("writes")).expect("is there");
        repository.commit(Some(reference), &who, &who, "begin", &tree, &[]).expect("commits");
    }
    repository.set_head("refs/heads/main").expect("has the branch");
    cli
}

#[test]
fn inventory_check_looks_at_the_targets_of_links() {
    let server = WebServer::start();
    let cli = cli(&server);
    // Nobody has agreed to requests that this inventory chooses.
    let untrusting = cli.call("inventory check --links").untrusting().end().ends_with(7);
    assert!(untrusting.stderr.contains("cki trust"), "{untrusting}");
    assert_eq!(server.seen(), Vec::<String>::new());
    let offline = cli.call("inventory check --links --offline").untrusting().end();
    assert_snapshot!(offline, @"
    /tmp/cki-TESTID/project/inventory.yaml:15:35: broken-link: the clone of `tools` has no `docs/old.md`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:16:35: broken-link: the clone of `tools` has no `../../secret`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:18:23: broken-link: the clone of `tools` has no `docs/gone.md` at `main`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:25:23: broken-link: `htp://x` is no address
        fix: write a whole address, such as `https://example.com/page`
    /tmp/cki-TESTID/project/inventory.yaml:27:44: broken-link: there is no repository `nowhere`
        fix: correct the name, or add the repository to `repos`
    --- stderr
    19 links · 4 reached · 5 broken · 10 not checked: 9 offline, 1 no web address
    5 errors · 2 entries · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
    assert_eq!(server.seen(), Vec::<String>::new());
    assert_snapshot!(cli.run("inventory check --links"), @"
    /tmp/cki-TESTID/project/inventory.yaml:15:35: broken-link: the clone of `tools` has no `docs/old.md`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:16:35: broken-link: the clone of `tools` has no `../../secret`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:18:23: broken-link: the clone of `tools` has no `docs/gone.md` at `main`
        fix: correct the path; if the clone is old, update it with `cki clone` first
    /tmp/cki-TESTID/project/inventory.yaml:21:26: moved-link: `http://127.0.0.1:~PORT/moved/page#three` has moved permanently to `http://127.0.0.1:~PORT/ok/page#three`
        fix: write `http://127.0.0.1:~PORT/ok/page#three`
    /tmp/cki-TESTID/project/inventory.yaml:22:23: broken-link: `http://127.0.0.1:~PORT/status/404/page` answers 404
        fix: correct the address, or remove the link
    /tmp/cki-TESTID/project/inventory.yaml:25:23: broken-link: `htp://x` is no address
        fix: write a whole address, such as `https://example.com/page`
    /tmp/cki-TESTID/project/inventory.yaml:27:44: broken-link: there is no repository `nowhere`
        fix: correct the name, or add the repository to `repos`
    --- stderr
    19 links · 9 reached · 6 broken · 1 moved · 1 unreachable · 2 not checked: 1 login needed, 1 no web address
    6 errors · 1 warning · 1 silenced · 2 entries · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
    let seen = server.seen();
    let page: Vec<&String> = seen.iter().filter(|line| line.ends_with(" /ok/page")).collect();
    assert_eq!(page.len(), 2, "once for two links, once behind a redirect: {seen:#?}");
    // Pages that were there are not asked for again; those that were not, are.
    let again = cli.run("inventory check --links -o json").ends_with(1).json();
    assert_snapshot!(cli.redact(&format!("{:#}", again["links"])), @r#"
    {
      "targets": 19,
      "reached": 9,
      "broken": 6,
      "moved": 1,
      "unreachable": 1,
      "cached": 6,
      "not_checked": [
        {
          "target": "http://127.0.0.1:~PORT/private/dashboard",
          "reason": "login needed"
        },
        {
          "target": "irc://chat.example.com/web",
          "reason": "no web address"
        }
      ],
      "no_network": null
    }
    "#);
    let asked = [
        "GET /status/404/page",
        "GET /status/501/page",
        "HEAD /moved/page",
        "HEAD /ok/page",
        "HEAD /status/404/page",
        "HEAD /status/501/page",
    ];
    assert_eq!(server.seen(), asked);
    let silenced = again["silenced"].as_array().expect("is a list");
    assert_eq!((silenced.len(), &silenced[0]["rule"]), (1, &"unreachable-link".into()));
    // Only the links of chosen entries, in each form.
    let sarif = cli.run("inventory check api --links -o sarif").ends_with(0);
    assert!(sarif.stdout.contains("\"ruleId\": \"unreachable-link\""), "{sarif}");
    let gitlab = cli.run("inventory check web --links -o gitlab").ends_with(1);
    assert!(gitlab.stdout.contains("\"check_name\": \"moved-link\""), "{gitlab}");
    cli.run("inventory check --links --fix").ends_with(2);
}

#[test]
fn inventory_check_tells_a_missing_network_once() {
    let (one, two) = (free_port(), free_port());
    let cli = Cli::new();
    cli.inventory(&format!(
        "components:
- name: a
  category: external
  description: A.
  documentation:
  - {{label: x, url: 'http://127.0.0.1:{one}/x'}}
  - {{label: y, url: 'http://127.0.0.1:{one}/y'}}
  - {{label: z, url: 'http://localhost:{two}/z'}}
"
    ));
    let outcome = cli.run("inventory check --links").ends_with(6);
    assert_snapshot!(outcome.to_string().replace(&one.to_string(), "ONE"), @"
    --- stderr
    warning: No web server answers, so no page was checked: `127.0.0.1` cannot be reached: Connection refused (os error 111).
    3 links · 0 reached · 3 not checked: no network
    no findings · 1 entry · inventory: untitled, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 6
    ");
    // A single server that is away is its own fault.
    cli.inventory(&format!(
        "components:
- {{name: a, category: external, description: A., documentation: [{{label: x, url: 'http://127.0.0.1:{one}/x'}}]}}
"
    ));
    let outcome = cli.run("inventory check --links").ends_with(1);
    assert!(outcome.stdout.contains(": unreachable-link: `http://127.0.0.1:"), "{outcome}");
}

#[test]
fn inventory_check_of_links_ends_at_once_when_interrupted() {
    let server = WebServer::start();
    let cli = Cli::new();
    cli.inventory(&format!(
        "components:\n- {{name: a, category: external, description: A., documentation: [{{label: x, url: '{}'}}]}}\n",
        server.url("/hang/x")
    ));
    let run = cli.start("inventory check --links");
    cli.wait_for("the request", || server.most_at_a_time() == 1);
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    assert_eq!(outcome.stdout, "", "{outcome}");
}
