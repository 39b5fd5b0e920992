//! Tests of `cki stage status`, `watch`, `logs`, `list`, `cancel` and `report` through the real program: output, exit codes
//! and masking. What they find is tested in `gitlab::progress`, the reports in `gitlab::report`.

use cki::demo::gitlab::{ControlFile, StandIn, TimeScale};

use crate::support::cli::Cli;
use crate::support::stand_in::{ALICE, stand_in};

/// A secret that only this machine knows.
const HIDDEN: &str = "a-password-of-this-machine";

/// A stand-in with a request of Alice in `group/failing!1`, one of whose jobs writes a secret.
pub(super) fn requested() -> StandIn {
    let stand_in = stand_in(TimeScale::ByHand, |config| {
        let job = &mut config.scripts.get_mut("bad").expect("is there").jobs[1];
        job.log = format!("PASSWORD={HIDDEN} glpat-0123456789abcdefghij\n{}", job.log);
    });
    let (project, user) = ("group/failing".to_owned(), "alice".to_owned());
    let body = "@cki-ci-bot please test".to_owned();
    stand_in.control(ControlFile::Comment { project, iid: 1, user, body }).expect("is taken");
    stand_in
}

#[test]
fn stage_progress_is_shown_in_every_form() {
    let gitlab = requested();
    let mut cli = Cli::new();
    cli.set("CKI_GITLAB_URL", gitlab.url());
    cli.set("CKI_GITLAB_TOKEN", ALICE);
    cli.set("GITLAB_TOKEN", HIDDEN);
    cli.set("CKI_STAGE_INTERVAL", "1");
    let mr = "--mr group/failing!1";
    cli.run(&format!("stage status {mr}"))
        .ends_with(124)
        .says("Requested, no pipeline yet. `cki stage watch");
    gitlab.advance(std::time::Duration::from_secs(30));
    cli.run(&format!("stage cancel {mr} --dry-run"))
        .ends_with(0)
        .says("Nothing was canceled; 2 pipelines would be.");
    cli.run(&format!("stage cancel {mr} --yes")).ends_with(5).says("pipeline 620901 of `group/pipelines`");
    gitlab.advance(std::time::Duration::from_secs(600));
    let shown = cli.run(&format!("stage status {mr}")).ends_with(1).to_string();
    for line in [
        "group/failing !1  Breaks the build\nHead 1111111 · opened",
        "Requested by @alice ",
        "cki main   620901  ✔ success",
        "    build            ✘ failed",
        "cki c9s · build x86_64 · last lines of the log",
        "PASSWORD=•••••••• ••••••••",
        "hint: `cki stage logs --mr group/failing!1` shows more of the logs.",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let json = cli.run(&format!("stage status {mr} -o json")).ends_with(1);
    assert!(!json.stdout.contains(HIDDEN) && !json.stdout.contains("glpat-"), "{json}");
    let view = json.json();
    assert_eq!((view["state"].as_str(), view["request"]["by"].as_str()), (Some("failed"), Some("alice")));
    assert_eq!(view["pipelines"][1]["course"]["stages"][0]["status"], "failed");
    let watched = cli.run(&format!("stage watch {mr}")).ends_with(1);
    watched.says("1 of 2 pipelines failed.");
    cli.run(&format!("stage logs {mr} --job prepare")).ends_with(0).says("  prepared");
    cli.run(&format!("stage logs {mr} --job nothing")).ends_with(3).says("have no job `nothing`");
    cli.run("stage list --project group/failing")
        .ends_with(0)
        .says("✘ 1 of 2 failed")
        .says("1 of 1 open merge request");
    cli.run(&format!("stage report {mr} --html staging.html")).ends_with(0).says("Wrote ");
    let page = std::fs::read_to_string(cli.project().join("staging.html")).expect("is there");
    assert!(page.contains("Failed: 1 of 2") && page.contains("PASSWORD=••••••••"), "{page}");
    assert!(!page.contains(HIDDEN) && !page.contains("glpat-"), "{page}");
    let md = cli.run(&format!("stage report {mr} --markdown")).ends_with(0);
    assert!(md.stdout.contains("PASSWORD=••••••••") && !md.stdout.contains(HIDDEN), "{md}");
    let unconfirmed = cli.run(&format!("stage report {mr} --comment")).ends_with(2);
    unconfirmed.says("a comment needs a confirmation, and there is no terminal to ask on; add `--yes`");
    cli.run(&format!("stage report {mr} --comment --yes")).ends_with(0).says("Posted comment ");
    cli.run(&format!("stage report {mr} --comment --yes")).ends_with(0).says("comment ");
    let comments = gitlab.comments("group/failing", 1);
    assert_eq!(comments.iter().filter(|(_, user, _)| user == "alice").count(), 2, "{comments:?}");

    // Without a token, the same commands show what everybody may see.
    cli.set("CKI_GITLAB_TOKEN", "");
    cli.set("GITLAB_TOKEN", "");
    cli.run(&format!("stage status {mr}")).ends_with(3).says("Without a token for http://127.0.0.1:");
    cli.run(&format!("stage report {mr} --html public.html")).ends_with(0);
    cli.run(&format!("stage report {mr} --comment --yes")).ends_with(5).says("needs a token");
    cli.run("stage status").ends_with(2).says("`cki stage status` needs `<MR>`");
    cli.run("stage --mr 213 status").ends_with(2).says("`status` comes right after `stage`");
}
