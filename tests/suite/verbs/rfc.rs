//! Tests of `cki rfc` with a clone, and with open merge requests on the stand-in for GitLab.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
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
const MERGE_REQUESTS: &str = "
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
    let began = "2026-11-22T10:00:00Z".parse().expect("is a time");
    StandIn::start(StandInOptions { config, pace: TimeScale::ByHand, began, port: 0 }).expect("starts")
}

/// A clone of a repository with these documents, and a stand-in.
fn cli(files: &[(&str, &str)], merge_requests: &str) -> (Cli, StandIn) {
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

fn documents() -> Vec<(&'static str, &'static str)> {
    vec![
        ("content/rfcs/_index.md", "# RFCs\n"),
        ("content/rfcs/cki-001-feedback.md", FIRST),
        ("content/rfcs/cki-002-logs.md", SECOND),
        ("content/rfcs/cki-xxx-template.md", "# CKI-XXX: Title\n"),
    ]
}

fn clone(cli: &Cli) -> PathBuf {
    cli.workspace().join("documentation")
}

/// The output of `git` in the clone.
fn git(cli: &Cli, words: &[&str]) -> String {
    let mut command: Command = git_command(cli.directory());
    let output = command.arg("-C").arg(clone(cli)).args(words).output().expect("runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("is text")
}

/// All files of a directory with their content, and the state of the repository.
fn state(cli: &Cli) -> String {
    let files = |path: &Path| std::fs::read(path).expect("reads");
    let mut state = git(cli, &["status", "--porcelain", "--branch"]);
    let _ = write!(state, "{}", git(cli, &["ls-files", "--stage"]));
    for name in git(cli, &["ls-files", "--others", "--cached"]).lines() {
        let _ = write!(state, "{name} {:?}", files(&clone(cli).join(name)));
    }
    state
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
fn rfc_new_creates_a_branch_of_the_next_free_number() {
    let (mut cli, stand_in) = cli(&documents(), MERGE_REQUESTS);
    let directory = clone(&cli);
    // Uncommitted work of each kind stays as it is.
    std::fs::write(directory.join("content/rfcs/_index.md"), "changed\n").expect("writes");
    std::fs::write(directory.join("content/rfcs/mine.md"), "mine\n").expect("writes");
    std::fs::write(directory.join("staged.md"), "staged\n").expect("writes");
    git(&cli, &["add", "staged.md"]);
    let before = state(&cli);
    let dry = cli.run("rfc new 'Better \"logs\"' -n").ends_with(0);
    assert_snapshot!(dry, @r#"
    CKI-004 Better "logs"
      branch  cki-004-better-logs, from origin/main
      file    content/rfcs/cki-004-better-logs.md
      number  free in the clone, on http://127.0.0.1:~PORT and in 5 open merge requests
              CKI-003 is taken by merge request !51

    ---
    title: "CKI-004: Better \"logs\""
    description: >-
      One sentence about it.
    author: "Carl"
    # group/docs!N, when the merge request is open:
    merge_request:
    ---

    ## Abstract

    <!-- Abstract of CKI-004. -->

    ## Motivation

    <!-- Motivation of CKI-004. -->

    ## Approach

    <!-- Approach of CKI-004. -->
    --- stderr
    Nothing was created: this was a dry run.
    --- exit 0
    "#);
    assert!(!git(&cli, &["branch"]).contains("cki-"), "{dry}");

    let made = cli.run("rfc new 'Better \"logs\"' -o json").ends_with(0).json();
    assert_eq!((&made["id"], &made["branch"]), (&json!("CKI-004"), &json!("cki-004-better-logs")));
    assert_eq!(made["checked_on_server"], stand_in.url());
    assert_eq!(state(&cli), before, "the working tree, the index and the branch are as they were");
    let path = made["path"].as_str().expect("is a path");
    assert_eq!(git(&cli, &["show", &format!("cki-004-better-logs:{path}")]), made["text"]);
    assert_eq!(
        git(&cli, &["log", "-1", "--format=%an <%ae> %s", "cki-004-better-logs"]),
        "Carl <carl@example.com> CKI-004: Better \"logs\"\n"
    );
    assert_eq!(git(&cli, &["diff", "--name-only", "main", "cki-004-better-logs"]), format!("{path}\n"));

    // The branch that nobody has pushed yet has its number, as a merge request would.
    let made = cli.run("rfc new 'CKI-001: Even better'").to_string();
    assert_snapshot!(made.replace(git(&cli, &["rev-parse", "--short=7", "cki-006-even-better"]).trim(), "COMMIT"), @"
    CKI-006 Even better
      branch  cki-006-even-better at COMMIT, from origin/main
      file    content/rfcs/cki-006-even-better.md
      number  free in the clone, on http://127.0.0.1:~PORT and in 5 open merge requests
              CKI-003 is taken by merge request !51
              CKI-004 is taken by the branch `cki-004-better-logs`
              CKI-005 is taken by merge request !53
    --- stderr
    The working tree is unchanged. Next:
      git -C /tmp/cki-TESTID/home/cki/documentation switch cki-006-even-better
      edit content/rfcs/cki-006-even-better.md
      git -C /tmp/cki-TESTID/home/cki/documentation commit --all --amend
      git -C /tmp/cki-TESTID/home/cki/documentation push --set-upstream origin cki-006-even-better
      open http://127.0.0.1:~PORT/group/docs/-/merge_requests/new?merge_request%5Bsource_branch%5D=cki-006-even-better&merge_request%5Btitle%5D=CKI-006%3A%20Even%20better
    --- exit 0
    ");
    git(&cli, &["stash", "--include-untracked"]);
    git(&cli, &["switch", "cki-004-better-logs"]);
    let found = cli.run("rfc check 4").ends_with(1);
    assert_snapshot!(found, @"
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-004-better-logs.md:1:1: no-merge-request: it names no merge request
        fix: add `merge_request: group/docs!N` to the front matter when the merge request is open
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-004-better-logs.md:10:1: empty-section: the section `Abstract` is empty
        fix: write it, or say that there is nothing to say
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-004-better-logs.md:14:1: empty-section: the section `Motivation` is empty
        fix: write it, or say that there is nothing to say
    /tmp/cki-TESTID/home/cki/documentation/content/rfcs/cki-004-better-logs.md:18:1: empty-section: the section `Approach` is empty
        fix: write it, or say that there is nothing to say
    --- stderr
    4 warnings · 1 document · clone: /tmp/cki-TESTID/home/cki/documentation
    --- exit 1
    ");
    cli.run("rfc show 4").ends_with(0).says("not on the default branch");
    cli.run("rfc list --state local").ends_with(0).says("CKI-004  local");

    cli.set("CKI_GITLAB_URL", format!("http://127.0.0.1:{}", free_port()));
    assert_snapshot!(cli.run("rfc new Third"), @"
    --- stderr
    error: cannot check the number against merge requests: cannot reach `http://127.0.0.1:~PORT`: Connection refused (os error 111).
    hint: `cki config` shows the setting that names the server, and `cki doctor` asks it; `cki demo serve` starts that of a retained demo.
    hint: nothing was created; with `--offline`, the number is checked against the clone only.
    --- exit 6
    ");
    let offline = cli.run("rfc new Third --offline").ends_with(0);
    assert!(offline.stdout.starts_with("CKI-003 Third"), "{offline}");
    offline.says("checked against the clone only");
    cli.run("rfc new ''").ends_with(2).says("the title is empty");
    cli.set("GIT_AUTHOR_NAME", "");
    cli.run("rfc new Fourth --offline").ends_with(4).says("git config --global user.name");
}

#[test]
fn rfc_new_reads_all_of_a_thousand_merge_requests() {
    let mut many = String::new();
    for iid in 1..=1000 {
        let (title, adds) = match iid {
            // The oldest ones, beyond those whose changes are read.
            1 => ("CKI-003: First".to_owned(), ""),
            2 => ("Two".to_owned(), "content/rfcs/cki-004-unread.md"),
            999 => ("A title without a number".to_owned(), "content/rfcs/cki-005-late.md"),
            other => (format!("Number {other}"), "x.md"),
        };
        let _ = write!(
            many,
            "\n      - {{iid: {iid}, title: '{title}', author: bob, source_branch: b{iid}, adds: ['{adds}']}}"
        );
    }
    let (cli, stand_in) = cli(&documents(), &format!("{many}\n"));
    let made = cli.run("rfc new Next -n").ends_with(0);
    assert!(made.stdout.starts_with("CKI-004 Next"), "{made}");
    let made = made.says("CKI-003 is taken by merge request !1").says("in 1000 open merge requests");
    made.says("of 800, only titles and branches were read");
    let requests = stand_in.requests();
    let lists = requests.iter().filter(|request| request.ends_with("/merge_requests")).count();
    let changes = requests.iter().filter(|request| request.ends_with("/diffs")).count();
    assert_eq!((lists, changes), (10, 200));
    let listed = cli.run("rfc list --state open").ends_with(0).says("The changes of 800 merge requests");
    assert!(listed.stdout.contains("CKI-005") && listed.stdout.contains("CKI-003"), "{listed}");
}

#[test]
fn rfc_new_knows_numbers_that_only_the_server_has() {
    let (cli, _stand_in) = cli(&documents()[..2], "\n      []\n");
    let made = cli.run("rfc new Next").ends_with(0).says("the clone lacks CKI-002");
    assert!(made.stdout.starts_with("CKI-003 Next"), "{made}");
    cli.run("rfc list").ends_with(0).says("the server has CKI-002, which the clone lacks");
}

#[test]
fn rfc_show_renders_a_document() {
    let (cli, _stand_in) = cli(&documents(), "\n      []\n");
    let shown = cli.call("rfc show CKI-001").terminal(60).set("PAGER", "cat").set("NO_COLOR", "1").end();
    assert_snapshot!(shown, @"
    content/rfcs/cki-001-feedback.md · accepted · Ann · group/docs!49
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
