//! `cki inventory check --drift`: a draft agrees with its repository, each later change of the repository or the entry is
//! one finding, and what is not cloned is named.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::cli::Cli;

const APP: &str = "import os\nTITLE = os.environ.get('WEB_TITLE', 'x')\nDB = os.environ['WEB_DB_URL']\n";
const COMPOSE: &str = "services:\n  web:\n    build: web\n    ports: ['8000:8000']\n    environment:\n      \
                       WEB_DB_URL: x\n  worker:\n    build: worker\n  cron:\n    build: cron\n";

/// Makes a repository with three components, and drafts an inventory of them.
fn drafted() -> Cli {
    let cli = Cli::new();
    git2::Repository::init(cli.project()).expect("makes a repository");
    for (path, text) in [
        ("web/Dockerfile", "FROM python\nCOPY . /app\nEXPOSE 8000\nCMD [\"python3\", \"-m\", \"pkg.web\"]\n"),
        ("web/app.py", APP),
        ("web/pkg/web/__main__.py", "import app\n"),
        ("worker/Dockerfile", "FROM x\n"),
        ("cron/Dockerfile", "FROM x\n"),
        ("compose.yaml", COMPOSE),
    ] {
        cli.write(path, text);
    }
    cli.run("init --yes").ends_with(0);
    cli
}

/// Returns the findings that the comparison adds, as `rule: message`.
fn drift(cli: &Cli) -> Vec<String> {
    let answer = cli.run("inventory check --drift -o json").json();
    let findings = answer["findings"].as_array().expect("is a list").iter();
    let is_drift = |one: &&Value| !one["rule"].as_str().is_some_and(|rule| rule.starts_with("no-"));
    findings
        .filter(is_drift)
        .map(|one| format!("{}: {}", one["rule"], one["message"]).replace('"', ""))
        .collect()
}

fn change(cli: &Cli, path: &str, from: &str, to: &str) {
    let file = cli.project().join(path);
    let text = std::fs::read_to_string(&file).expect("reads");
    assert!(text.contains(from), "{path} lacks {from}: {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("writes");
}

#[test]
fn each_change_after_a_draft_is_one_finding() {
    let cli = drafted();
    assert_eq!(drift(&cli), Vec::<String>::new());
    for (path, from, to, finding) in [
        (
            "web/Dockerfile",
            "EXPOSE 8000",
            "EXPOSE 8000 9000",
            "undeclared-port: the build file has the port 9000",
        ),
        (
            "compose.yaml",
            "'8000:8000'",
            "'8000:8000', '7000'",
            "undeclared-port: the deployment has the port 7000",
        ),
        ("inventory.yaml", "ports: [8000", "ports: [8001, 8000", "missing-port: the port 8001 is nowhere"),
        ("web/app.py", "WEB_TITLE", "WEB_HEADING", "undeclared-variable: the sources read `WEB_HEADING`"),
        (
            "compose.yaml",
            "WEB_DB_URL: x",
            "WEB_DB_URL: x\n      WEB_MODE: y",
            "undeclared-variable: the deployment sets",
        ),
        (
            "inventory.yaml",
            "{name: WEB_TITLE",
            "{name: OLD_NAME}\n      - {name: WEB_TITLE",
            "missing-variable: nothing",
        ),
        (
            "inventory.yaml",
            "container: worker",
            "container: gone",
            "unreadable-deployment: the deployment cannot",
        ),
    ] {
        let before = std::fs::read_to_string(cli.project().join(path)).expect("reads");
        change(&cli, path, from, to);
        let found = drift(&cli);
        assert!(found.iter().any(|one| one.starts_with(finding)), "{path}: {to}: {found:?}");
        // The entry still has the old name.
        let count = if to == "WEB_HEADING" { 2 } else { 1 };
        assert_eq!(found.len(), count, "{path}: {to}: {found:?}");
        cli.write(path, &before);
    }
    let rename = |from: &str, to: &str| {
        let at = |path: &str| cli.project().join(path);
        std::fs::create_dir_all(at(to).parent().expect("has one")).expect("makes");
        std::fs::rename(at(from), at(to)).expect("renames");
    };
    cli.write("new/Dockerfile", "FROM x\n");
    change(&cli, "compose.yaml", "  cron:", "  new: {build: new}\n  cron:");
    assert_eq!(drift(&cli), ["undeclared-build-file: no entry names the build file `new/Dockerfile`"]);
    std::fs::remove_dir_all(cli.project().join("new")).expect("removes");
    cli.write("compose.yaml", COMPOSE);
    change(&cli, "compose.yaml", "build: worker", "build: jobs");
    rename("worker/Dockerfile", "jobs/Dockerfile");
    cli.write("worker/x.sh", "true\n");
    assert_eq!(
        drift(&cli),
        ["missing-build-file: there is no build file `worker/Dockerfile` in the clone of `project`"]
    );
    cli.write("compose.yaml", COMPOSE);
    rename("jobs/Dockerfile", "worker/Dockerfile");
    change(&cli, "inventory.yaml", "    run:\n", "    run:\n      command: [python3, -m, pkg.wbe]\n");
    assert_eq!(drift(&cli), ["missing-module: there is no Python module `pkg.wbe` in the clone"]);
}

/// A repository that has changed since its draft, in an inventory with another one that is not cloned.
pub(super) fn changed() -> Cli {
    let cli = drafted();
    change(&cli, "web/Dockerfile", "EXPOSE 8000", "EXPOSE 8000 9000");
    change(&cli, "inventory.yaml", "components:", "ignore: [{rule: no-owner, reason: x}]\ncomponents:");
    change(&cli, "inventory.yaml", "repos:", "repos:\n  far: https://git.example.org/a/far");
    change(
        &cli,
        "inventory.yaml",
        "components:",
        "components:\n  - {name: far, category: service, description: F, sources: [{repo: far}]}\n",
    );
    cli
}

#[test]
fn drift_shows_both_places_and_what_is_not_cloned() {
    let cli = changed();
    assert_snapshot!(cli.call("inventory check service/web far --drift --color never").terminal(80).end(), @"
    inventory.yaml:10:5: no-documentation: `service/far` has no documentation
        fix: add a link in `documentation`
    inventory.yaml:12:5: no-description: `service/web` has no description
        fix: say in `description` what it is for
    inventory.yaml:12:5: no-documentation: `service/web` has no documentation
        fix: add a link in `documentation`
    inventory.yaml:24:7: undeclared-port: the build file has the port 9000,
        which the entry lacks
        in the clone: web/Dockerfile:3
        fix: add `9000` to `run.ports`
    --- stderr
    4 warnings · 2 silenced · 2 entries · 1 compared with clones · 1 not cloned · inventory: project, /tmp/cki-TESTID/project/inventory.yaml
    hint: `cki clone service/far` clones all that is missing.
    --- exit 1
    ");
    let read = |format: &str| -> Value {
        let outcome = cli.run(&format!("inventory check --drift -o {format}")).ends_with(1);
        serde_json::from_str(&outcome.stdout).expect("is JSON")
    };
    let json = read("json");
    assert_eq!(json["drift"]["not_cloned"][0], "service/far");
    let has_related = |one: &&Value| !one["related"].is_null();
    let finding = json["findings"].as_array().and_then(|all| all.iter().find(has_related)).expect("is there");
    assert_eq!(finding["related"]["line"], 3);
    let sarif = read("sarif");
    let results = sarif["runs"][0]["results"].as_array().expect("is a list");
    let related = results.iter().find(|one| !one["relatedLocations"].is_null()).expect("is there");
    assert_snapshot!(format!("{:#}", related), @r#"
    {
      "ruleId": "undeclared-port",
      "ruleIndex": 29,
      "level": "warning",
      "message": {
        "text": "the build file has the port 9000, which the entry lacks (`web/Dockerfile:3`). To fix it, add `9000` to `run.ports`."
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "inventory.yaml"
            },
            "region": {
              "startLine": 24,
              "startColumn": 7
            }
          },
          "logicalLocations": [
            {
              "fullyQualifiedName": "service/web"
            }
          ]
        }
      ],
      "partialFingerprints": {
        "cki/v1": "941856156fb059a14e9b28612d0683f2aad2b5d90d644638eeb3a28bbbf9db0b"
      },
      "relatedLocations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "web/Dockerfile"
            },
            "region": {
              "startLine": 3
            }
          }
        }
      ]
    }
    "#);
    let gitlab = read("gitlab");
    let items = gitlab.as_array().expect("is a list");
    let item = items.iter().find(|one| one["check_name"] == "undeclared-port").expect("is there");
    assert_snapshot!(item["description"].as_str().expect("is text"), @"the build file has the port 9000, which the entry lacks (`web/Dockerfile:3`). To fix it, add `9000` to `run.ports`.");
    assert_eq!(item["location"]["path"], "inventory.yaml");
    // Nothing at all is cloned.
    cli.inventory(
        "repos: {far: https://git.example.org/a/far}\ncomponents:\n- {name: far, category: service, description: F, \
         people: [x], documentation: [{label: x, url: y}], sources: [{repo: far}]}\n",
    );
    assert_snapshot!(cli.run("inventory check --drift"), @"
    --- stderr
    no findings · 1 entry · 0 compared with clones · 1 not cloned · inventory: untitled, /tmp/cki-TESTID/project/inventory.yaml
    hint: `cki clone service/far` clones all that is missing.
    --- exit 0
    ");
}

#[test]
fn drift_reads_nothing_outside_of_a_clone() {
    let cli = drafted();
    let at = |path: &str| cli.project().join(path);
    std::fs::write(cli.directory().join("outside"), "FROM x\nEXPOSE 6666\n").expect("writes");
    std::fs::remove_file(at("web/Dockerfile")).expect("removes");
    std::os::unix::fs::symlink(cli.directory().join("outside"), at("web/Dockerfile")).expect("links");
    nix::unistd::mkfifo(&at("cron/pipe.py"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    std::os::unix::fs::symlink("..", at("worker/loop")).expect("links");
    cli.write("worker/long.py", &"x".repeat((1 << 20) + 1));
    cli.write("worker/bad.py", "os.environ[");
    let answer = cli.run("inventory check --drift");
    assert!(!answer.to_string().contains("6666"), "{answer}");
}
