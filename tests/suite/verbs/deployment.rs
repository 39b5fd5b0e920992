//! Values that a component's deployment gives to a local run: read from a clone, told by `cki env`, and
//! found in the container that `cki run-local` starts.

use insta::assert_snapshot;

use super::env::values;
use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
repos: {deploy: '{served}/deploy.git', code: '{served}/code.git'}
production:
  environment: {IS_PRODUCTION: \"false\"}
  hosts: ['*.prod.example.org']
components:
  - name: web
    category: service
    kind: service
    environment: [{name: LEVEL, default: WARN}, {name: URL, required: true}]
    deployment: [{repo: deploy, path: overlays/production}]
  - name: composed
    category: service
    kind: service
    deployment: [{repo: deploy, path: compose.yaml}]
";

const BASE: &str = "\
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
        - name: migrate
          image: {busybox}
          command: [sh, -c, 'test $STEP-$LEVEL = up-INFO']
          env: [{name: STEP, value: up}, {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}}]
      containers:
        - name: web
          image: {busybox}
          command: [sh, -c]
          args: ['env | sort; echo \"$0\"; busybox httpd -f -p 8000 -h /etc & echo up; wait', 'word of $(LEVEL)']
          ports: [{containerPort: 8000}]
          readinessProbe: {exec: {command: ['true']}}
          envFrom: [{configMapRef: {name: settings}}]
          env:
            - {name: HOST, value: localhost}
            - {name: URL, value: 'https://$(HOST)/v1'}
            - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: login, key: token}}}
            - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: IS_PRODUCTION, value: 'true'}
apiVersion: apps/v1
";

const OVERLAY: &str = "\
resources: [../../base]
namePrefix: prod-
configMapGenerator:
- {name: settings, behavior: merge, literals: [LEVEL=INFO]}
patches:
- patch: |-
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: web, env: [
      {name: HOST, value: api.prod.example.org}]}]}}}
    apiVersion: apps/v1
";

const COMPOSE: &str = "\
services:
  composed:
    image: ${IMAGE:?which image}
    command: [sh, -c, 'echo $$GREETING; exit 3']
    depends_on: {before: {condition: service_completed_successfully}}
    environment: [\"GREETING=${WORD:-hello}\"]
    env_file: more.env
  before: {image: \"${IMAGE}\", command: [sh, -c, 'test $$GREETING = before'], environment: {GREETING: before}}
";

const FILES: [(&str, &str); 6] = [
    (
        "base/kustomization.yaml",
        "resources: [web.yaml]\nconfigMapGenerator:\n- {name: settings, literals: [LEVEL=DEBUG]}\n",
    ),
    ("base/web.yaml", BASE),
    ("overlays/production/kustomization.yaml", OVERLAY),
    ("compose.yaml", COMPOSE),
    (".env", "IMAGE={busybox}\n"),
    ("more.env", "GREETING=none\nMORE='a # b' # c\n"),
];

/// With a repository that holds the deployment, cloned.
fn cli() -> Cli {
    let cli = Cli::new();
    {
        let repositories = Repositories::new(&cli);
        repositories.commit("deploy", &FILES);
        cli.inventory(INVENTORY);
    }
    cli
}

#[test]
fn env_explain_names_the_deployment_line_of_each_value() {
    let cli = cli();
    cli.run("env web")
        .ends_with(4)
        .says("warning: the deployment of `web` is in `deploy`, which is not cloned; `cki clone web` makes its values part of this.");
    cli.run("clone web").ends_with(0);
    let line = "env web --explain";
    assert_snapshot!(cli.run(line), @"
    VARIABLE       VALUE                              WHY                                              WHERE                                                                      IN PRODUCTION
    API_TOKEN      ••••••••                           placeholder secret (token); secret               /tmp/cki-TESTID/home/cki/deploy/base/web.yaml:22                           (Secret login, key token)
    HOST           host.reference.invalid             deployment, replaced by rule `host`              /tmp/cki-TESTID/home/cki/deploy/overlays/production/kustomization.yaml:10  api.prod.example.org
    IS_PRODUCTION  false                              locked: never production, instead of deployment  /tmp/cki-TESTID/project/inventory.yaml:3                                   true
    LEVEL          INFO                               deployment, instead of default                   /tmp/cki-TESTID/home/cki/deploy/overlays/production/kustomization.yaml:4   INFO
    NAMESPACE      local                              deployment, replaced by rule `namespace`         /tmp/cki-TESTID/home/cki/deploy/base/web.yaml:23                           (metadata.namespace)
    URL            https://host.reference.invalid/v1  deployment; required                             /tmp/cki-TESTID/home/cki/deploy/base/web.yaml:21                           https://api.prod.example.org/v1
    --- stderr
    6 variables: 4 from the deployment, 1 placeholder secret, 1 locked
    --- exit 0
    ");
    assert_snapshot!(cli.call(line).terminal(80).set("NO_COLOR", "1").end(), @"
    API_TOKEN      ••••••••
      placeholder secret (token); secret  ~/cki/deploy/base/web.yaml:22
      production: (Secret login, key token)
    HOST           host.reference.invalid
      deployment, replaced by rule `host`
      ~/cki/deploy/overlays/production/kustomization.yaml:10
      production: api.prod.example.org
    IS_PRODUCTION  false
      locked: never production, instead of deployment  inventory.yaml:3
      production: true  ~/cki/deploy/base/web.yaml:24
    LEVEL          INFO
      deployment, instead of default
      ~/cki/deploy/overlays/production/kustomization.yaml:4
      production: INFO
    NAMESPACE      local
      deployment, replaced by rule `namespace`  ~/cki/deploy/base/web.yaml:23
      production: (metadata.namespace)
    URL            https://host.reference.invalid/v1
      deployment; required  ~/cki/deploy/base/web.yaml:21
      production: https://api.prod.example.org/v1
    --- stderr
    6 variables: 4 from the deployment, 1 placeholder secret, 1 locked
    --- exit 0
    ");
    let json = cli.run("env web -o json").ends_with(0).json();
    let host = json["variables"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "HOST"));
    let host = host.expect("is there").to_string();
    assert_snapshot!(cli.redact(&host), @r#"
    {"name":"HOST","value":"host.reference.invalid","secret":false,"required":false,"type":null,"origin":"deployment","reason":"deployment","place":"/tmp/cki-TESTID/home/cki/deploy/overlays/production/kustomization.yaml:10","instead_of":null,"replaced_by":"host","production":{"value":"api.prod.example.org","description":null,"place":"/tmp/cki-TESTID/home/cki/deploy/overlays/production/kustomization.yaml:10"}}
    "#);
    let composed = values(&cli, "env composed");
    assert_eq!((composed["GREETING"].as_str(), composed["MORE"].as_str()), ("hello", "a # b"));
}

#[test]
fn env_diff_compares_two_environments() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    repositories.commit("deploy", &FILES);
    cli.inventory(INVENTORY);
    let mut changed = FILES;
    let overlay = OVERLAY.replace("api.prod", "other.prod").replace("LEVEL=INFO", "NEW_TOKEN=hunter2");
    changed[2].1 = &overlay;
    repositories.commit_to("deploy", "refs/heads/next", &changed);
    cli.run("clone web").ends_with(0);
    assert_snapshot!(cli.run("env web --diff deployment"), @"
       VARIABLE       deployment                       local
    ~  API_TOKEN      (Secret login, key token)        ••••••••
    ~  HOST           api.prod.example.org             host.reference.invalid
    ~  IS_PRODUCTION  true                             false
    ~  NAMESPACE      (metadata.namespace)             local
    ~  URL            https://api.prod.example.org/v1  https://host.reference.invalid/v1
    --- stderr
    5 with another value; 1 variable is the same.
    --- exit 0
    ");
    assert_snapshot!(cli.run("env web --diff main..next"), @"
       VARIABLE   main                             next
    ~  HOST       api.prod.example.org             other.prod.example.org
    ~  LEVEL      INFO                             DEBUG
    +  NEW_TOKEN  –                                ••••••••
    ~  URL        https://api.prod.example.org/v1  https://other.prod.example.org/v1
    --- stderr
    3 with another value, 1 only in next; 3 variables are the same.
    --- exit 0
    ");
    assert_snapshot!(cli.run("env web --diff composed"), @"
       VARIABLE   web                                composed
    -  API_TOKEN  ••••••••                           –
    +  GREETING   –                                  hello
    -  HOST       host.reference.invalid             –
    -  LEVEL      INFO                               –
    +  MORE       –                                  a # b
    -  NAMESPACE  local                              –
    -  URL        https://host.reference.invalid/v1  –
    --- stderr
    5 only in web, 2 only in composed; 1 variable is the same.
    --- exit 0
    ");
    let json = cli.run("env web --diff main..next -o json").ends_with(0);
    assert!(!json.stdout.contains("hunter2"), "{json}");
    let json = json.json();
    let token =
        json["differences"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "NEW_TOKEN"));
    let token = token.expect("is there");
    assert_eq!((&token["change"], &token["right"]["value"]), (&"added".into(), &"••••••••".into()));
    // What the sources read is known at both times, too; and if that is all, it is what is compared.
    cli.inventory_more("  - {name: reader, category: service, sources: [{repo: code, path: src}]}\n");
    let code = |text: &str| [("src/a.py", format!("import os\nos.environ['KEPT']\n{text}"))];
    for (reference, text) in
        [("refs/heads/main", "os.environ['OLD']\n"), ("refs/heads/next", "\nos.getenv('NEW')\n")]
    {
        let files = code(text);
        repositories.commit_to(
            "code",
            reference,
            &files.each_ref().map(|(path, text)| (*path, text.as_str())),
        );
    }
    cli.run("env reader --diff main..next").ends_with(3).says("hint: `cki clone reader`.");
    cli.run("clone reader").ends_with(0);
    assert_snapshot!(cli.run("env reader --diff main..next"), @"
       VARIABLE  main    next
    +  NEW       –       (read)
    -  OLD       (read)  –
    --- stderr
    1 only in main, 1 only in next; 1 variable is the same.
    --- exit 0
    ");
    let json = cli.run("env reader --diff main..next -o json").ends_with(0).json();
    assert_eq!(json["differences"][0]["right"]["place"], "src/a.py:4");
    cli.run("env reader --diff main..nowhere")
        .ends_with(3)
        .says("no source of `reader` has the revision `nowhere`");
    cli.run("env web --diff main..nowhere").ends_with(3).says("has no revision `nowhere`");
    cli.run("env web --diff nobody").ends_with(3);
    cli.run("env web --diff deployment -o shell").ends_with(2);
    cli.run("env web --diff deployment --explain").ends_with(2);
}

const SECRETS: &str = "\
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: '{busybox}'
      command: [echo, 'https://hooks.prod.example.org/T0/hunter2']
      env:
        - {name: DATABASE_URL, value: 'postgres://u:hunter2@db.prod.example.org/x'}
        - {name: DB_PASSWORD, value: hunter2}
        - {name: LINK, value: 'x/$(DB_PASSWORD)'}
        - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: login, key: token}}}
        - {name: URL, value: 'https://u:$(API_TOKEN)@localhost/'}
";

#[test]
fn env_masks_secrets_of_a_deployment() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    let files = |pod: &str| {
        let compose = "services: {composed: {image: x, environment: {MODE: '${DB_PASSWORD}', URL: 'pg://u:${DB_PASSWORD}@h'}, command: 'serve --password=${DB_PASSWORD} --level ${LEVEL}', healthcheck: {test: 'ask ${DB_PASSWORD}'}}}";
        let files = [
            ("overlays/production/a.yaml", pod.to_owned()),
            ("compose.yaml", compose.to_owned()),
            (".env", "DB_PASSWORD=hunter2\nLEVEL=info\n".to_owned()),
        ];
        files.map(|(path, text)| (path, text))
    };
    let (one, two) = (files(SECRETS), files(&SECRETS.replace("hunter2", "hunter2+").replace("db.", "db2.")));
    repositories.commit("deploy", &one.each_ref().map(|(path, text)| (*path, text.as_str())));
    cli.inventory(INVENTORY);
    repositories.commit_to(
        "deploy",
        "refs/heads/next",
        &two.each_ref().map(|(path, text)| (*path, text.as_str())),
    );
    cli.run("clone web").ends_with(0);
    for line in [
        "env web --explain",
        "env web -o json",
        "env web -o shell",
        "env web --diff deployment",
        "env web --diff main..next",
        "env web --diff main..next -o json",
        "env composed --explain",
        "env composed -o json",
        "env composed -o dotenv",
        "env composed --diff deployment",
    ] {
        let outcome = cli.run(line).ends_with(0);
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!all.contains("hunter2") && all.contains("URL"), "{line}: {outcome}");
    }
    // A command gets the placeholder that the variable has.
    let printed = cli.run("run-local composed --engine native --print compose --reveal").ends_with(0).stdout;
    let mode = cli.run("env composed -o json --reveal").ends_with(0).stdout;
    let mode: serde_json::Value = serde_json::from_str(&mode).expect("is JSON");
    let variables = mode["variables"].as_array().expect("is a list");
    let mode = variables.iter().find(|one| one["name"] == "MODE").expect("is there")["value"].as_str();
    let mode = mode.expect("has a value");
    assert!(!printed.contains("hunter2") && printed.contains(&format!("--password={mode}")), "{printed}");
    assert!(printed.contains("info") && printed.contains(&format!("ask {mode}")), "{printed}");
    // A secret of the user's own is hidden wherever it gets to.
    let mine = cli.run("env web -o dotenv -e API_TOKEN=mine").ends_with(0).stdout;
    assert!(!mine.contains("mine") && mine.contains("# URL is a secret of yours"), "{mine}");
    let shown = cli.run("env web -o dotenv -e API_TOKEN=mine --reveal").ends_with(0).stdout;
    assert!(shown.contains("URL=https://u:mine@localhost/\n"), "{shown}");
    let made = cli.run("env web -o dotenv").ends_with(0).stdout;
    assert!(made.contains("URL=https://u:cki-reference-"), "{made}");
}

#[test]
fn run_local_replaces_secrets_that_are_written_in_a_command() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    let compose = "\
services:
  composed:
    image: x
    user: '1000'
    entrypoint: ''
    command: [app, --token=S3cr3tA1, --password, S3cr3tA2, 'pg://u:S3cr3tA3@h/d', 'PGPASSWORD=S3cr3tA4 run',
      'u:S3cr3tA5@tcp(h)/d', --level, info]
    healthcheck: {test: [CMD, check, --password=S3cr3tA6]}
";
    repositories.commit("deploy", &[("compose.yaml", compose)]);
    cli.inventory(INVENTORY);
    cli.run("clone composed").ends_with(0);
    for line in
        ["--dry-run", "--dry-run -o json", "--print compose", "--print compose --reveal", "--print kube"]
    {
        let outcome = cli.run(&format!("run-local composed --engine native {line}")).ends_with(0);
        assert!(!outcome.to_string().contains("S3cr3t"), "{line}: {outcome}");
    }
    let explained = cli.run("env composed --explain").ends_with(0);
    explained.says("compose.yaml:4:11: `user` of a Compose service has no effect in a local run");
    // Without the image's entry point, the command is the whole one.
    let printed = cli.run("run-local composed --engine native --print compose --reveal").stdout;
    assert!(printed.contains("entrypoint: []\n") && printed.contains("- --level\n"), "{printed}");
}

on!(docker: run_local_masks_command_words_that_name_production);
fn run_local_masks_command_words_that_name_production(cli: &Cli) {
    let repositories = Repositories::new(cli);
    let probe = "      readinessProbe: {exec: {command: [nc, -z, db.prod.example.org, '1']}}\n";
    let pod = SECRETS.lines().filter(|line| !line.contains("hunter2@"));
    let pod: String = pod.map(|line| format!("{line}\n")).collect();
    repositories.commit("deploy", &[("overlays/production/a.yaml", &pod)]);
    cli.inventory(INVENTORY);
    cli.run("clone web").ends_with(0);
    let outcome = cli.run("run-local web --dry-run").ends_with(0);
    let said = "word 2 of the command names production; the rule `address` puts another in its place";
    assert!(outcome.stderr.contains(said) && !outcome.stderr.contains("hunter2"), "{outcome}");
    let asked = SECRETS.replace("      command:", &format!("{probe}      command:"));
    cli.inventory(
        &INVENTORY.replace("repo: deploy, path: overlays/production", "repo: deploy, path: probed.yaml"),
    );
    repositories.commit("deploy", &[("probed.yaml", &asked)]);
    cli.run("clone web").ends_with(0);
    cli.run("run-local web").ends_with(7).says("the command of `web`").says("names `db.prod.example.org`");
}

#[test]
fn env_reports_the_place_of_a_deployment_error() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    let bomb: String = (1..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "))
    });
    let files: [(&str, &str); 7] = [
        ("broken.yaml", "kind: Pod\nspec: [\n"),
        ("bomb.yaml", &bomb),
        ("cycle/kustomization.yaml", "resources: [../cycle]\n"),
        ("out/kustomization.yaml", "resources: [../../../etc]\n"),
        ("two.yaml", "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: b}, {name: c}]}}"),
        ("required.yaml", "services: {x: {image: a, environment: {A: '${B:?tell me}'}}}"),
        ("long.yaml", &"# long\n".repeat(200_000)),
    ];
    repositories.commit("deploy", &files);
    let entry = |name: &str, path: &str| {
        format!("  - {{name: {name}, category: service, deployment: [{{repo: deploy, path: {path}}}]}}\n")
    };
    let paths = [
        "broken.yaml",
        "bomb.yaml",
        "cycle",
        "out",
        "two.yaml",
        "required.yaml",
        "long.yaml",
        "none",
        "../x",
    ];
    let entries: String = paths.iter().enumerate().map(|(i, path)| entry(&format!("c{i}"), path)).collect();
    cli.inventory(&format!("repos: {{deploy: '{{served}}/deploy.git'}}\ncomponents:\n{entries}"));
    cli.run("clone c0").ends_with(0);
    for (index, said) in [
        "home/cki/deploy/broken.yaml:2:7: ",
        "home/cki/deploy/bomb.yaml:6:",
        "home/cki/deploy/cycle` is built on itself",
        "`../../../etc` leads out of the repository",
        "which container is `c4`? The deployment has `Pod/a/b` and `Pod/a/c`",
        "`A` is not known: `B` is required and has no value: tell me",
        "inventory.yaml:9: the deployment has no container",
        "inventory.yaml:10: the deployment has no file or directory `none`",
        "inventory.yaml:11: `../x` leads out of the repository",
    ]
    .into_iter()
    .enumerate()
    {
        let code = if index == 7 { 3 } else { 4 };
        cli.run(&format!("env c{index}")).ends_with(code).says(said);
    }
}

on!(docker, podman: run_local_applies_the_deployment_overlay);
fn run_local_applies_the_deployment_overlay(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("deploy", &FILES);
    cli.inventory(INVENTORY);
    // It is cloned on the way; what the overlay does not say, its base does.
    let mut run = cli.start("run-local web");
    run.until("  web-init     done");
    run.until("  web          ready");
    run.until("up");
    run.signal(nix::sys::signal::Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    let said: Vec<&str> = outcome.stdout.lines().collect();
    for line in [
        "HOST=host.reference.invalid",
        "URL=https://host.reference.invalid/v1",
        "LEVEL=INFO",
        "IS_PRODUCTION=false",
        "NAMESPACE=local",
        "API_TOKEN=••••••••",
        "word of INFO",
    ] {
        assert!(said.contains(&line), "{line}: {outcome}");
    }
    assert!(!outcome.stdout.contains("prod.example.org"), "{outcome}");
    // A command without an entry point goes to that of the image.
    cli.run("run-local composed").ends_with(3).says("hello").says("composed-init  done");
}
