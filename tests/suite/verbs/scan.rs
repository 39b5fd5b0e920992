//! Tests of `cki env --scan`: variables that sources read, compared with the environment of the component.

use insta::assert_snapshot;

use crate::support::cli::Cli;
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
repos:
  tools: '{served}/tools.git'
  my-lib: '{served}/my-lib.git'
  other: '{served}/other.git'
production:
  environment: {IS_PRODUCTION: 'false'}
components:
  - name: notifier
    category: service
    sources: [{repo: tools, path: notifier}]
    environment:
      - {name: LOG_LEVEL, default: INFO}
      - {name: SENTRY_DSN, default: 'http://sentry'}
      - {name: API_TOKEN, secret: true}
      - {name: OLD_SETTING, default: x}
      - {name: API_URL, type: url}
      - {name: LIB_MODE, default: fast}
      - {name: FROM_SHELL, default: x}
    build: {repo: tools, file: builds/notifier.in, args: {GIVEN_ARG: x}}
    run: {command: [notifier]}
  - {name: lib, category: tool, sources: [{repo: my-lib}]}
  - {name: clean, category: service, sources: [{repo: tools, path: clean}], environment: [{name: A, default: x}]}
  - {name: partly, category: service, sources: [{repo: tools, path: clean}, {repo: other}], environment: [{name: A, default: x}]}
  - {name: sourceless, category: service}
  - {name: deployed, category: service, sources: [{repo: tools, path: clean}], deployment: [{repo: tools, path: deploy.yaml}], run: {ready: {exec: [sh, -c, 'test $PROBED']}}}
  - {name: elsewhere, category: service, sources: [{repo: tools, path: ../../..}, {repo: tools, path: gone}, {repo: tools, path: way-out}]}
";

const MAIN: &str = "\
import os
from common.settings import setting
from my_lib import things
from os import environ as env

LEVEL = os.environ.get('LOG_LEVEL', 'INFO')  # os.environ['NOT_READ']
DSN = env['SENTRY_SDN']
TOKEN = setting('API_TOKEN')
URL = os.environ[
    'API_URL'
]
DEBUG = os.getenv('DEBUG')
HOME = os.environ['HOME']
for name in names:
    print(os.environ[f'PREFIX_{name}'])
";

/// The repositories, the first of them cloned.
fn cloned(cli: &Cli) -> Repositories<'_> {
    let repositories = Repositories::new(cli);
    cli.inventory(INVENTORY);
    let shell = "#!/bin/sh\n. ./lib.sh\necho $FROM_SHELL $LIB_LOCAL ${PORT:-80} $HOME\n";
    repositories.commit(
        "tools",
        &[
            ("notifier/main.py", MAIN),
            ("notifier/run", shell),
            ("notifier/lib.sh", "LIB_LOCAL=1\n"),
            ("notifier/report.pl", "print $ENV{X};\n"),
            ("notifier/broken.py", "def f(:\n"),
            ("notifier/big.js", &format!("// {}\n", "x".repeat(1 << 20))),
            ("notifier/README.md", "`os.environ['NO']`\n"),
            ("notifier/tests/test_main.py", "import os\nos.environ['ONLY_TESTS']\n"),
            ("notifier/node_modules/x.js", "process.env.VENDORED;\n"),
            ("notifier/built.py", "import os\nos.environ['IGNORED']\n"),
            (".gitignore", "built.py\n"),
            ("common/settings.py", "import os\ndef setting(name):\n    return os.environ[name]\n"),
            ("builds/notifier.in", "FROM x\nARG GIVEN_ARG\nARG OTHER_ARG\nENV DEBUG=0\nRUN echo $UNKNOWN\n"),
            (
                "deploy.yaml",
                "{kind: Pod, metadata: {name: deployed}, spec: {containers: [{name: app,\n\
                 command: [sh, -c, 'app $WORD --url=$(URL)'], env: [\n\
                 {name: A, value: a},\n{name: UNUSED, value: b},\n{name: WORD, value: c},\n\
                 {name: HOST, value: d},\n{name: URL, value: 'http://$(HOST)'}]}]}}\n",
            ),
            ("clean/a.go", "package a\nimport \"os\"\nvar a = os.Getenv(\"A\")\n"),
        ],
    );
    repositories.commit("my-lib", &[("my_lib/things.py", "import os\nMODE = os.environ['LIB_MODE']\n")]);
    repositories.commit("other", &[("a.go", "package a\nimport \"os\"\nvar b = os.Getenv(\"B\")\n")]);
    cli.run("clone clean").ends_with(0);
    repositories
}

#[test]
fn env_scan_compares_reads_with_given_variables() {
    let cli = Cli::new();
    let _repositories = cloned(&cli);
    assert_snapshot!(cli.call("env notifier --scan").terminal(80).set("NO_COLOR", "1").end(), @"
    read, given nowhere (2)
      API_URL  required; declared without a value  notifier/main.py:9
      PORT     has a default                       notifier/run:3

    given, never read (2)
      LIB_MODE     default  /tmp/cki-TESTID/project/inventory.yaml:17
      OLD_SETTING  default  /tmp/cki-TESTID/project/inventory.yaml:15

    perhaps misspelt (1)
      SENTRY_SDN  required; SENTRY_DSN is given, never read  notifier/main.py:7

    read when an image is built, given nowhere (2)
      OTHER_ARG  optional  builds/notifier.in:3
      UNKNOWN    optional  builds/notifier.in:5

    read by tests only (1)
      ONLY_TESTS  required  notifier/tests/test_main.py:2

    not understood (5)
      notifier/main.py:15  not known before it runs  os.environ[f'PREFIX_{name}']
      notifier/broken.py   cannot be parsed in line  1
      notifier/big.js      not read                  is longer than 1.0 MB
      .pl                  of no known language      1 file
      my_lib               imported, not cloned      cki clone tool/lib
    --- stderr
    8 variables read, 5 given · 7 files: 4 Python, 2 shell, 1 Dockerfile · 1 imported
    error: `notifier` fails without 2 variables that nothing gives: `API_URL`, `SENTRY_SDN`.
    hint: put it into `environment` of the entry, or give `-e API_URL=… -e SENTRY_SDN=…` for one run.
    --- exit 1
    ");
    cli.run("clone lib").ends_with(0);
    let json = cli.run("env notifier --scan -o json -e SENTRY_SDN=x").ends_with(1).json();
    let one = |name: &str| {
        let all = json["variables"].as_array().expect("is a list");
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {json:#}")).clone()
    };
    assert_eq!(one("LIB_MODE")["state"], "given", "the library is looked into once it is here");
    assert_eq!(one("LIB_MODE")["reads"][0]["file"], "my-lib/my_lib/things.py");
    assert_eq!(one("SENTRY_SDN")["state"], "given");
    assert_eq!(one("SENTRY_DSN")["state"], "unread");
    assert_eq!(one("API_URL")["state"], "missing");
    assert_eq!(one("API_TOKEN")["reads"][0]["line"], 8, "a function of another file reads it");
    assert_eq!(one("DEBUG")["state"], "set", "the image gives it");
    assert_eq!(json["not_understood"]["unknown_languages"][".pl"], 1);
    cli.run("env notifier --scan -e SENTRY_SDN=x -e API_URL=x").ends_with(0);
}

#[test]
fn env_scan_reports_no_findings_and_missing_clones() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    cli.inventory(INVENTORY);
    cli.run("env clean --scan").ends_with(3).says("cki clone clean");
    cli.run("env sourceless --scan").ends_with(3).says("names no sources");
    drop(repositories);
    let cli = Cli::new();
    let _repositories = cloned(&cli);
    assert_snapshot!(cli.run("env clean --scan"), @"
    All variables that the sources read are set, and all that are set are read.
    --- stderr
    1 variable read, 1 given · 1 file: 1 Go
    --- exit 0
    ");
    cli.run("env partly --scan").ends_with(0).says("`other` is not cloned").says("cki clone partly");
    cli.run("env clean --scan -o dotenv").ends_with(2);
    cli.run("env clean --scan --explain").ends_with(2);
}

#[test]
fn env_scan_opens_nothing_outside_a_clone() {
    let cli = Cli::new();
    let _repositories = cloned(&cli);
    std::fs::write(cli.directory().join("secret.py"), "import os\nos.environ['OUTSIDE']\n").expect("writes");
    let tools = cli.workspace().join("tools");
    std::os::unix::fs::symlink(cli.directory(), tools.join("way-out")).expect("links");
    std::os::unix::fs::symlink(cli.directory().join("secret.py"), tools.join("clean/b.py")).expect("links");
    let outcome = cli.run("env elsewhere --scan").ends_with(0);
    assert!(!outcome.stdout.contains("OUTSIDE"), "{outcome}");
    let outcome = outcome.says("is outside of the clone").says("is not in the clone");
    drop(outcome);
    let outcome = cli.run("env clean --scan").ends_with(0);
    assert!(!outcome.stdout.contains("OUTSIDE"), "{outcome}");
}

#[test]
fn env_scan_uses_replaced_rules() {
    let mut cli = Cli::new();
    let mine = cli.project().join("mine");
    cli.set("CKI_TEMPLATES", mine);
    let _repositories = cloned(&cli);
    cli.write(
        "mine/scan/rules.yaml",
        "languages: [{name: Go, grammar: go, queries: [go], extensions: [go]}]\n",
    );
    cli.run("env clean --scan").ends_with(0).says("given, never read");
    cli.write("mine/scan/go.scm", "\n(nonsense) @name\n");
    cli.run("env clean --scan").ends_with(4).says("go.scm:2: the grammar has no node");
}

#[test]
fn env_scan_counts_deployment_values_as_given() {
    let cli = Cli::new();
    let _repositories = cloned(&cli);
    assert_snapshot!(cli.run("env deployed --scan"), @"
    read, given nowhere (1)
      PROBED  optional  /tmp/cki-TESTID/project/inventory.yaml:25

    given, never read (1)
      UNUSED  deployment  /tmp/cki-TESTID/home/cki/tools/deploy.yaml:4
    --- stderr
    5 variables read, 4 given · 1 file: 1 Go
    --- exit 0
    ");
}
