//! Tests of backing services: real ones with requests, mock services of `cki` itself, the order of starts, and
//! services that are retained for the next run.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::on;

/// An inventory in which `app` runs a program of Python and needs something.
fn python(cli: &Cli, program: &str, needs: &str) {
    let command = serde_json::json!(["python3", "-u", "-c", program]);
    cli.inventory(&format!(
        "services: {{rabbitmq: {{image: '{{rabbitmq}}'}}, postgres: {{image: '{{postgres}}'}}, valkey: {{image: '{{valkey}}'}}}}
components: [{{name: app, category: x, kind: job, image: '{{python}}', run: {{command: {command}, needs: {needs}}}}}]\n"
    ));
}

/// Finds what was declared, and passes a message through it.
const DECLARED: &str = "
import os, pika
login = pika.PlainCredentials(os.environ['RABBITMQ_USER'], os.environ['RABBITMQ_PASSWORD'])
connection = pika.BlockingConnection(pika.ConnectionParameters(
    os.environ['RABBITMQ_HOST'], int(os.environ['RABBITMQ_PORT']), os.environ['RABBITMQ_VIRTUAL_HOST'], login))
channel = connection.channel()
channel.confirm_delivery()
channel.exchange_declare('hooks', 'topic', passive=True)
channel.basic_publish('hooks', 'push.kernel', b'through the binding', mandatory=True)
channel.basic_publish('hooks', 'other', b'nowhere')
print('waiting:', channel.queue_declare('mine', passive=True).method.message_count)
print(os.environ['RABBITMQ_VIRTUAL_HOST'], channel.basic_get('mine', auto_ack=True)[2].decode())
";

on!(docker, podman: run_local_declares_requested_queues_in_rabbitmq);
fn run_local_declares_requested_queues_in_rabbitmq(cli: &Cli) {
    let asked = "{virtual_host: cki, exchanges: [hooks], queues: [{name: mine, bind: [{exchange: hooks, routing_key: 'push.#'}]}]}";
    python(cli, DECLARED, &format!("[{{rabbitmq: {asked}}}]"));
    assert_eq!(cli.run("run-local app -q").ends_with(0).stdout, "waiting: 1\ncki through the binding\n");
}

/// Says something to a server and prints what it answers.
const REDIS: &str = "
import os, socket
connection = socket.create_connection((os.environ['VALKEY_HOST'], int(os.environ['VALKEY_PORT'])))
connection.sendall(b'PING\\r\\nSET a 1\\r\\nGET a\\r\\n')
answer = b''
while answer.count(b'\\n') < 4: answer += connection.recv(100)
print(answer.split())
";

on!(docker, podman: run_local_connects_a_component_to_valkey);
fn run_local_connects_a_component_to_valkey(cli: &Cli) {
    python(cli, REDIS, "[valkey]");
    assert_eq!(cli.run("run-local app -q").ends_with(0).stdout, "[b'+PONG', b'+OK', b'$1', b'1']\n");
}

/// Two components with a database each on one server, one of which prepares its own.
fn databases(cli: &Cli) {
    let sql = |database: &str, sql: &str| {
        let script = format!(
            "psql -qAt \"postgresql://$POSTGRES_USER:$POSTGRES_PASSWORD@$POSTGRES_HOST/{database}\" -c \"{sql}\""
        );
        serde_json::json!(["sh", "-c", script])
    };
    let migrate = sql("$POSTGRES_DB", "CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1)");
    let count = sql("$POSTGRES_DB", "SELECT current_database(), count(*) FROM t");
    let other = sql("$POSTGRES_DB", "SELECT current_database()");
    cli.inventory(&format!(
        "services: {{postgres: {{image: '{{postgres}}'}}}}
components:
  - {{name: app, category: x, kind: job, image: '{{postgres}}',
     run: {{command: {count}, init: [{migrate}], needs: [postgres, other]}}}}
  - {{name: other, category: x, kind: job, image: '{{postgres}}',
     run: {{command: {other}, needs: [{{postgres: {{database: second}}}}]}}}}
"
    ));
}

on!(docker, podman: run_local_gives_each_component_its_own_database);
fn run_local_gives_each_component_its_own_database(cli: &Cli) {
    databases(cli);
    assert_snapshot!(cli.run("run-local app --keep-services"), @r"
    cki|1
    --- stderr
      env          6 variables: 6 from postgres
      network      isolated: it reaches postgres and nothing else
      postgres     ready, retained from now on
      other        done
      app-init     done
    ✔ `app` ended after TIME, postgres retained, nothing else left behind.
    --- exit 0
    ");
    // The login is the same in every run of a workspace, and so is what was stored.
    let again = cli.run("run-local app --keep-services").ends_with(0).says("ready, retained from before");
    assert_eq!(again.stdout, "cki|2\n");
    cli.run("down postgres").ends_with(0).says("Removed `postgres`.");
    let again = cli.run("run-local app --keep-services").ends_with(0).says("ready, retained from now on");
    assert_eq!(again.stdout, "cki|3\n", "what is stored stays when the service goes");
    cli.run("down postgres --volumes").ends_with(0).says("and volume `cki-");
}

/// A service of the user's own that counts how often it was started.
fn counting(cli: &Cli, needs: &str) {
    app(cli, "job", "busybox nc -w 3 store 9000 </dev/null", needs);
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    let script = "trap 'exit 0' TERM; echo start >>/data/starts
        while :; do echo \"{{ needs[0].word }} $(wc -l </data/starts)\" | busybox nc -l -p 9000 & wait $!; done";
    let command = serde_json::json!(["sh", "-c", script]);
    cli.write(
        "templates/services/store.yaml",
        &format!(
            "image: '{{busybox}}'\nparameters: {{word: first}}\ncommand: {command}\nvolumes: [/data]\n\
             ready: {{exec: [test, -s, /data/starts]}}\nprovides: {{STORE: {{value: '{{{{ host }}}}'}}}}\n"
        ),
    );
}

on!(docker, podman: keep_services_reuses_or_replaces_a_service);
fn keep_services_reuses_or_replaces_a_service(cli: &Cli) {
    counting(cli, "needs: [store]");
    let out = |line: &str, says: &str| cli.run(line).ends_with(0).says(says).stdout;
    assert_eq!(out("run-local app --keep-services", "ready, retained from now on"), "first 1\n");
    assert_eq!(out("run-local app --keep-services", "ready, retained from before"), "first 1\n");
    // A run that keeps nothing has its own.
    assert_eq!(out("run-local app", "nothing left behind"), "first 1\n");
    let kept = cli.run("ps -o json").json();
    let own = |one: &&serde_json::Value| one["name"] == "store" && one["retained"] == true;
    assert!(kept["instances"].as_array().expect("is a list").iter().any(|one| own(&one)), "{kept}");
    // Another specification takes its place, and what was stored stays.
    counting(cli, "needs: [{store: {word: second}}]");
    assert_eq!(out("run-local app --keep-services", "ready, replaces the retained one"), "second 2\n");
    // What somebody has removed by hand is made again.
    cli.remove_by_hand("store");
    assert_eq!(out("run-local app --keep-services", "ready, retained from now on"), "second 3\n");
    cli.run("down store --volumes").ends_with(0).says("Removed `store` and volume `cki-");
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: keep_services_shares_a_service_between_runs);
fn keep_services_shares_a_service_between_runs(cli: &Cli) {
    counting(cli, "needs: [store]");
    // The server takes one connection after another, and refuses in between.
    let script = "until busybox nc -w 3 store 9000 </dev/null; do sleep 0.1; done; exec sleep 1000";
    let inventory = std::fs::read_to_string(cli.project().join("inventory.yaml")).expect("is there");
    app(cli, "service", script, "needs: [store]");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    // At the same instant, and only one of them makes it.
    let mut runs = [cli.start("run-local app --keep-services"), cli.start("run-local app --keep-services")];
    for run in &mut runs {
        run.until("first 1");
    }
    // It cannot be replaced while they use it.
    std::fs::write(cli.project().join("inventory.yaml"), &inventory).expect("writes");
    counting(cli, "needs: [{store: {word: second}}]");
    cli.run("run-local app --keep-services").ends_with(7).says("and another run uses it");
    for run in runs {
        run.signal(Signal::SIGTERM);
        run.end().ends_with(143).says("store retained, nothing else left behind");
    }
    assert_eq!(cli.run("run-local app --keep-services").ends_with(0).stdout, "second 2\n");
    // What a killed run owned goes; retained services stay.
    app(cli, "service", script, "needs: [{store: {word: second}}]");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    let mut run = cli.start("run-local app --keep-services");
    run.until("second 2");
    run.signal(Signal::SIGKILL);
    run.end().ends_with(-9);
    cli.run("ps -q").ends_with(0);
    cli.wait_for("only the retained one", || {
        cli.leftovers().iter().all(|left| left.contains("store") || left.contains("services/store"))
    });
    cli.run("down store --volumes").ends_with(0);
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: keep_services_removes_a_service_that_is_never_ready);
fn keep_services_removes_a_service_that_is_never_ready(cli: &Cli) {
    counting(cli, "needs: [store]");
    cli.write(
        "templates/services/store.yaml",
        "image: '{busybox}'\ncommand: [sh, -c, 'echo no disk; sleep 1000']\nvolumes: [/data]\n\
         ready: {exec: [sh, -c, 'echo the store is locked >&2; exit 3']}\nprovides: {STORE: {value: x}}\n",
    );
    let run = cli.call("run-local app --keep-services").set("CKI_RUN_READY_TIMEOUT", "1").end();
    run.ends_with(124).says("no disk").says("ends with 3: the store is locked");
    assert_eq!(cli.leftovers(), [""; 0]);
}

/// Sends a mail and asks the stub, and prints what comes back.
const STAND_INS: &str = "
import os, smtplib, urllib.request, urllib.error
with smtplib.SMTP(os.environ['SMTP_HOST'], int(os.environ['SMTP_PORT'])) as mail:
    mail.login('somebody', 'hunter2-hunter2')
    mail.sendmail('a@example.org', ['b@example.org'], 'Subject: hi\\r\\n\\r\\n.a dot')
url = os.environ['HTTP_URL']
print(urllib.request.urlopen(url + '/api/1/x?y=z', b'{}').read().decode())
try: urllib.request.urlopen(url + '/other')
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
import time; time.sleep({seconds})
";

const ANSWERS: &str = "[smtp, {http: {answers: [{path: '/api/1/*', method: POST, body: {id: 7}}]}}]";

on!(docker, podman: stand_in_services_answer_smtp_and_http);
fn stand_in_services_answer_smtp_and_http(cli: &Cli) {
    cli.place("seconds", "1000");
    python(cli, STAND_INS, ANSWERS);
    let mut run = cli.start("run-local app");
    run.until("no answer is given for GET /other");
    let mail = cli.run("logs smtp").ends_with(0).stdout;
    assert_eq!(
        mail,
        "listening on port 1025\nmail from a@example.org to b@example.org: 3 lines\n  Subject: hi\n  \n  .a dot\n"
    );
    let http = cli.run("logs http").ends_with(0).stdout;
    assert_eq!(http, "listening on port 8080\nPOST /api/1/x?y=z 200\n  {}\nGET /other 404\n");
    run.signal(Signal::SIGTERM);
    let ended = run.end().ends_with(143);
    assert!(ended.stdout.starts_with("{\"id\":7}\n404 "), "{ended}");
    cli.bench().remove_stand_ins();
}

on!(native: stand_in_services_answer_without_containers);
fn stand_in_services_answer_without_containers(cli: &Cli) {
    cli.place("seconds", "0");
    python(cli, STAND_INS, ANSWERS);
    let ended = cli.run("run-local app -q").ends_with(0);
    assert!(ended.stdout.starts_with("{\"id\":7}\n404 "), "{ended}");
    cli.run("run-local app --keep-services").ends_with(2).says("cannot be retained");
}

on!(docker, podman, native: run_local_starts_dependencies_and_init_in_order);
fn run_local_starts_dependencies_and_init_in_order(cli: &Cli) {
    let inventory = |code: u8| {
        let web = serde_json::json!(["sh", "-c", "echo up; exec sleep 1000"]);
        let init = serde_json::json!([
            ["sh", "-c", "echo preparing"],
            ["sh", "-c", format!("echo cannot; exit {code}")]
        ]);
        app(cli, "job", "echo the work", &format!("needs: [web, before], init: {init}"));
        cli.inventory_more(&format!(
            "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: up}}}}}}
  - {{name: before, category: x, kind: job, image: '{{busybox}}', run: {{command: [sh, -c, 'exit 0'], needs: [web]}}}}\n"
        ));
    };
    inventory(0);
    let done = cli.run("run-local app").ends_with(0).says("app-init-2   done");
    assert_eq!(done.stdout, "the work\n");
    let place = |text: &str| done.stderr.find(text).unwrap_or_else(|| panic!("no {text}: {done}"));
    assert!(
        place("web ") < place("before ")
            && place("before ") < place("app-init ")
            && place("app-init ") < place("app-init-2")
    );
    inventory(4);
    let failed = cli.run("run-local app").ends_with(1).says("cannot");
    failed.says("`app-init-2` ended with exit code 4, and what needs it cannot start");
}

on!(docker, podman: run_local_reports_a_failing_service_setup);
fn run_local_reports_a_failing_service_setup(cli: &Cli) {
    counting(cli, "needs: [store]");
    cli.write(
        "templates/services/store.yaml",
        "image: '{busybox}'\nparameters: {table: one}\ncommand: [sh, -c, 'echo serving; sleep 1000']\n\
         ready: {log: serving}\nsetup: [{run: [sh, -c, 'echo no table \"$1\"; exit 2', sh, '{{ table }}']}]\n\
         provides: {STORE: {value: x}}\n",
    );
    assert_snapshot!(cli.run("run-local app"), @r#"
    --- stderr
      env          2 variables: 1 from store, 1 locked
      network      isolated: it reaches store and nothing else
    serving
      store        not finished
    error: `store` cannot be set up: `sh -c 'echo no table "$1"; exit 2' sh one` ends with 2: no table one.
    hint: its last lines are above.
    --- exit 1
    "#);
    app(cli, "job", "true", "needs: [{store: {tabel: two}}]");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    cli.run("run-local app")
        .ends_with(4)
        .says("`store` has no parameter `tabel`")
        .says("did you mean `table`?");
}

on!(docker, podman: run_local_detach_reuses_an_identical_run);
fn run_local_detach_reuses_an_identical_run(cli: &Cli) {
    let two = "version: 1
components:
  - {name: one, category: service, kind: service, image: '{busybox}', run: {command: [sleep, '1000']}}
  - {name: two, category: service, kind: service, image: '{busybox}', run: {command: [sleep, '1000']}}
";
    cli.inventory(two);
    let up = "run-local one two --detach";
    let first = cli.run(up).ends_with(0);
    assert!(!first.stderr.contains("from before"), "{first}");
    let here = cli.leftovers();
    cli.run(up).ends_with(0).says("from before");
    assert_eq!(cli.leftovers(), here, "nothing was made or removed");
    // What is made from something else is not the same.
    cli.run("run-local one --detach -e LEVEL=7").ends_with(0).says("one of run");
    assert_ne!(cli.leftovers(), here);
    assert_eq!(cli.run("ps -o name").ends_with(0).stdout, "two\none\n", "the other one continues");
    cli.run("down one two").ends_with(0);
    assert_eq!(cli.leftovers(), [""; 0]);
}
