//! Tests of `cki build`: the files in an image, its labels, and builds with nothing to do.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::network_targets::{ArrivalCount, ThisMachine};
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
repos: {tools: '{served}/tools.git'}
components:
  - name: plain
    category: job
    kind: job
    build: {repo: tools, args: {GREETING: hello}}
    run: {command: [sh, -c, 'cd /code; find . -type f | sort; cat /greeting']}
  - name: made
    category: job
    kind: job
    build: {repo: tools, file: builds/made.in}
    run: {command: [cat, /made]}
  - {name: failing, category: job, build: {repo: tools, file: builds/failing}}
  - {name: slow, category: job, build: {repo: tools, file: builds/slow}}
  - {name: absent, category: job, build: {repo: tools, file: builds/absent}}
  - {name: outside, category: job, build: {repo: tools, file: ../../etc/passwd}}
  - {name: nowhere, category: job, kind: job, image: registry.example.org/x}
";

const FILES: [(&str, &str); 11] = [
    ("Dockerfile", "FROM {busybox}\nARG GREETING=none\nRUN echo \"$GREETING\" > /greeting\nCOPY . /code\n"),
    (".dockerignore", "*.secret\n!kept.secret\nbuilds\n# a comment\n**/*.pyc\n"),
    ("main.sh", "echo main\n"),
    ("one.secret", "hunter2"),
    ("kept.secret", "harmless"),
    ("deep/cache.pyc", "x"),
    ("deep/code.py", "x"),
    ("builds/made.in", "#define WHO cki\n#include \"snippet\"\nRUN echo made by WHO > /made\n"),
    ("builds/snippet", "/* what all have in common */\nFROM {busybox}\n"),
    ("builds/failing", "FROM {busybox}\nRUN echo doing; echo what it says >&2; exit 7\n"),
    (
        "builds/slow",
        "FROM {busybox}\nLABEL layer={id}\nRUN echo {id} >/made\nRUN echo {id} has begun; sleep 4\n",
    ),
];

fn repositories(cli: &Cli) -> Repositories<'_> {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    cli.inventory(INVENTORY);
    repositories
}

fn commit(cli: &Cli) -> String {
    let head = cli.workspace().join("tools/.git/refs/heads/main");
    std::fs::read_to_string(head).expect("is cloned").trim().to_owned()
}

on!(docker, podman: build_skips_unchanged_sources);
fn build_skips_unchanged_sources(cli: &Cli) {
    let repositories = repositories(cli);
    // What the engine says of its steps is its own; that it comes is enough.
    cli.run("build plain").ends_with(0).says("RUN echo \"$GREETING\" > /greeting");
    assert_snapshot!(cli.run("build plain"), @"
    localhost/cki/plain:COMMIT1
    --- stderr
      source       /tmp/cki-TESTID/home/cki/tools  main COMMIT1
      image        localhost/cki/plain:COMMIT1  unchanged
    Unchanged: these sources were built before. Run it with `cki run-local plain`.
    --- exit 0
    ");
    assert_snapshot!(cli.run("build plain -o json"), @r#"
    {
      "schema_version": 2,
      "component": "plain",
      "image": "localhost/cki/plain:COMMIT1",
      "id": "sha256:DIGEST",
      "commit": "COMMIT1",
      "dirty": false,
      "unchanged": true
    }
    --- stderr
      source       /tmp/cki-TESTID/home/cki/tools  main COMMIT1
      image        localhost/cki/plain:COMMIT1  unchanged
    --- exit 0
    "#);
    let image = format!("localhost/cki/plain:{}", &commit(cli)[..7]);
    let labels = cli.bench().image(&image).expect("was built");
    assert_eq!(labels["cki.component"], "job/plain");
    assert_eq!(labels["cki.commit"], commit(cli));
    assert_eq!(labels["cki.dirty"], "false");
    assert!(!labels.contains_key("cki.run"), "an image is not part of a run");
    // Selectors choose those that can be built, one after the other.
    assert_snapshot!(cli.run("build kind=job nowhere"), @"
    --- stderr
    error: the inventory does not say how `nowhere` is built: its entry has no `build` section and names the image `registry.example.org/x`.
    hint: `cki run-local nowhere` runs the image as it is.
    --- exit 4
    ");
    assert_snapshot!(cli.run("build kind=job category!=service -q"), @"
    localhost/cki/made:COMMIT1
    localhost/cki/plain:COMMIT1
    --- exit 0
    ");
    cli.run("build kind=job")
        .ends_with(0)
        .says("as their entries have no `build` section: `nowhere`.")
        .says("2 images: 0 built, 2 unchanged.");
    assert_snapshot!(cli.run("build plain absent made -q -o json"), @r#"
    {
      "schema_version": 2,
      "images": [
        {
          "component": "plain",
          "image": "localhost/cki/plain:COMMIT1",
          "id": "sha256:DIGEST",
          "commit": "COMMIT1",
          "dirty": false,
          "unchanged": true
        }
      ]
    }
    --- stderr
      image        not finished
    error: there is no build file `/tmp/cki-TESTID/home/cki/tools/builds/absent`.
    hint: /tmp/cki-TESTID/project/inventory.yaml:15 says which file it is.
    --- exit 3
    "#);
    assert_snapshot!(cli.run("build kind=job --tag x"), @"
    --- stderr
    hint: Left out, as their entries have no `build` section: `nowhere`.
    error: `--tag` names one image, and this builds 2 images.
    hint: `cki build --help` shows its usage.
    --- exit 2
    ");
    // Steps again, on request only; and another name.
    let again = cli.run("build plain --no-cache --tag localhost/cki/plain:try-{id} -q").ends_with(0);
    assert_eq!(again.stdout.trim(), image);
    assert!(cli.bench().image(&cli.fill("localhost/cki/plain:try-{id}")).is_some());
    // New commits come by `cki clone`, not by surprise.
    repositories.commit("tools", &FILES[..2]);
    cli.run("build plain").ends_with(0).says("unchanged");
    cli.run("clone plain").ends_with(0);
    assert_snapshot!(cli.run("build plain -q"), @"
    localhost/cki/plain:COMMIT2
    --- exit 0
    ");
}

on!(docker, podman: build_applies_dockerignore_and_marks_dirty_sources);
fn build_applies_dockerignore_and_marks_dirty_sources(cli: &Cli) {
    let _repositories = repositories(cli);
    let files = cli.run("run-local plain").ends_with(0).stdout;
    let files: Vec<_> = files.lines().filter(|line| !line.starts_with("./.git/")).collect();
    let wanted = ["./.dockerignore", "./Dockerfile", "./deep/code.py", "./kept.secret", "./main.sh", "hello"];
    assert_eq!(files, wanted);
    // Ignored files do not count as changes of the image's sources; others do.
    std::fs::write(cli.workspace().join("tools/main.sh"), "echo changed").expect("writes");
    let dirty = cli.run("build plain -q");
    assert_snapshot!(dirty, @"
    localhost/cki/plain:COMMIT1-dirty-STATE
    --- exit 0
    ");
    assert_eq!(cli.run("build plain -q").stdout, dirty.stdout, "the same state has the same name");
    assert_eq!(cli.bench().image(dirty.stdout.trim()).expect("was built")["cki.dirty"], "true");
    std::fs::write(cli.workspace().join("tools/main.sh"), "echo changed again").expect("writes");
    assert_ne!(cli.run("build plain -q").stdout, dirty.stdout);
}

on!(docker, podman: build_preprocesses_in_files);
fn build_preprocesses_in_files(cli: &Cli) {
    let _repositories = repositories(cli);
    assert_snapshot!(cli.run("run-local made"), @"
    made by cki
    --- stderr
      tools        cloned, at COMMIT1 (main)
      source       /tmp/cki-TESTID/home/cki/tools  main COMMIT1
      build        open: its steps reach everything that this machine reaches
      image        localhost/cki/made:COMMIT1  built
      env          no variables
      network      isolated: it reaches nothing
    ✔ `made` ended after TIME, nothing left behind.
    --- exit 0
    ");
    let no_cpp = cli.call("build made").set("PATH", cli.directory()).end();
    assert_snapshot!(no_cpp, @"
    --- stderr
      source       /tmp/cki-TESTID/home/cki/tools  main COMMIT1
      image        not finished
    error: `/tmp/cki-TESTID/home/cki/tools/builds/made.in` goes through the C preprocessor, and there is no `cpp` in PATH.
    hint: `cki doctor` prints the command that installs `cpp`.
    --- exit 3
    ");
}

on!(docker, podman: build_mr_builds_the_merge_request);
fn build_mr_builds_the_merge_request(cli: &Cli) {
    let repositories = repositories(cli);
    let mut files = FILES.to_vec();
    files[0].1 = "FROM {busybox}\nRUN mkdir /code; echo from the merge request > /greeting\n";
    let head = repositories.commit_to("tools", "refs/merge-requests/213/head", &files);
    let built = cli.run("build plain --mr 213 -q");
    assert_snapshot!(built, @"
    localhost/cki/plain:mr-213-COMMIT2
    --- stderr
    warning: `/tmp/cki-TESTID/home/cki/tools` is at merge request !213; `git -C /tmp/cki-TESTID/home/cki/tools switch main` goes back.
    --- exit 0
    ");
    let labels = cli.bench().image(built.stdout.trim()).expect("was built");
    assert_eq!((labels["cki.merge-request"].as_str(), &labels["cki.commit"]), ("213", &head.to_string()));
    assert_snapshot!(cli.run("run-local plain --mr 213"), @"
    from the merge request
    --- stderr
      tools        unchanged
    warning: `/tmp/cki-TESTID/home/cki/tools` is at merge request !213; `git -C /tmp/cki-TESTID/home/cki/tools switch main` goes back.
      source       /tmp/cki-TESTID/home/cki/tools  mr-213 COMMIT2
      image        localhost/cki/plain:mr-213-COMMIT2  unchanged
      env          no variables
      network      isolated: it reaches nothing
    ✔ `plain` ended after TIME, nothing left behind.
    --- exit 0
    ");
    assert_snapshot!(cli.run("build plain --mr 214"), @"
    --- stderr
      tools        not updated
    error: `file:///tmp/cki-TESTID/served/tools.git` has no merge request !214.
    hint: look at its number on the server again.
    --- exit 3
    ");
    std::fs::write(cli.workspace().join("tools/main.sh"), "mine").expect("writes");
    repositories.commit_to("tools", "refs/merge-requests/213/head", &FILES);
    assert_snapshot!(cli.run("build plain --mr 213 -q"), @"
    --- stderr
    warning: `/tmp/cki-TESTID/home/cki/tools` is at merge request !213; `git -C /tmp/cki-TESTID/home/cki/tools switch main` goes back.
    error: `/tmp/cki-TESTID/home/cki/tools` is not at merge request !213: left alone: it has uncommitted changes, 1 behind.
    hint: commit, stash or remove the changes in `/tmp/cki-TESTID/home/cki/tools`; `cki` never touches them.
    --- exit 7
    ");
}

on!(docker, podman: build_reports_the_failing_step);
fn build_reports_the_failing_step(cli: &Cli) {
    let _repositories = repositories(cli);
    let failed = cli.run("build failing -q").ends_with(1);
    let failed =
        failed.says("cannot be built at step 2/").says("RUN echo doing; echo what it says >&2; exit 7");
    assert_eq!(failed.stdout, "");
    let mut hints: Vec<_> = failed.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    hints.sort_unstable();
    assert_eq!(hints, ["hint: it said: doing", "hint: it said: what it says"]);
    // A run builds first, and fails in the same way.
    cli.run("run-local failing").ends_with(1).says("hint: it said: what it says");
}

on!(docker, podman: build_refuses_invalid_build_files_and_tags);
fn build_refuses_invalid_build_files_and_tags(cli: &Cli) {
    let _repositories = repositories(cli);
    assert_snapshot!(cli.run("build absent -q"), @"
    --- stderr
      image        not finished
    error: there is no build file `/tmp/cki-TESTID/home/cki/tools/builds/absent`.
    hint: /tmp/cki-TESTID/project/inventory.yaml:15 says which file it is.
    --- exit 3
    ");
    assert_snapshot!(cli.run("build outside -q"), @"
    --- stderr
      image        not finished
    error: /tmp/cki-TESTID/project/inventory.yaml:16: `../../etc/passwd` leads out of the repository.
    --- exit 4
    ");
    assert_snapshot!(cli.run("build nowhere -q"), @"
    --- stderr
    error: the inventory does not say how `nowhere` is built: its entry has no `build` section and names the image `registry.example.org/x`.
    hint: `cki run-local nowhere` runs the image as it is.
    --- exit 4
    ");
    assert_snapshot!(cli.run("build plain --tag UPPER/case: -q"), @"
    --- stderr
    error: `UPPER/case:` cannot be the name of an image: its tag is not made of letters, digits, `_`, `.` and `-`.
    --- exit 2
    ");
}

on!(docker, podman: build_leaves_no_image_when_interrupted);
fn build_leaves_no_image_when_interrupted(cli: &Cli) {
    let _repositories = repositories(cli);
    let mut build = cli.start("build slow");
    build.until("{id} has begun");
    build.signal(Signal::SIGINT);
    assert_snapshot!(build.end().ends_with(130).stdout, @"");
    let layers = || cli.bench().images(&format!("layer={}", cli.id));
    if cli.engine == Engine::Podman {
        // It runs the instruction to its end, and keeps what that needs for as long.
        cli.wait_for("the layers to be gone", || {
            // It says what is still in use.
            cli.run("gc --images");
            layers().is_empty()
        });
    }
    assert_eq!(layers(), [""; 0], "nobody finds what has no name");
    assert!(cli.bench().images("cki.component=job/slow").is_empty());
}

/// Tries whatever a step could reach of this machine, and shows the table of hosts.
fn inventory_with_network_probe(cli: &Cli, network: &str) {
    let repositories = Repositories::new(cli);
    let step = "FROM {busybox}\nRUN for at in 127.0.0.1 {targets}; do busybox nc -w 1 $at {port} </dev/null; done; \
        echo blocked: $(grep {id} /etc/hosts | sort | tr -s '[:space:]' ' ')\n";
    repositories.commit("tools", &[("Dockerfile", step)]);
    cli.inventory(&format!(
        "production: {{hosts: ['Prod-{{id}}.test', '*.wild-{{id}}.test']}}
repos: {{tools: '{{served}}/tools.git'}}
components: [{{name: app, category: x, kind: job, build: {{repo: tools, {network}args: {{A: 'http://db.wild-{{id}}.test/'}}}}, run: {{command: [echo, it ran]}}}}]\n"
    ));
}

on!(docker, podman: build_blocks_production_hosts_and_loopback);
fn build_blocks_production_hosts_and_loopback(cli: &Cli) {
    let machine = ThisMachine::listen(cli.port);
    cli.place("targets", "");
    inventory_with_network_probe(cli, "");
    let outcome = cli.run("build app --no-cache").ends_with(0).says(
        "  build        open: its steps reach everything that this machine reaches except 2 known hosts of production; \
         other hosts of `*.wild-TESTID.test` are in reach",
    );
    for name in ["prod-TESTID.test", "db.wild-TESTID.test"] {
        for spelling in [name.to_owned(), format!("{name}.")] {
            let outcome = cli.redact(&outcome.stderr);
            assert!(outcome.contains(&format!("255.255.255.255 {spelling} ")), "{spelling}: {outcome}");
        }
    }
    assert_eq!(machine.arrived(), ArrivalCount { tcp: 0, udp: 0 }, "{outcome}");
}

on!(docker, podman: build_with_network_none_reaches_nothing);
fn build_with_network_none_reaches_nothing(cli: &Cli) {
    let machine = ThisMachine::listen(cli.port);
    let targets: Vec<String> = ThisMachine::addresses().iter().map(ToString::to_string).collect();
    cli.place("targets", &targets.join(" "));
    inventory_with_network_probe(cli, "network: none, ");
    let outcome = cli.run("run-local app").ends_with(0).says("  build        isolated: it reaches nothing");
    assert_eq!(machine.arrived(), ArrivalCount { tcp: 0, udp: 0 }, "{outcome}");
    assert!(outcome.says("it ran").stdout.contains("it ran"));
}

on!(docker, podman: build_has_the_engine_fetch_nothing_that_it_must_not_reach);
fn build_has_the_engine_fetch_nothing_that_it_must_not_reach(cli: &Cli) {
    let machine = ThisMachine::listen(cli.port);
    let repositories = Repositories::new(cli);
    repositories
        .commit("tools", &[("Dockerfile", "FROM {busybox}\nARG AT=http://127.0.0.1:{port}\nADD $AT/x /x\n")]);
    for (network, why) in
        [("network: none", "`build.network` is `none`"), ("network: internet", "that is this machine")]
    {
        cli.inventory(&format!(
            "repos: {{tools: '{{served}}/tools.git'}}\ncomponents: [{{name: app, category: x, build: {{repo: tools, {network}}}}}]\n"
        ));
        cli.run("build app --no-cache")
            .ends_with(7)
            .says("has the engine add `http://127.0.0.1:~PORT/x`, and")
            .says(why);
    }
    assert_eq!(machine.arrived(), ArrivalCount { tcp: 0, udp: 0 });
}

on!(docker, podman: run_local_ignores_labels_of_its_image);
fn run_local_ignores_labels_of_its_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    let labels =
        "LABEL cki.ready='{\"exec\":[\"touch\",\"/asked\"]}' cki.ports=1234:1234/http cki.allowed=@command";
    repositories.commit("tools", &[("Dockerfile", &format!("FROM {{busybox}}\n{labels}\n"))]);
    cli.inventory(
        "repos: {tools: '{served}/tools.git'}\ncomponents:\n  - {name: app, category: x, kind: service,\n     \
         build: {repo: tools}, run: {command: [sleep, '1000']}}\n",
    );
    cli.run("run-local app --detach").ends_with(0);
    let ps = cli.run("ps -o json").ends_with(0).json();
    assert_eq!(ps["instances"][0]["ports"], serde_json::json!([]), "{ps}");
    cli.run("exec app -- test -e /asked").ends_with(1);
    for container in cli.bench().specifications(&cli.processes()) {
        let labels = &container["Config"]["Labels"];
        for key in ["cki.ready", "cki.ports", "cki.allowed"] {
            assert_eq!(labels[key], "", "{key}");
        }
    }
    cli.run("down app").ends_with(0);
}
