//! Tests of `cki rfc new` with a clone, and with open merge requests on the stand-in for GitLab.

use std::fmt::Write as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::json;

use super::rfc::{MERGE_REQUESTS, cli, clone, documents, git};
use crate::support::cli::Cli;
use crate::support::ports::free_port;

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
