//! Tests of `cki env`: the precedence of values, their reasons, and output for other programs.

use std::collections::BTreeMap;
use std::process::Command;

use insta::assert_snapshot;

use crate::support::cli::Cli;

const INVENTORY: &str = "\
repos: {tools: 'https://git.example.org/tools'}
production:
  environment: {IS_PRODUCTION: \"false\", DEPLOYMENT: development}
components:
  - name: notifier
    category: service
    environment:
      - {name: LOG_LEVEL, type: enum, default: INFO, description: How much is logged.}
      - {name: API_TOKEN, secret: true, required: true}
      - {name: GITLAB_CONFIG, type: json, secret: true}
      - {name: RABBITMQ_HOST, required: true, default: bus.internal}
      - {name: DEPLOYMENT, default: production}
      - {name: API_URL, type: url, required: true}
      - {name: OTHER_URL, type: url, required: true}
      - {name: EXTRA}
    run: {command: [notify], needs: [rabbitmq]}
  - {name: plain, category: service, run: {command: [plain]}}
";

fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    cli
}

/// Values that are hard to write down.
pub(super) const HARD: [(&str, &str); 12] = [
    ("PLAIN", "a b"),
    ("EMPTY", ""),
    ("EQUALS", "a=b=c"),
    ("JSON", r#"{"a": "b", "c": ["d"]}"#),
    ("YAML", "a: 'b' # c"),
    ("HASH", "#a"),
    ("DOLLAR", "$HOME `id` $(id) !x"),
    ("BACKSLASH", r"C:\new\table\\"),
    ("UNICODE", "žluťoučký 🐎"),
    ("QUOTED", "\"a\""),
    ("EDGES", " a\t"),
    ("LINES", "one\ntwo \\n \"three\"\n\n'four'\r\n"),
];

/// A command line that sets all of them.
fn with_hard_values(line: &str) -> String {
    let flags = HARD.map(|(name, value)| format!(" -e {}", shell_words::quote(&format!("{name}={value}"))));
    format!("{line}{}", flags.concat())
}

/// Names and values as JSON tells them.
pub(super) fn values(cli: &Cli, line: &str) -> BTreeMap<String, String> {
    let answer = cli.run(&format!("{line} -o json")).ends_with(0).json();
    let variables = answer["variables"].as_array().expect("is a list");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    variables.iter().filter_map(|one| Some((text(&one["name"])?, text(&one["value"])?))).collect()
}

#[test]
fn env_masks_secrets_and_names_missing_variables() {
    assert_snapshot!(cli().run("env notifier"), @"
    VARIABLE               VALUE
    API_TOKEN              ••••••••
    API_URL                –
    DEPLOYMENT             development
    EXTRA                  –
    GITLAB_CONFIG          ••••••••
    IS_PRODUCTION          false
    LOG_LEVEL              INFO
    OTHER_URL              –
    RABBITMQ_HOST          127.0.0.1
    RABBITMQ_PASSWORD      ••••••••
    RABBITMQ_PORT          5672
    RABBITMQ_USER          cki
    RABBITMQ_VIRTUAL_HOST  /
    --- stderr
    10 variables: 1 default, 5 from rabbitmq, 2 placeholder secrets, 2 locked
    error: `notifier` lacks 2 required variables: `API_URL`, `OTHER_URL`.
    hint: give `-e API_URL=… -e OTHER_URL=…`, or a default at /tmp/cki-TESTID/project/inventory.yaml:13.
    --- exit 4
    ");
}

#[test]
fn env_explain_names_the_origin_of_each_value() {
    let mut cli = cli();
    cli.set("EXTRA", "passed on");
    cli.write(
        "my.env",
        "# mine\nAPI_URL=http://from-file\nLOG_LEVEL=WARN\n\nexport OTHER_URL='http://other'\n",
    );
    let line = "env notifier --explain --env-file my.env -e LOG_LEVEL=DEBUG -e EXTRA -e MORE=1 --unset GITLAB_CONFIG";
    assert_snapshot!(cli.run(line), @"
    VARIABLE               VALUE             WHY
    API_TOKEN              ••••••••          placeholder secret (token); required; secret                 /tmp/cki-TESTID/project/inventory.yaml:9
    API_URL                http://from-file  --env-file; required                                         my.env:2
    DEPLOYMENT             development       locked: never production, instead of default                 /tmp/cki-TESTID/project/inventory.yaml:3
    EXTRA                  passed on         --env
    GITLAB_CONFIG          –                 --unset, instead of placeholder secret (JSON); secret        /tmp/cki-TESTID/project/inventory.yaml:10
    IS_PRODUCTION          false             locked: never production                                     /tmp/cki-TESTID/project/inventory.yaml:3
    LOG_LEVEL              DEBUG             --env, instead of --env-file                                 my.env:3
    MORE                   1                 --env
    OTHER_URL              http://other      --env-file; required                                         my.env:5
    RABBITMQ_HOST          127.0.0.1         from backing service rabbitmq, instead of default; required  built in: services/rabbitmq.yaml
    RABBITMQ_PASSWORD      ••••••••          from backing service rabbitmq; secret                        built in: services/rabbitmq.yaml
    RABBITMQ_PORT          5672              from backing service rabbitmq                                built in: services/rabbitmq.yaml
    RABBITMQ_USER          cki               from backing service rabbitmq                                built in: services/rabbitmq.yaml
    RABBITMQ_VIRTUAL_HOST  /                 from backing service rabbitmq                                built in: services/rabbitmq.yaml
    --- stderr
    13 variables: 5 from rabbitmq, 1 placeholder secret, 5 yours, 2 locked
    --- exit 0
    ");
    assert_snapshot!(cli.call(line).terminal(80).set("NO_COLOR", "1").end(), @"
    API_TOKEN              ••••••••
      placeholder secret (token); required; secret  inventory.yaml:9
    API_URL                http://from-file
      --env-file; required  my.env:2
    DEPLOYMENT             development
      locked: never production, instead of default  inventory.yaml:3
    EXTRA                  passed on
      --env
    GITLAB_CONFIG          –
      --unset, instead of placeholder secret (JSON); secret  inventory.yaml:10
    IS_PRODUCTION          false
      locked: never production  inventory.yaml:3
    LOG_LEVEL              DEBUG
      --env, instead of --env-file  my.env:3
    MORE                   1
      --env
    OTHER_URL              http://other
      --env-file; required  my.env:5
    RABBITMQ_HOST          127.0.0.1
      from backing service rabbitmq, instead of default; required
      built in: services/rabbitmq.yaml
    RABBITMQ_PASSWORD      ••••••••
      from backing service rabbitmq; secret  built in: services/rabbitmq.yaml
    RABBITMQ_PORT          5672
      from backing service rabbitmq  built in: services/rabbitmq.yaml
    RABBITMQ_USER          cki
      from backing service rabbitmq  built in: services/rabbitmq.yaml
    RABBITMQ_VIRTUAL_HOST  /
      from backing service rabbitmq  built in: services/rabbitmq.yaml
    --- stderr
    13 variables: 5 from rabbitmq, 1 placeholder secret, 5 yours, 2 locked
    --- exit 0
    ");
}

#[test]
fn env_prints_json() {
    let line = "env notifier -e API_URL=http://a -e OTHER_URL=http://b -e API_TOKEN=my-own-secret -o json";
    let cli = cli();
    let outcome = cli.run(line).ends_with(0);
    let answer = outcome.json();
    let variables = answer["variables"].as_array().expect("is a list");
    let named = |name: &str| variables.iter().find(|one| one["name"] == name).expect("is there").to_string();
    assert_eq!((&answer["component"], variables.len()), (&"notifier".into(), 13));
    let token = cli.redact(&named("API_TOKEN"));
    assert_snapshot!(token, @r#"{"name":"API_TOKEN","value":"••••••••","secret":true,"required":true,"type":null,"origin":"flag","reason":"--env","place":null,"instead_of":"placeholder-secret","replaced_by":null,"production":null}"#);
    let deployment = cli.redact(&named("DEPLOYMENT"));
    assert_snapshot!(deployment, @r#"{"name":"DEPLOYMENT","value":"development","secret":false,"required":false,"type":null,"origin":"locked","reason":"locked: never production","place":"/tmp/cki-TESTID/project/inventory.yaml:3","instead_of":"default","replaced_by":null,"production":null}"#);
    let missing = cli.redact(&named("EXTRA"));
    assert_snapshot!(missing, @r#"{"name":"EXTRA","value":null,"secret":false,"required":false,"type":null,"origin":"missing","reason":"no value","place":"/tmp/cki-TESTID/project/inventory.yaml:15","instead_of":null,"replaced_by":null,"production":null}"#);
    let secret = named("GITLAB_CONFIG");
    assert!(
        secret.contains(r#""origin":"placeholder-secret""#) && secret.contains("cki-reference"),
        "{secret}"
    );
}

#[test]
fn env_prints_user_secrets_only_with_reveal() {
    let cli = cli();
    let line = "env plain -e MY_TOKEN=hunter2-hunter2";
    for form in ["table", "dotenv", "shell", "json"] {
        let hidden = cli.run(&format!("{line} -o {form}")).ends_with(0);
        assert!(!hidden.stdout.contains("hunter2"), "{hidden}");
        let shown = cli.run(&format!("{line} -o {form} --reveal")).ends_with(0);
        assert!(shown.stdout.contains("hunter2-hunter2"), "{shown}");
    }
    assert_snapshot!(cli.run(&format!("{line} -o dotenv")), @"
    DEPLOYMENT=development
    IS_PRODUCTION=false
    # MY_TOKEN is a secret of yours; --reveal prints it.
    --- exit 0
    ");
}

#[test]
fn env_placeholder_secrets_differ_between_workspaces() {
    let line = "env notifier -e API_URL=http://a -e OTHER_URL=http://b";
    let (one, other) = (cli(), cli());
    let here = values(&one, line);
    assert_eq!(here, values(&one, line));
    let there = values(&other, line);
    for name in ["API_TOKEN", "GITLAB_CONFIG", "RABBITMQ_PASSWORD"] {
        assert!(here[name].contains("reference") && here[name] != there[name], "{name}: {}", here[name]);
    }
    serde_json::from_str::<serde_json::Value>(&here["GITLAB_CONFIG"]).expect("is what its type says");
}

#[test]
fn env_shell_output_is_read_back_by_sh() {
    let cli = cli();
    let line = with_hard_values("env plain");
    let script = cli.run(&format!("{line} -o shell")).ends_with(0).stdout;
    let file = cli.write("env.sh", &script);
    let output = Command::new("env")
        .args(["-i", "/bin/sh", "-c", "set -eu; . \"$0\"; exec /usr/bin/env -0"])
        .arg(file)
        .output()
        .expect("there is a shell");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("is text");
    let mut read: BTreeMap<String, String> = pairs(text.split_terminator('\0'));
    read.remove("PWD");
    assert_eq!(read, values(&cli, &line));
    assert_eq!(HARD.map(|(name, _)| read[name].as_str()), HARD.map(|(_, value)| value));
}

#[test]
fn env_dotenv_output_is_read_back() {
    let cli = cli();
    let written = cli.run(&format!("{} -o dotenv", with_hard_values("env plain"))).ends_with(0).stdout;
    cli.write("again.env", &written);
    let wanted = values(&cli, &with_hard_values("env plain"));
    assert_eq!(values(&cli, "env plain --env-file again.env"), wanted);
    // Container engines take what is behind the first `=` as it is; what has several lines or
    // a backslash, or begins with a quote, cannot be written so that both they and others read it.
    let raw = pairs(written.lines().filter(|line| !line.starts_with('#')));
    for (name, value) in wanted.iter().filter(|(name, _)| !raw[name.as_str()].starts_with(['\'', '"'])) {
        assert_eq!(raw[name], *value, "{name}");
    }
}

pub(super) fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn env_refuses_to_override_locked_variables() {
    let cli = cli();
    cli.write("bad.env", "A=1\nIS_PRODUCTION=true\n");
    assert_snapshot!(cli.run("env plain -e IS_PRODUCTION=true"), @"
    --- stderr
    error: `IS_PRODUCTION` must be `false` in a local run, and `--env` sets it to `true`; the inventory's `production` section says so at /tmp/cki-TESTID/project/inventory.yaml:3.
    hint: leave `IS_PRODUCTION` out: a local run never claims production, and nothing overrides that.
    --- exit 7
    ");
    assert_snapshot!(cli.run("env plain --env-file bad.env"), @"
    --- stderr
    error: `IS_PRODUCTION` must be `false` in a local run, and `bad.env:2` sets it to `true`; the inventory's `production` section says so at /tmp/cki-TESTID/project/inventory.yaml:3.
    hint: leave `IS_PRODUCTION` out: a local run never claims production, and nothing overrides that.
    --- exit 7
    ");
    assert_snapshot!(cli.run("env plain --unset DEPLOYMENT"), @"
    --- stderr
    error: `DEPLOYMENT` must be `development` in a local run, and `--unset` takes it away; the inventory's `production` section says so at /tmp/cki-TESTID/project/inventory.yaml:3.
    hint: leave `DEPLOYMENT` out: a local run never claims production, and nothing overrides that.
    --- exit 7
    ");
    cli.run("env plain -e DEPLOYMENT=").ends_with(7);
    cli.run("run-local plain -e DEPLOYMENT=production").ends_with(7);
    // What they are anyway may be said.
    let values = values(&cli, "env plain -e IS_PRODUCTION=false");
    assert_eq!((values["IS_PRODUCTION"].as_str(), values["DEPLOYMENT"].as_str()), ("false", "development"));
}

#[test]
fn env_reports_invalid_arguments_and_files() {
    let cli = cli();
    cli.write("bad.env", "A=1\n\nno assignment\n");
    assert_snapshot!(cli.run("env plain --env-file bad.env"), @"
    --- stderr
    error: bad.env:3: this is no `NAME=VALUE`.
    hint: write `NAME=VALUE`; `#` begins a comment.
    --- exit 4
    ");
    cli.write("odd.env", "BARE\nL=\\$x\nQ=\"a\" b\n");
    cli.run("env plain --env-file odd.env")
        .ends_with(0)
        .says("odd.env:1: `BARE` is not set here, and is left out")
        .says("odd.env:2: `x` has no value, and nothing takes its place in `L`")
        .says("odd.env:3: what follows the closing quote is a line of its own");
    assert_snapshot!(cli.run("env plain --env-file absent.env"), @"
    --- stderr
    error: cannot read `/tmp/cki-TESTID/project/absent.env`: No such file or directory (os error 2).
    --- exit 3
    ");
    assert_snapshot!(cli.run("env plain -e 'A B=x'"), @"
    --- stderr
    error: --env A B: `A B` cannot be the name of a variable.
    hint: write `-e NAME=VALUE`, or export the variable.
    --- exit 2
    ");
    assert_snapshot!(cli.run("env plain -e NOWHERE_SET"), @"
    --- stderr
    error: --env NOWHERE_SET: `NOWHERE_SET` is not set here, so that there is no value to pass on.
    hint: write `-e NAME=VALUE`, or export the variable.
    --- exit 2
    ");
    assert_snapshot!(cli.run("env plain -o xml"), @"
    --- stderr
    error: this command has no output format `xml`; choose `table`, `wide`, `name`, `json`, `yaml`, `dotenv` or `shell`.
    hint: `cki env --help` shows its usage.
    --- exit 2
    ");
    assert_snapshot!(cli.run("env nobody"), @"
    --- stderr
    error: there is no component or backing service `nobody` in the inventory (untitled, /tmp/cki-TESTID/project/inventory.yaml).
    hint: `cki list` shows all components, and `cki list services` all backing services.
    --- exit 3
    ");
}
