//! Tests of masking in all output of `cki` other than the output of components, and of variable names in output
//! for other programs. The search for secrets is tested in `src/base/redact`.

use crate::support::cli::{Cli, Outcome};
use crate::support::engine::on;
use crate::support::repository::Repositories;

const SECRET: &str = "declsecret11";

#[track_caller]
fn assert_shows_no_secret(outcome: &Outcome) {
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!shown.contains(SECRET) && !shown.contains(&SECRET[..9]), "{outcome}");
}

fn inventory(cli: &Cli, kind: &str, run: &serde_json::Value) {
    cli.inventory(&format!(
        "components:\n  - {{name: app, category: x, kind: {kind}, image: '{{busybox}}', environment: [{{name: DECL, secret: true}}], run: {run}}}\n"
    ));
}

on!(docker, podman, native: run_local_masks_secrets_in_a_probe_error);
fn run_local_masks_secrets_in_a_probe_error(cli: &Cli) {
    // In colour, as a program writes it that takes numbers apart.
    let probe = "printf 'err %s\\033[1m%s\\033[0m\\n' ${DECL%11} ${DECL##*[a-z]} >&2; exit 1";
    let run = serde_json::json!({"command": ["sleep", "60"], "ready": {"exec": ["sh", "-c", probe]}});
    inventory(cli, "service", &run);
    let call =
        cli.call(&format!("run-local app --detach -e DECL={SECRET}")).set("CKI_RUN_READY_TIMEOUT", "1");
    let outcome = call.end().fails().says("ends with 1: err ••••••••");
    assert_shows_no_secret(&outcome);
}

on!(docker, podman, native: run_local_masks_secrets_split_by_escapes);
fn run_local_masks_secrets_split_by_escapes(cli: &Cli) {
    let script = "printf 'a %s\\033[1;36m%s\\033[0m\\n' ${DECL%11} ${DECL##*[a-z]};
        printf 'b %s\\000%s\\n' ${DECL%11} ${DECL##*[a-z]}; echo end";
    inventory(cli, "job", &serde_json::json!({"command": ["sh", "-c", script]}));
    let line = format!("run-local app -e DECL={SECRET}");
    for outcome in [cli.run(&line), cli.call(&line).terminal(100).end()] {
        let outcome = outcome.ends_with(0).says("a ••••••••").says("b ••••••••").says("end");
        assert_shows_no_secret(&outcome);
        assert!(!outcome.stdout.contains("secret"), "{outcome}");
    }
}

#[test]
fn show_and_clone_mask_logins_in_addresses() {
    let cli = Cli::new();
    cli.inventory(
        "repos: {r: 'http://alice:s3cr3t/Tok3n@127.0.0.1:9/r.git', s: 'https://glpat-0123456789@127.0.0.1:9/s.git'}
components: [{name: app, category: x, sources: [{repo: r}, {repo: s}]}]\n",
    );
    for line in ["show app", "show app -o json", "clone app"] {
        let outcome = cli.run(line);
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(shown.contains("••••••••@127.0.0.1:9"), "{outcome}");
        assert!(!shown.contains("Tok3n") && !shown.contains("glpat-"), "{outcome}");
    }
}

#[test]
fn env_refuses_invalid_variable_names() {
    let cli = Cli::new();
    for name in ["A;touch pwned;B", "Z\\nIS_PRODUCTION", "X$(touch pwned)", "", "A=B", "A B", "\\0"] {
        for entry in [
            format!("environment: [{{name: \"{name}\", default: v}}], run: {{command: [x]}}"),
            format!("run: {{command: [x], debug: {{port: 1, environment: {{\"{name}\": v}}}}}}"),
        ] {
            cli.inventory(&format!("components:\n  - {{name: app, category: x, {entry}}}\n"));
            cli.run("env app -o shell").ends_with(4).says(":2:").says("cannot be the name of a variable");
        }
        cli.inventory("components: [{name: app, category: x, run: {command: [x], needs: [s]}}]\n");
        cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
        for key in ["environment", "provides"] {
            let value = if key == "provides" { "{value: v}" } else { "v" };
            cli.write("templates/services/s.yaml", &format!("image: x\n{key}: {{\"{name}\": {value}}}\n"));
            cli.run("env app -o dotenv").ends_with(4).says("cannot be the name of a variable");
        }
    }
}

#[test]
fn env_refuses_a_locked_name_in_another_case() {
    let cli = Cli::new();
    let with = |environment: &str| {
        cli.inventory(&format!(
            "production: {{environment: {{IS_PRODUCTION: \"false\"}}}}
components: [{{name: app, category: x, environment: [{environment}], run: {{command: [x]}}}}]\n"
        ));
    };
    with("");
    cli.run("env app -e Is_Production=true")
        .ends_with(7)
        .says("differs from `IS_PRODUCTION` in its case only");
    cli.run("env app -e I\u{17f}_PRODUCTION=true").ends_with(7).says("differs from `IS_PRODUCTION`");
    with("{name: is_production, default: 'true'}");
    cli.run("env app").ends_with(7).says("`is_production` differs");
    cli.run("env app --unset is_production").ends_with(0);
}

#[test]
fn env_output_is_the_same_in_any_locale() {
    let cli = Cli::new();
    cli.inventory("components: [{name: app, category: x, run: {command: [x]}}]\n");
    let value = "é…│✔→•–“x”· a\u{1b}[31mred\u{1b}[0m\tb\u{1}c";
    for form in ["json", "dotenv", "shell"] {
        let line = format!("env app -e {} -o {form}", shell_words::quote(&format!("V={value}")));
        let outcome = cli.call(&line).set("LC_ALL", "C").end().ends_with(0);
        assert_eq!(outcome.stdout, cli.run(&line).stdout);
        let written =
            if form == "json" { serde_json::Value::from(value).to_string() } else { value.to_owned() };
        assert!(outcome.stdout.contains(&written), "{outcome}");
    }
}

on!(docker, podman, native: run_local_masks_the_secrets_of_a_set_up_command_that_fails);
fn run_local_masks_the_secrets_of_a_set_up_command_that_fails(cli: &Cli) {
    cli.write(
        "templates/services/svc.yaml",
        "image: '{busybox}'
command: [sleep, '100']
native: {command: [sleep, '100']}
setup: [{run: [sh, -c, \"echo says {{ secret('SVC_PASS') }}; exit 5\"]}]\n",
    );
    cli.inventory(
        "components: [{name: app, category: x, image: '{busybox}', run: {command: [sleep, '60'], needs: [svc]}}]\n",
    );
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    let outcome = cli.run("run-local app").fails();
    assert!(!outcome.stderr.contains("cki-reference"), "{outcome}");
    outcome.says("`sh -c 'echo says ••••••••; exit 5'` ends with 5: says ••••••••");
}

on!(docker, podman: run_local_masks_what_an_image_calls_a_password);
fn run_local_masks_what_an_image_calls_a_password(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\nENV STORE_PASSWORD=declsecret11\n")]);
    cli.inventory(
        "repos: {tools: '{served}/tools.git'}
components: [{name: app-{id}, category: x, build: {repo: tools}, run: {command: [sh, -c, 'echo it is $STORE_PASSWORD; exec sleep 1000'], ready: {log: it is}}}]\n",
    );
    for line in ["run-local app-{id} --detach", "logs app-{id}", "exec app-{id} -- env"] {
        let outcome = cli.run(line).ends_with(0);
        assert_shows_no_secret(&outcome);
        assert!(line.starts_with("run") || outcome.stdout.contains("••••••••"), "{outcome}");
    }
    cli.run("down app-{id}").ends_with(0);
}

on!(docker, native: run_local_masks_an_allowed_credential_of_the_command);
fn run_local_masks_an_allowed_credential_of_the_command(cli: &Cli) {
    inventory(cli, "job", &serde_json::json!({"command": ["echo", "it is"]}));
    let address = format!("postgres://me:{SECRET}@db.company.com/x");
    let outcome = cli.run(&format!("run-local app --allow @command -- {address}")).ends_with(0);
    assert_shows_no_secret(&outcome);
    outcome.says("it is ••••");
}
