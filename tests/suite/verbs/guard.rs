//! Tests of the guard: the messages for values that name a production host or look like a real credential, the
//! absence of any start, and the flags that allow such values.

use insta::assert_snapshot;

use crate::support::cli::{Cli, Outcome};
use crate::support::engine::on;
use crate::support::repository::Repositories;

/// Its parts are harmless.
fn token() -> String {
    ["glpat", "aB3dE5gH7jK9mN1pQ2sT"].join("-")
}

fn inventory(cli: &Cli, run: &str, more: &str) {
    cli.inventory(&format!(
        "production:
  environment: {{IS_PRODUCTION: 'false'}}
  hosts: ['*.prod.example.org']
categories: [{{id: cloud, production: true}}]
components:
  - name: broker
    category: cloud
    hosts: [mq.example.com, 10.20.0.0/16]
  - name: helper
    category: service
    image: '{{busybox}}'
    run: {{command: [sh, -c, 'echo up; sleep 600'], ready: {{log: up}}}}
    environment: [{{name: HELPER_URL, default: 'http://helper'}}]
  - name: app
    category: job
    kind: job
    image: '{{busybox}}'
    run: {{command: [sh, -c, 'echo started $URL'{run}}}
{more}"
    ));
}

/// It was refused, and nothing has been started or is left.
#[track_caller]
fn assert_refused(cli: &Cli, line: &str) -> Outcome {
    let outcome = cli.run(line).ends_with(7);
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!all.contains("started mq") && !all.contains("  network"), "{outcome}");
    assert!(!all.contains(&token()) && !all.contains("hunter2"), "{outcome}");
    assert_eq!(cli.leftovers(), [""; 0]);
    outcome
}

on!(docker, podman, native: run_local_refuses_production_hosts);
fn run_local_refuses_production_hosts(cli: &Cli) {
    inventory(cli, "]", "");
    assert_snapshot!(assert_refused(cli, "run-local app -e URL=amqps://mq.example.com:5671/ -e LEVEL=INFO"), @"
    --- stderr
    error: `URL` of `app` (--env) names `mq.example.com`, which belongs to production (/tmp/cki-TESTID/project/inventory.yaml:8).
    hint: nothing was started; give other values, or allow these in this run only: `--allow URL`.
    --- exit 7
    ");
    cli.write("my.env", "# mine\nFIRST=http://a.PROD.example.org./x\nSECOND=10.20.3.4\n");
    assert_refused(cli, "run-local app --env-file my.env --detach")
        .says("error: `FIRST` of `app` (--env-file, my.env:2) names `a.prod.example.org`")
        .says("`SECOND` of `app` (--env-file, my.env:3) names `10.20.3.4`")
        .says("`10.20.0.0/16`")
        .says("`--allow FIRST --allow SECOND`");
    assert_refused(cli, "run-local app --network internet -e 'LIST=localhost,b.prod.example.org'")
        .says("`LIST` of");
    assert_refused(cli, "run-local app -- --server b.prod.example.org")
        .says("error: the command of `app` (after `--`) names `b.prod.example.org`")
        .says("`--allow @command`");
    let harmless = "-e A=prod.example.org.evil -e B=notmq.example.com -e C=10.21.0.1";
    cli.run(&format!("run-local app -q {harmless}")).ends_with(0);
}

on!(docker, podman, native: run_local_refuses_real_credentials);
fn run_local_refuses_real_credentials(cli: &Cli) {
    inventory(cli, "]", "    environment: [{name: GITLAB_TOKEN, secret: true, required: true}]\n");
    assert_refused(cli, &format!("run-local app -e GITLAB_TOKEN={}", token()))
        .says("error: `GITLAB_TOKEN` of `app` (--env) looks like a real credential: GitLab token");
    assert_refused(cli, "run-local app -e URL=postgresql://me:hunter2@db.company.com/x")
        .says("looks like a real credential: address with a password");
    assert_refused(cli, &format!("run-local app -- '{}'", token())).says("the command of `app` (after `--`)");
    // Its own placeholder secret is none, not even when it is handed on.
    cli.run("run-local app -q").ends_with(0);
    let reference = cli.run("env app -o dotenv").ends_with(0).stdout;
    cli.write("reference.env", &reference);
    cli.run("run-local app -q --env-file reference.env").ends_with(0);
}

on!(docker, podman, native: run_local_refuses_a_probe_of_production);
fn run_local_refuses_a_probe_of_production(cli: &Cli) {
    inventory(cli, "], ready: {exec: [nc, -z, mq.example.com, '5671']}", "");
    assert_refused(cli, "run-local app")
        .says("the command of `app` (/tmp/cki-TESTID/project/inventory.yaml:18) names `mq.example.com`")
        .says("`--allow @command`");
}

on!(docker, podman, native: run_local_allow_permits_named_variables);
fn run_local_allow_permits_named_variables(cli: &Cli) {
    inventory(cli, "]", "");
    let line = format!(
        "run-local app -e URL=mq.example.com -e TOKEN={} --allow URL --allow TOKEN --allow OTHER",
        token()
    );
    let outcome = cli.run(&line).ends_with(0);
    assert_eq!(outcome.stdout, "started mq.example.com\n");
    let outcome = outcome
        .says("warning: Allowed by `--allow URL`: `URL` of `app` (--env) names `mq.example.com`")
        .says("warning: Allowed by `--allow TOKEN`: `TOKEN` of `app` (--env) looks like a real credential")
        .says("warning: `--allow OTHER` allows nothing: nothing is wrong with it.");
    assert!(!outcome.stderr.contains(&token()));
    // Never remembered, nor taken from anywhere else.
    assert_refused(cli, "run-local app -e URL=mq.example.com");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\nallow = [\"URL\"]\n[run]\nallow = [\"URL\"]\n");
    let call =
        cli.call("run-local app -e URL=mq.example.com").set("CKI_ALLOW", "URL").set("CKI_RUN_ALLOW", "URL");
    call.end().ends_with(7);
    assert_refused(cli, "run-local app -e URL=mq.example.com --allow TOKEN");
    assert_refused(cli, "run-local app --allow IS_PRODUCTION")
        .says("error: `IS_PRODUCTION` cannot be allowed");
    cli.run("run-local app --allow A=B").ends_with(2);
    cli.run("run-local app --allow @command -q -- mq.example.com").ends_with(0);
}

on!(docker, podman, native: run_local_refuses_production_hosts_of_dependencies);
fn run_local_refuses_production_hosts_of_dependencies(cli: &Cli) {
    inventory(cli, "], needs: [helper]", "");
    let text = std::fs::read_to_string(cli.project().join("inventory.yaml")).expect("is there");
    cli.write("inventory.yaml", &text.replace("http://helper", "http://c.prod.example.org"));
    assert_refused(cli, "run-local app")
        .says("error: `HELPER_URL` of `helper` (default, /tmp/cki-TESTID/project/inventory.yaml:13) names `c.prod.example.org`");
    let outcome = cli.run("run-local app --allow HELPER_URL");
    outcome.ends_with(0).says("Allowed by `--allow HELPER_URL`");
}

on!(docker, podman: run_local_refuses_production_hosts_of_an_image);
fn run_local_refuses_production_hosts_of_an_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\nENV URL=http://d.prod.example.org\n")]);
    cli.inventory(
        "production: {hosts: ['*.prod.example.org']}
repos: {tools: '{served}/tools.git'}
components: [{name: app, category: x, kind: job, build: {repo: tools}, run: {command: [sh, -c, 'echo $URL']}}]\n",
    );
    assert_refused(cli, "run-local app").says("`URL` of `app` (image ").says("names `d.prod.example.org`");
    assert_eq!(cli.run("run-local app -q -e URL=http://stub").ends_with(0).stdout, "http://stub\n");
    assert_eq!(cli.run("run-local app -q --allow URL").ends_with(0).stdout, "http://d.prod.example.org\n");
}

#[test]
fn env_warns_of_production_hosts_and_credentials() {
    let cli = Cli::new();
    inventory(&cli, "]", "");
    let outcome = cli.run(&format!("env app -e URL=mq.example.com -e TOKEN={}", token())).ends_with(0);
    assert!(!outcome.stderr.contains(&token()) && !outcome.stdout.contains(&token()), "{outcome}");
    outcome
        .says("URL            mq.example.com")
        .says("warning: `URL` of `app` (--env) names `mq.example.com`, which belongs to production")
        .says("`cki run-local` refuses it.")
        .says("warning: `TOKEN` of `app` (--env) looks like a real credential: GitLab token");
    // Its name does not tell, but its value does.
    let outcome = cli.run("env app -e DB=postgres://u:hunter22@db.elsewhere.org/x").ends_with(0);
    assert!(!outcome.stdout.contains("hunter22"), "{outcome}");
}

#[test]
fn built_in_inventory_lists_production_hosts() {
    let cli = Cli::new();
    let needed = "-e DATAWAREHOUSE_URL=https://datawarehouse.cki-project.org";
    cli.run(&format!("run-local cki-notifier {needed}")).ends_with(7).says(
        "names `datawarehouse.cki-project.org`, which belongs to production (built in: inventory.yaml:",
    );
    let broker = "-e RABBITMQ_HOST='mq arr-cki-prod-rabbitmq-us-east-1a.infra.cki-project.org'";
    cli.run(&format!("run-local cki-notifier -e DATAWAREHOUSE_URL=http://stub {broker}"))
        .ends_with(7)
        .says("`*.infra.cki-project.org`, built in: inventory.yaml:");
}

#[test]
fn list_warns_of_invalid_production_hosts() {
    let cli = Cli::new();
    cli.inventory("production: {hosts: ['https://a.example.org']}\ncomponents: [{name: app, category: external, hosts: ['a b']}]\n");
    cli.run("list")
        .ends_with(0)
        .says("inventory.yaml:1:22: `https://a.example.org` is no host")
        .says("`a b` is no host: write a name, with `*` for any part, an address, or a range");
}

on!(docker, podman, native: run_local_checks_debug_init_and_probe_commands);
fn run_local_checks_debug_init_and_probe_commands(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("a", "a\n")]);
    let token = token();
    for (run, line) in [
        ("debug: {port: {port}, command: [echo, 'https://a.prod.example.org']}", "--debug-port {port}"),
        (
            &format!("debug: {{port: {{port}}, command: [echo, {token}, '{{command}}']}}"),
            "--debug-port {port}",
        ),
        ("init: [[echo, a.prod.example.org]]", ""),
        ("ready: {exec: [echo, a.prod.example.org]}", ""),
        ("ready: {http: /a.prod.example.org, port: 80}", ""),
    ] {
        cli.inventory(&format!(
            "production: {{hosts: ['*.prod.example.org']}}
repos: {{tools: '{{served}}/tools.git'}}
components: [{{name: app, category: x, image: '{{busybox}}', sources: [{{repo: tools}}], run: {{command: [echo, started mq], {run}}}}}]\n"
        ));
        assert_refused(cli, &cli.fill(&format!("run-local app {line}"))).says("`--allow @command`");
    }
}

on!(docker, podman: run_local_checks_the_health_check_of_an_image);
fn run_local_checks_the_health_check_of_an_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit(
        "tools",
        &[("Dockerfile", "FROM {busybox}\nHEALTHCHECK CMD wget -q http://d.prod.example.org/ || exit 1\n")],
    );
    cli.inventory(
        "production: {hosts: ['*.prod.example.org']}
repos: {tools: '{served}/tools.git'}
components: [{name: app, category: x, kind: job, build: {repo: tools}, run: {command: [echo, it ran]}}]\n",
    );
    // Podman tells of it only once there is a container.
    let outcome = cli.run("run-local app").ends_with(7).says("the command of `app` (");
    assert!(!outcome.says("names `d.prod.example.org`").stdout.contains("it ran"));
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: watch_checks_a_rebuilt_image);
fn watch_checks_a_rebuilt_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\nENV NUMBER=one\n")]);
    cli.inventory(
        "production: {hosts: ['*.prod.example.org']}
repos: {tools: '{served}/tools.git'}
components: [{name: app, category: x, build: {repo: tools}, run: {command: [sh, -c, 'echo number $NUMBER; exec sleep 1000']}}]\n",
    );
    let clone = cli.workspace().join("tools");
    let mut run = cli.start("run-local app --watch");
    run.until("number one");
    run.until("  watching     ");
    for (file, why) in [
        (
            "FROM {busybox}\nENV NUMBER=two U=http://e.prod.example.org V=f.prod.example.org\n".to_owned(),
            "Waiting",
        ),
        (format!("FROM {{busybox}}\nENV NUMBER=three TOKEN={}\n", token()), "a real credential"),
    ] {
        std::fs::write(clone.join("Dockerfile"), cli.fill(&file)).expect("writes");
        run.until(why);
        assert!(!run.has_ended());
    }
    std::fs::write(clone.join("Dockerfile"), cli.fill("FROM {busybox}\nENV NUMBER=four\n")).expect("writes");
    run.until("number four");
    run.signal(nix::sys::signal::Signal::SIGINT);
    let outcome = run.end().ends_with(130).says("`app` is as it was: the guard refuses the change. Waiting");
    for host in ["e.prod.example.org", "f.prod.example.org"] {
        let found: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains(host)).collect();
        assert_eq!(found.len(), 1, "{outcome}");
        assert!(found[0].starts_with("warning: ") && !found[0].contains("Waiting"), "{outcome}");
    }
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        !all.contains("number two") && !all.contains("number three") && !all.contains(&token()),
        "{outcome}"
    );
}

on!(docker, podman: logs_and_exec_mask_a_credential_of_an_image);
fn logs_and_exec_mask_a_credential_of_an_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", &format!("FROM {{busybox}}\nENV BAKED={}\n", token()))]);
    cli.inventory(
        "repos: {tools: '{served}/tools.git'}
components: [{name: app-{id}, category: x, build: {repo: tools}, run: {command: [sh, -c, 'echo it is $BAKED; exec sleep 1000'], ready: {log: it is}}}]\n",
    );
    cli.run("run-local app-{id} --detach").ends_with(7);
    cli.run("run-local app-{id} --detach --allow BAKED").ends_with(0);
    for line in ["logs app-{id}", "exec app-{id} -- env"] {
        let outcome = cli.run(line).ends_with(0);
        assert!(!outcome.stdout.contains(&token()) && outcome.stdout.contains("••••"), "{outcome}");
    }
    cli.run("down app-{id}").ends_with(0);
}

on!(docker, podman: run_local_refuses_an_image_whose_variable_differs_from_a_locked_one_by_case);
fn run_local_refuses_an_image_whose_variable_differs_from_a_locked_one_by_case(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\nENV is_Production=true\n")]);
    cli.inventory(
        "production: {environment: {IS_PRODUCTION: 'false'}}
repos: {tools: '{served}/tools.git'}
components: [{name: app, category: x, kind: job, build: {repo: tools}, run: {command: [echo, it ran]}}]\n",
    );
    let outcome = cli.run("run-local app").ends_with(7);
    assert!(!outcome.stdout.contains("it ran"), "{outcome}");
    outcome.says("`app` would start with `is_Production`, which differs from the locked `IS_PRODUCTION`");
    assert_eq!(cli.leftovers(), [""; 0]);
}
