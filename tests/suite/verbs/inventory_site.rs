//! Tests of `cki inventory site`: the command, its server, and the pages in a browser. What is in the pages is tested in
//! `report::site`.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{release_progress, stage_progress};
use crate::support;
use crate::support::cli::Cli;
use crate::support::ports::free_port;

const INVENTORY: &str = "\
title: Sample
repos: {tools: 'https://gitlab.example.com/group/tools.git'}
rfcs: {repo: tools, directory: rfcs, prefix: CKI}
components:
  - name: web
    category: service
    kind: service
    description: The web site.
    people: [ann]
    infrastructure: cloud
    sources: [{repo: tools}]
    documentation: [{label: Guide, url: 'https://docs.example.com/guide'}]
    dependencies: [{verb: reads, target: storage/db}, {verb: calls, target: service/gone}]
    environment: [{name: A_VARIABLE_WITH_A_RATHER_LONG_NAME, secret: true, required: true, description: Opens the door.}]
    run: {command: [web, --port, '8080'], needs: [redis]}
  - {name: db, category: storage, kind: storage, description: It keeps everything., people: [ann]}
  - {name: cloud, category: infrastructure}
";

const README: &str = "\
# Tools

<script>document.title = 'owned'</script>
<img src='https://evil.example/pixel.png' onerror='alert(1)'>

![badge](https://evil.example/badge.svg) [page](javascript:alert(1))

#### A heading that skips levels

| a | b |
|--:|---|
| a_very_long_cell_without_any_space_in_it_that_is_wider_than_a_phone | 1 |

```sh
run --with-a-very-long-line --that-is --wider --than --any --phone --could --ever --show --in --one --line
```
";

const RFC: &str = "\
---
title: 'CKI-001: <b>Logs</b>'
description: Which <i>logs</i> to keep.
author: Ann
merge_request: group/tools!7
---
## Abstract

<script>document.title = 'owned'</script>

[page](javascript:alert(1)) [other](../README.md) [heading](cki-001-logs.md#Abstract) [page](../cki-001-logs/) [gone](cki-002-x.md)
";

fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    let clone = cli.workspace().join("tools");
    std::fs::create_dir_all(&clone).expect("makes");
    std::fs::write(clone.join("README.md"), README).expect("writes");
    std::fs::create_dir(clone.join("rfcs")).expect("makes");
    std::fs::write(clone.join("rfcs/cki-001-logs.md"), RFC).expect("writes");
    cli
}

#[test]
fn inventory_site_writes_and_replaces_a_directory() {
    let cli = cli();
    assert_snapshot!(cli.run("inventory site public"), @"
    /tmp/cki-TESTID/project/public/index.html
    --- stderr
    3 components · 7 backing services · 1 README · 1 request for comments · 4 findings · 24 files · directory: /tmp/cki-TESTID/project/public
    --- exit 0
    ");
    let page = |path: &str| std::fs::read(cli.project().join("public").join(path)).expect("is there");
    let first = (page("index.html"), page("component/service/web.html"), page("search-index.js"));
    let again = cli.run("inventory site public -o json").ends_with(0).json();
    assert_eq!(
        (&again["components"], &again["readmes"], &again["files"]),
        (&json!(3), &json!(1), &json!(24))
    );
    assert!(first == (page("index.html"), page("component/service/web.html"), page("search-index.js")));

    let text = |path: &str| String::from_utf8(page(path)).expect("is text");
    let rfc = text("rfc/cki-001-logs.html");
    for part in [
        "<h1>CKI-001: &lt;b&gt;Logs&lt;",
        "<a href=\"https://gitlab.example.com/group/tools/-/merge_requests/7\" rel=\"noreferrer\">group/tools!7</a>",
        "<a href=\"https://gitlab.example.com/group/tools/-/blob/HEAD/README.md\">other</a>",
        "<a href=\"../rfc/cki-001-logs.html#readme-abstract\">heading</a>",
        "<a href=\"../rfc/cki-001-logs.html\">page</a>",
        "-/blob/HEAD/rfcs/cki-002-x.md\">gone</a>",
        "<a href=\"../rfcs.html\">",
    ] {
        assert!(rfc.contains(part), "{part} is not in {rfc}");
    }
    assert!(!rfc.contains("<script>") && !rfc.contains("javascript:"), "{rfc}");
    assert!(text("rfcs.html").contains("<a href=\"rfc/cki-001-logs.html\">CKI-001</a>"));
    assert!(text("index.html").contains("<a href=\"rfcs.html\">1 request for comments</a>"));
    assert!(text("search-index.js").contains("rfc/cki-001-logs.html"));
    cli.write("public/notes.txt", "mine");
    let refused = cli.run("inventory site public").ends_with(7);
    refused.says("`cki` has not written `notes.txt` in it").says("project/public/notes.txt` away");
    cli.write("other/thesis.txt", "mine");
    let refused = cli.run("inventory site other").ends_with(7);
    refused.says("it is not empty").says("name a new directory");
    cli.run("inventory site public/notes.txt").ends_with(7);
    cli.run("inventory site").ends_with(2);
    cli.run("inventory site new --port 8000").ends_with(2);
    let kept = |path: &str| std::fs::read_to_string(cli.project().join(path)).expect("is there");
    assert_eq!((kept("public/notes.txt").as_str(), kept("other/thesis.txt").as_str()), ("mine", "mine"));
    let names = std::fs::read_dir(cli.project()).expect("lists").flatten();
    let left = names.filter(|entry| entry.file_name().to_string_lossy().starts_with(".cki-site")).count();
    assert_eq!(left, 0, "no temporary directory is left");
}

#[test]
fn inventory_site_names_a_wrong_template() {
    let cli = cli();
    cli.write("templates/site/index.html", "<h1>{{ nothing }}</h1>");
    let outcome =
        cli.call("inventory site public").set("CKI_TEMPLATES", cli.project().join("templates")).end();
    outcome.ends_with(4).says("the template `site/index.html` is invalid");
    assert!(!cli.project().join("public").exists());
}

#[test]
fn inventory_site_serves_until_a_signal() {
    let cli = cli();
    let port = free_port();
    let mut served = cli.start(&format!("inventory site public --serve --port {port}"));
    served.until("until Ctrl-C");
    let address = format!("127.0.0.1:{port}");
    let mut stream = std::net::TcpStream::connect(&address).expect("connects");
    let request =
        format!("GET /component/service/web.html HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<h1>"), "{answer}");
    let taken = format!("inventory site second --serve --port {port}");
    cli.run(&taken).ends_with(6).says("cannot listen on port");
    assert!(!cli.project().join("second").exists());
    served.signal(Signal::SIGINT);
    served.end().ends_with(130);
}

/// Opens a site in a browser and returns what that saw.
fn seen(site: &Path) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(support::python());
    command.arg(root.join("tests/fixtures/site_in_a_browser.py")).arg(support::axe()).arg(site);
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

#[test]
#[ignore = "needs Chromium, CKI_TEST_AXE and CKI_TEST_PYTHON (bash tests/run)"]
fn inventory_site_works_in_a_browser() {
    let cli = cli();
    cli.run("inventory site public").ends_with(0);
    let site = cli.project().join("public").canonicalize().expect("is there");
    // Pages for the public have the same rules, wherever they are; the browser is the expensive part.
    let gitlab = stage_progress::requested();
    gitlab.advance(std::time::Duration::from_secs(600));
    let report = cli.call("stage report --mr group/failing!1 --html public/staging.html");
    let report = report.set("CKI_GITLAB_URL", gitlab.url()).set("CKI_GITLAB_TOKEN", "alice-not-a-real-token");
    report.end().ends_with(0);
    release_progress::write_page(&site.join("release.html"));
    let seen = seen(&site);
    let page = |path: &str| Value::from(site.join(path).display().to_string());
    assert!(seen["pages"].as_u64().is_some_and(|pages| pages > 15), "{seen}");
    for (what, meaning) in [
        ("axe", "every page is accessible"),
        ("complaints", "no page writes to the console"),
        ("requests", "no page asks another host"),
        ("wide", "every page fits a phone"),
    ] {
        assert_eq!(seen[what], json!([]), "{meaning}");
    }
    assert_eq!(
        (&seen["found"], &seen["search_leads_to"]),
        (&json!(["db"]), &page("component/storage/db.html"))
    );
    assert_eq!(seen["node_leads_to"], page("component/service/web.html"));
    assert_eq!(seen["filter"], json!({"shown": ["storage/db"], "grown": true}));
    assert_eq!(seen["without_script"], json!({"nodes": 3, "hidden": true}));
}
