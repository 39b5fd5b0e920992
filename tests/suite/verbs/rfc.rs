//! Tests of `cki rfc list`, `show` and `check` with a clone, and with open merge requests on the stand-in for GitLab. Those
//! of `cki rfc new` are in `rfc_new`.

use std::path::PathBuf;
use std::process::Command;

use cki::demo::gitlab::{StandIn, StandInConfig, StandInOptions, TimeScale};
use insta::assert_snapshot;
use serde_json::json;

use crate::support::cli::Cli;
use crate::support::git_command;
use crate::support::ports::free_port;
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
title: Sample
repos: {documentation: '{served}/docs.git'}
rfcs:
  repo: documentation
  directory: content/rfcs
  prefix: CKI
  sections: [Abstract, Motivation, Approach]
  project: group/docs
components: [{name: a, category: service, description: A., documentation: [{label: d, url: 'https://x.example'}]}]
";

const FIRST: &str = "---
title: \"CKI-001: Feedback mechanism\"
description: How to ask for feedback.
author: Ann
merge_request: group/docs!49
status: accepted
---

## Abstract

See [the second one](cki-002-logs.md), and `cki rfc`.

## Motivation

- Chats are missed.

## Approach

| Step | Who |
|------|-----|
| Ask  | all |
";

const SECOND: &str = "---
title: \"CKI-002: Logs\"
author: Ben
merge_request: group/docs!50
---
## Abstract
Text \u{1b}[31mred\u{1b}[0m.
## Motivation
Text
## Approach
Text
";

/// Open merge requests: one whose time runs, one whose time is over and that has another file of the same number, one
/// that says its number in the branch only, and one without any. Closed ones and changed files do not count.
pub(super) const MERGE_REQUESTS: &str = "
      - {iid: 51, title: 'CKI-003: Keep logs', author: alice, source_branch: keep, created_at: '2999-01-01T00:00:00.000Z', adds: [content/rfcs/cki-003-keep-logs.md], unresolved: true}
      - {iid: 52, title: \"Draft: CKI-003: Drop \\e[31mlogs\", author: bob, source_branch: drop, created_at: '2020-01-01T00:00:00.000Z', adds: [content/rfcs/cki-003-drop-logs.md, x.md]}
      - {iid: 53, title: 'Write to a file', author: bob, source_branch: cki-005-files, created_at: rubbish}
      - {iid: 54, title: 'Mend CKI-001', author: bob, source_branch: typo, changes: [content/rfcs/cki-001-feedback.md]}
      - {iid: 55, title: 'CKI-004: Withdrawn', author: bob, source_branch: cki-004-withdrawn, state: closed, adds: [content/rfcs/cki-004-withdrawn.md]}
      - {iid: 56, title: 'CKI-9999999999: rubbish, CKI-000', author: bob, source_branch: cki-x, adds: [content/rfcs/cki-99999999999-x.md, ../../etc/passwd]}
";

/// A stand-in with these merge requests of `group/docs`.
fn gitlab(merge_requests: &str) -> StandIn {
    let text = format!(
        "version: 18.5.1-ee\nrevision: 0123456789a\n\
         users: [{{username: alice, name: Alice}}, {{username: bob, name: Bob}}]\n\
         projects:\n  - path: group/docs\n    files: [content/rfcs/_index.md, content/rfcs/cki-001-feedback.md, content/rfcs/cki-002-logs.md, README.md]\n    \
         merge_requests:{merge_requests}"
    );
    let config = StandInConfig::parse("gitlab.yaml", &text).expect("is valid");
    // The time for feedback of a merge request without a date begins now: `cki` compares it with the clock.
    let began = jiff::Timestamp::now();
    StandIn::start(StandInOptions { config, pace: TimeScale::ByHand, began, port: 0 }).expect("starts")
}

/// A clone of a repository with these documents, and a stand-in.
pub(super) fn cli(files: &[(&str, &str)], merge_requests: &str) -> (Cli, StandIn) {
    let mut cli = Cli::new();
    let stand_in = gitlab(merge_requests);
    cli.set("CKI_GITLAB_URL", stand_in.url());
    cli.set("GIT_AUTHOR_NAME", "Carl");
    cli.set("GIT_AUTHOR_EMAIL", "carl@example.com");
    let served = Repositories::new(&cli);
    served.commit("docs", files);
    drop(served);
    cli.inventory(INVENTORY);
    cli.run("clone --repo documentation").ends_with(0);
    (cli, stand_in)
}

pub(super) fn documents() -> Vec<(&'static str, &'static str)> {
    vec![
        ("content/rfcs/_index.md", "# RFCs\n"),
        ("content/rfcs/cki-001-feedback.md", FIRST),
        ("content/rfcs/cki-002-logs.md", SECOND),
        ("content/rfcs/cki-xxx-template.md", "# CKI-XXX: Title\n"),
    ]
}

pub(super) fn clone(cli: &Cli) -> PathBuf {
    cli.workspace().join("documentation")
}

/// The output of `git` in the clone.
pub(super) fn git(cli: &Cli, words: &[&str]) -> String {
    let mut command: Command = git_command(cli.directory());
    let output = command.arg("-C").arg(clone(cli)).args(words).output().expect("runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("is text")
}

#[test]
fn rfc_list_shows_documents_and_open_merge_requests() {
    let (mut cli, stand_in) = cli(&documents(), MERGE_REQUESTS);
    assert_snapshot!(cli.run("rfc list"), @"
    CKI-001  accepted                             Feedback mechanism  !49  Ann
    CKI-002  merged                               Logs                !50  Ben
    CKI-003  open until 2999-01-08, open threads  Keep logs           !51  Alice
    CKI-003  due since 2020-01-08, draft          Drop logs           !52  Bob
    CKI-005  open                                 Write to a file     !53  Bob
    --- stderr
    5 requests for comments · 5 open merge requests on http://127.0.0.1:~PORT · clone: /tmp/cki-TESTID/home/cki/documentation
    warning: Several have the number CKI-003: !51 and !52.
    --- exit 0
    ");
    assert_snapshot!(cli.run("rfc list -o wide --state open,accepted"), @"
    ID       STATE     FEEDBACK UNTIL  OPEN     TITLE               AUTHOR  MERGE REQUEST                                          PATH
    CKI-001  accepted  –               –        Feedback mechanism  Ann     group/docs!49                                          content/rfcs/cki-001-feedback.md
    CKI-003  open      2999-01-08      threads  Keep logs           Alice   http://127.0.0.1:~PORT/group/docs/-/merge_requests/51  content/rfcs/cki-003-keep-logs.md
    CKI-005  open      –               –        Write to a file     Bob     http://127.0.0.1:~PORT/group/docs/-/merge_requests/53  –
    --- stderr
    3 of 5 requests for comments · 5 open merge requests on http://127.0.0.1:~PORT · clone: /tmp/cki-TESTID/home/cki/documentation
    warning: Several have the number CKI-003: !51 and !52.
    --- exit 0
    ");
    let narrow = cli.call("rfc list bob").terminal(60).set("NO_COLOR", "1").end().ends_with(0);
    assert!(narrow.stdout.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert_eq!(cli.run("rfc list -o name --state due").stdout, "CKI-003\n");
    let shown = cli.run("rfc list -o json keep").ends_with(0).json();
    assert_eq!((&shown["total"], shown["rfcs"].as_array().map(Vec::len)), (&json!(5), Some(1)));
    assert_eq!(
        shown["rfcs"][0],
        json!({
            "id": "CKI-003", "number": 3, "title": "Keep logs", "state": "open", "status": null, "author": "Alice",
            "merge_request": "!51", "url": format!("{}/group/docs/-/merge_requests/51", stand_in.url()),
            "feedback": {"from": "2999-01-01T00:00:00Z", "until": "2999-01-08T00:00:00Z"},
            "draft": false, "unresolved_threads": true, "path": "content/rfcs/cki-003-keep-logs.md", "clashes": ["!52"],
        })
    );
    cli.run("rfc list --state mergd").ends_with(2).says("a state that there is: `merged`");

    let before = stand_in.requests().len();
    let offline = cli.run("rfc list --offline").ends_with(0);
    assert!(offline.stdout.contains("CKI-002") && !offline.stdout.contains("CKI-003"), "{offline}");
    offline.says("Open merge requests are not in this list");
    assert_eq!(stand_in.requests().len(), before, "nothing is asked");
    cli.set("CKI_GITLAB_URL", format!("http://127.0.0.1:{}", free_port()));
    let silent = cli.run("rfc list").ends_with(0).says("cannot reach");
    assert!(silent.stdout.contains("CKI-001"), "{silent}");
    cli.inventory(&format!("{INVENTORY}# Changed by somebody else.\n"));
    let untrusted = cli.call("rfc list").untrusting().end();
    untrusted.ends_with(0).says("are not trusted yet");
}

#[test]
fn rfc_list_needs_a_clone_and_an_inventory_that_names_it() {
    let cli = Cli::new();
    cli.place("served", "https://gitlab.example/group");
    cli.inventory(INVENTORY);
    assert_snapshot!(cli.run("rfc list"), @"
    --- stderr
    error: the repository `documentation` of requests for comments is not cloned.
    hint: `cki clone --repo documentation`.
    --- exit 3
    ");
    for command in ["rfc show 1", "rfc check", "rfc new title --offline"] {
        cli.run(command).ends_with(3).says("`cki clone --repo documentation`");
    }
    cli.inventory("title: Other\ncomponents: []\n");
    assert_snapshot!(cli.run("rfc list"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml: it has no `components`; to read files `CATEGORY/NAME.yaml`, name their directory as the inventory
    error: the inventory Other, /tmp/cki-TESTID/project/inventory.yaml does not say where requests for comments are.
    hint: name their repository, directory and prefix in `rfcs` of the inventory; `cki help inventory` describes it.
    --- exit 3
    ");
    cli.inventory("title: Other\nrfcs: {repo: x, directory: ../.., prefix: A}\ncomponents: []\n");
    assert_snapshot!(cli.run("rfc check"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:2:8: there is no repository `x`
    warning: /tmp/cki-TESTID/project/inventory.yaml: it has no `components`; to read files `CATEGORY/NAME.yaml`, name their directory as the inventory
    error: /tmp/cki-TESTID/project/inventory.yaml:2: `rfcs.directory` leads out of the repository.
    hint: `cki help inventory` describes `rfcs`.
    --- exit 4
    ");
    cli.run("clone --repo documentatoin").ends_with(3).says("the inventory has no repository");
}

#[test]
fn rfc_show_renders_a_document() {
    let (cli, _stand_in) = cli(&documents(), "\n      []\n");
    let shown = cli.call("rfc show CKI-001").terminal(60).set("PAGER", "cat").set("NO_COLOR", "1").end();
    assert_snapshot!(shown, @"
    content/rfcs/cki-001-feedback.md · accepted · Ann ·
    group/docs!49
    CKI-001: Feedback mechanism

    How to ask for feedback.

    Abstract

    See the second one, and `cki rfc`.

    Motivation

    - Chats are missed.

    Approach

    Step  Who
    Ask   all
    --- exit 0
    ");
    assert_snapshot!(cli.run("rfc show 2"), @"
    content/rfcs/cki-002-logs.md · Ben · group/docs!50
    CKI-002: Logs

    ## Abstract
    Text red.
    ## Motivation
    Text
    ## Approach
    Text
    --- exit 0
    ");
    let json = cli.run("rfc show 1 -o json").ends_with(0).json();
    assert_eq!(
        (&json["title"], &json["sections"], &json["status"]),
        (&json!("Feedback mechanism"), &json!(["Abstract", "Motivation", "Approach"]), &json!("accepted"))
    );
    assert_snapshot!(cli.run("rfc show 21"), @"
    --- stderr
    error: the clone has no CKI-021.
    hint: did you mean `CKI-001` or `CKI-002`?
    --- exit 3
    ");
    for rubbish in ["0", "-- -1", "1.5", "CKI-", "99999999999999999999", "\u{1b}[31m1"] {
        cli.run(&format!("rfc show {rubbish}")).ends_with(2);
    }
}

#[test]
fn rfc_check_finds_faults_and_reads_nothing_outside() {
    let (cli, _stand_in) = cli(&documents(), "\n      []\n");
    cli.run("rfc check").ends_with(0).says("no findings · 2 documents");
    let rfcs = clone(&cli).join("content/rfcs");
    std::fs::write(cli.directory().join("secret.md"), "# CKI-006: secret\n").expect("writes");
    std::os::unix::fs::symlink(cli.directory().join("secret.md"), rfcs.join("cki-006-link.md"))
        .expect("links");
    std::fs::write(rfcs.join("cki-007-huge.md"), vec![b'x'; (1 << 20) + 1]).expect("writes");
    std::fs::write(rfcs.join("cki-008-bytes.md"), [0xff, 0xfe, 0x00]).expect("writes");
    std::fs::write(rfcs.join("cki-99999999999-x.md"), SECOND).expect("writes");
    std::fs::write(
        rfcs.join("cki-002-again.md"),
        SECOND.replace("## Motivation", "[x](gone.md#a)\n## Other"),
    )
    .expect("writes");
    std::fs::create_dir(rfcs.join("cki-009-empty-directory")).expect("makes");
    let found = cli.run("rfc check").ends_with(1);
    assert!(!found.stdout.contains("secret\n"), "{found}");
    assert_snapshot!(found, @"
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-002-again.md:1:1: duplicate-number: `cki-002-logs.md` has the number CKI-002, too
        fix: renumber the newer one to CKI-010, in its name and its title
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-002-again.md:8:1: broken-link: there is no file `gone.md#a`
        fix: mend the path, or add the file to the repository
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-002-again.md:11:1: missing-section: the section `Motivation` is missing
        fix: add it before `Approach`
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-002-logs.md:1:1: duplicate-number: `cki-002-again.md` has the number CKI-002, too
        fix: renumber the newer one to CKI-010, in its name and its title
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-006-link.md:1:1: unread-document: a link leads out of the clone
        fix: make it a text file of the repository, of at most 1 MiB
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-007-huge.md:1:1: unread-document: it is longer than 1048576 bytes
        fix: make it a text file of the repository, of at most 1 MiB
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-008-bytes.md:1:1: unread-document: it is no text in UTF-8, from line 1, column 1 on
        fix: make it a text file of the repository, of at most 1 MiB
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-009-empty-directory/index.md:1:1: unread-document: it is missing
        fix: make it a text file of the repository, of at most 1 MiB
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-99999999999-x.md:1:1: invalid-name: `cki-99999999999-x.md` has no valid number and words
        fix: rename it, as in `cki-001-words-of-the-title.md`
    --- stderr
    9 errors · 8 documents · clone: /tmp/cki-TESTID/home/cki/documentation
    --- exit 1
    ");
    let narrow = cli.call("rfc check 2").terminal(60).set("NO_COLOR", "1").end().ends_with(1);
    assert_snapshot!(narrow.stdout.lines().take(4).collect::<Vec<_>>().join("\n"), @"
    ~/cki/documentation/content/rfcs/cki-002-again.md:1:1:
        duplicate-number: `cki-002-logs.md` has the number
        CKI-002, too
        fix: renumber the newer one to CKI-010, in its name and
    ");
    let json = cli.run("rfc check -o json").ends_with(1).json();
    assert_eq!((&json["documents"], json["findings"].as_array().map(Vec::len)), (&json!(8), Some(9)));
    let sarif: serde_json::Value =
        serde_json::from_str(&cli.run("rfc check -o sarif").ends_with(1).stdout).expect("is JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "duplicate-number");
    let location = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(location, "content/rfcs/cki-002-again.md");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("has rules").clone();
    let index = usize::try_from(result["ruleIndex"].as_u64().expect("is a number")).expect("fits");
    assert_eq!(rules[index]["id"], "duplicate-number");
    let gitlab: serde_json::Value =
        serde_json::from_str(&cli.run("rfc check 2 -o gitlab").ends_with(1).stdout).expect("is JSON");
    assert_eq!(gitlab[0]["location"]["path"], "content/rfcs/cki-002-again.md");
    cli.run("rfc show 6").ends_with(1).says("a link leads out of the clone");
    cli.run("rfc list --offline").ends_with(0).says("Several have the number CKI-002");
    std::fs::remove_dir_all(clone(&cli).join("content")).expect("removes");
    // What is not checked out is read from the newest commit.
    cli.run("rfc show 1").ends_with(0).says("Chats are missed");
    cli.run("rfc check").ends_with(0).says("2 documents");
    cli.write("cki.toml", "inventory = 'inventory.yaml'\n");
    cli.inventory(&INVENTORY.replace("content/rfcs", "elsewhere"));
    cli.run("rfc check").ends_with(3).says("has no directory `elsewhere`");
    cli.run("rfc list --offline").ends_with(0).says("has no directory `elsewhere`");
}
