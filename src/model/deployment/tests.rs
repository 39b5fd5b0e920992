//! Tests of whole deployments in realistic form.

mod compose_file;

use super::expansion::Segment;
use super::files::tests::FileCache;
use super::*;
use crate::model::port::DeclaredPort;
use crate::model::probe::ReadinessProbe;
use proptest::prelude::*;

fn read_as(component: &str, path: &str, files: &[(&str, &str)]) -> Result<Deployment, DeploymentError> {
    let files = FileCache::of(files);
    read(component, &[DeploymentItem { files: &files, path, container: None, place: "i.yaml:7" }])
}

/// Returns each variable as `NAME=value @place`.
fn variables(deployment: &Deployment) -> Vec<String> {
    let value = |given: &EnvEntry| match &given.value {
        EnvVarSource::Text(pieces) => expansion::render(pieces, &|_| None),
        EnvVarSource::Secret { secret, key } => format!("<{secret}/{key}>"),
        EnvVarSource::Field(field) => format!("<{field}>"),
        EnvVarSource::Unknown(why) => format!("? {why}"),
        EnvVarSource::Required(why) => format!("! {why}"),
    };
    deployment.container.variables.iter().map(|g| format!("{}={} @{}", g.name, value(g), g.place)).collect()
}

fn findings(deployment: &Deployment) -> Vec<String> {
    deployment.findings.iter().map(ToString::to_string).collect()
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
        - {name: migrate, image: 'registry.example.org/web:2', command: [migrate, $(STEP)], env: [{name: STEP, value: up}]}
        - {name: wait, image: x, args: [db]}
        - {name: proxy, image: x, restartPolicy: Always}
      containers:
        - name: web
          image: registry.example.org/web:1
          command: [web, --name, $(NAME)]
          args: ['$$(NAME)', '$(NONE)']
          workingDir: /srv
          ports: [{name: http, containerPort: 8000}, {containerPort: 53, protocol: UDP}]
          readinessProbe: {httpGet: {path: /ready, port: http}}
          envFrom:
            - {prefix: P_, configMapRef: {name: settings}}
            - {secretRef: {name: login}}
            - {configMapRef: {name: absent}}
          env:
            - {name: LATER, value: $(NAME)}
            - {name: NAME, value: web}
            - name: URL
              value: https://$(P_HOST)/$(NAME)/$$(NAME)
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: login, key: token}}}
            - {name: HOST, valueFrom: {configMapKeyRef: {name: settings, key: HOST}}}
            - {name: MAYBE, valueFrom: {configMapKeyRef: {name: settings, key: NONE, optional: true}}}
            - {name: LOST, valueFrom: {configMapKeyRef: {name: settings, key: NONE}}}
            - {name: SPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
            - {name: ODD, valueFrom: {fileKeyRef: {path: x}}}
            - {name: NUMBER, value: 8080}
            - {name: NOTHING}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  HOST: web.example.org
  a-b: ok
---
kind: Secret
metadata: {name: login}
data: {token: aHVudGVyMg==}
stringData: {USER: hunter2}
---
kind: Rollout
metadata: {name: other}
";

#[test]
fn deployment_reads_every_kind_of_env_source() {
    let web = read_as("web", "web.yaml", &[("web.yaml", WEB)]).expect("reads");
    assert_eq!(
        variables(&web),
        [
            "P_HOST=web.example.org @web.yaml:42",
            "P_a-b=ok @web.yaml:43",
            "token=<login/token> @web.yaml:47",
            "USER=<login/USER> @web.yaml:48",
            "LATER=$(NAME) @web.yaml:24",
            "NAME=web @web.yaml:25",
            "URL=https://$(P_HOST)/$(NAME)/$(NAME) @web.yaml:26",
            "TOKEN=<login/token> @web.yaml:28",
            "HOST=web.example.org @web.yaml:42",
            "LOST=? the ConfigMap `settings` has no key `NONE` @web.yaml:31",
            "SPACE=<metadata.namespace> @web.yaml:32",
            "MEMORY=<limits.memory> @web.yaml:33",
            "ODD=? `fileKeyRef` is not known to `cki` @web.yaml:34",
            "NUMBER=8080 @web.yaml:35",
            "NOTHING= @web.yaml:36",
        ]
    );
    assert!(!format!("{web:?}").contains("aHVudGVyMg") && !format!("{web:?}").contains("hunter2"));
    let container = &web.container;
    assert_eq!(container.image.as_deref(), Some("registry.example.org/web:1"));
    let text = |pieces: &Vec<Segment>| expansion::render(pieces, &|name| (name == "NAME").then_some("web"));
    assert_eq!(container.command.iter().map(text).collect::<Vec<_>>(), ["web", "--name", "web"]);
    assert_eq!(container.args.iter().map(text).collect::<Vec<_>>(), ["$(NAME)", "$(NONE)"]);
    let port = DeclaredPort { is_http: true, ..DeclaredPort::from(8000) };
    assert_eq!((container.workdir.as_deref(), container.ports.as_slice()), (Some("/srv"), &[port][..]));
    assert_eq!(container.ready, Some(ReadinessProbe::Http { path: "/ready".into(), port: 8000 }));
    let before: Vec<_> =
        container.init.iter().map(|one| (one.label.as_str(), one.shares_image(container))).collect();
    assert_eq!(
        before,
        [("Deployment/web, init container migrate", true), ("Deployment/web, init container wait", false)]
    );
    assert_eq!((container.init[0].variables[0].name.as_str(), container.init[0].command.len()), ("STEP", 2));
    let findings = findings(&web);
    for wanted in [
        "web.yaml:50:1: the kind `Rollout` is not read: what `other` gives is missing",
        "web.yaml:22:16: the ConfigMap `absent` is not among the files: which variables it gives is not known",
        "the value of `NUMBER` is a number, which Kubernetes refuses without quotes",
        "web.yaml:31:40: `LOST` has no value: the ConfigMap `settings` has no key `NONE`",
        "`fileKeyRef` of the variable `ODD` is not known",
        "the container `proxy` of the same pod is not run",
        "only ports of TCP are known",
    ] {
        assert!(findings.iter().any(|finding| finding.contains(wanted)), "{wanted}: {findings:#?}");
    }
    assert_eq!(findings.len(), 7, "{findings:#?}");
}

#[test]
fn deployment_reads_every_workload_kind() {
    let pod = "{containers: [{name: app, env: [{name: A, value: a}]}]}";
    let template = format!("{{template: {{spec: {pod}}}}}");
    for (kind, spec) in [
        ("Pod", pod.to_owned()),
        ("Deployment", template.clone()),
        ("StatefulSet", template.clone()),
        ("DaemonSet", template.clone()),
        ("DeploymentConfig", template.clone()),
        ("Job", template.clone()),
        ("CronJob", format!("{{jobTemplate: {{spec: {template}}}}}")),
    ] {
        let object = format!("{{kind: {kind}, metadata: {{name: x}}, spec: {spec}}}");
        for text in [
            object.clone(),
            format!("{{kind: List, items: [{object}]}}"),
            format!("{{kind: Template, objects: [{object}], parameters: []}}"),
        ] {
            let read = read_as("app", "f.yaml", &[("f.yaml", &text)]).expect(&text);
            assert_eq!((variables(&read).len(), findings(&read).len()), (1, 0), "{text}");
        }
    }
}

const BASE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: app
          image: registry.example.org/web
          env:
            - {name: URL, value: http://localhost}
            - {name: LEVEL, value: DEBUG}
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: login}}]
";

fn overlay<'a>(kustomization: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut files = vec![
        (
            "base/kustomization.yaml",
            "resources: [web.yaml]\nnamePrefix: base-\nconfigMapGenerator:\n- name: settings\n  literals: [A=1, B=\"2\"]\nsecretGenerator:\n- name: login\n  envs: [login.env]\n",
        ),
        ("base/web.yaml", BASE),
        ("base/login.env", "# hidden\nPASSWORD=hunter2\n"),
        ("over/kustomization.yaml", kustomization),
    ];
    files.extend_from_slice(more);
    files
}

#[test]
fn kustomize_overlay_patches_its_base() {
    let kustomization = "\
resources: [../base]
components: [../part]
namePrefix: prod-
configMapGenerator:
- name: settings
  behavior: merge
  literals:
  - B=3
patches:
- path: level.yaml
- target: {kind: Deployment, name: .*web}
  patch: |-
    - op: add
      path: /spec/template/spec/containers/0/env/-
      value: {name: ADDED, value: json}
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - name: app
            env:
            - name: URL
              value: https://web.prod.example.org
images: [{name: registry.example.org/web, newTag: v7}]
helmCharts: []
";
    let level = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: app, env: [\n  {name: LEVEL, value: WARN}]}]}}}\n";
    let part = "kind: Component\npatches:\n- target: {kind: Deployment}\n  patch: '- {op: add, path: /spec/template/spec/containers/0/workingDir, value: /part}'\n";
    let files = overlay(kustomization, &[("over/level.yaml", level), ("part/kustomization.yaml", part)]);
    let read = read_as("web", "over", &files).expect("reads");
    assert_eq!(
        variables(&read),
        [
            "A=1 @base/kustomization.yaml:5",
            "B=3 @over/kustomization.yaml:8",
            "PASSWORD=<prod-base-login/PASSWORD> @base/login.env:2",
            "URL=https://web.prod.example.org @over/kustomization.yaml:27",
            "LEVEL=WARN @over/level.yaml:5",
            "ADDED=json @over/kustomization.yaml:15",
        ]
    );
    assert_eq!(read.container.image.as_deref(), Some("registry.example.org/web:v7"));
    assert_eq!(read.container.workdir.as_deref(), Some("/part"));
    assert_eq!(read.container.label, "Deployment/prod-base-web, container app");
    let wanted = "over/kustomization.yaml:29:1: `helmCharts` of a kustomization is not known, so its effect is missing";
    assert_eq!(findings(&read), [wanted]);
}

#[test]
fn kustomization_reports_and_skips_invalid_fields() {
    let wrong = |more: &str| {
        let head = if more.starts_with("resources") { "" } else { "resources: [../base]\n" };
        let text = format!("{head}{more}");
        let read = read_as("web", "over/kustomization.yaml", &overlay(&text, &[])).expect(more);
        assert!(
            variables(&read).contains(&"LEVEL=DEBUG @base/web.yaml:12".to_owned()),
            "{:?}",
            variables(&read)
        );
        let found = findings(&read);
        assert_eq!(found.len(), 1, "{more}: {found:#?}");
        assert!(found[0].starts_with("over/kustomization.yaml:"), "{found:?}");
        found[0].clone()
    };
    for (text, message) in [
        ("resources: [../base, ../over]", "built on itself"),
        ("resources: [../base, ../../x]", "leads out of the repository"),
        ("resources: [../base, none.yaml]", "there is no file or directory `none.yaml`"),
        ("resources: [../base, 'https://example.org/x?ref=1']", "in another repository"),
        ("resources: [../base, 'deploy@git.example.org:team/base.git']", "in another repository"),
        ("components: [../part]", "there is no kustomization in `part`"),
        ("configMapGenerator: [{name: base-settings}]", "there is a ConfigMap `base-settings` already"),
        ("configMapGenerator: [{name: a, literals: [x]}]", "must be `KEY=VALUE`"),
        ("configMapGenerator: [{name: a, literals: [X=1, X=2]}]", "occurs twice"),
        ("configMapGenerator: [{name: a, envs: [none.env]}]", "there is no file `none.env`"),
        ("configMapGenerator: [{name: a, behavior: merge}]", "there is no ConfigMap `a` to change"),
        (
            "patches: [{patch: '- {op: test, path: /kind, value: x}', target: {kind: Deployment}}]",
            "expects another value",
        ),
        (
            "patches: [{patch: '- {op: remove, path: /spec/none}', target: {kind: Deployment}}]",
            "cannot find `/spec/none`",
        ),
        ("patches: [{patch: '[{op: remove, path: /spec}]', target: {kind: Deployment}}]", "must be JSON"),
        ("patches: [{patch: '- {op: remove, path: /spec}'}]", "needs a `target`"),
        ("patches: [{path: none.yaml}]", "there is no file `none.yaml`"),
        ("patches: [{target: {name: '('}, patch: 'a: b'}]", "is no regular expression"),
        ("patches: [{target: {labelSelector: 'a b'}, patch: 'a: b'}]", "is no `labelSelector`"),
        ("patches: [{patch: '{kind: Job, metadata: {name: no}}'}]", "there is no Job `no`"),
        ("patches: [{patch: '{kind: Deployment, metadata: {name: web}}'}]", "there is no Deployment `web`"),
        ("replacements: [{source: {kind: Job}, targets: []}]", "no object is meant by the source"),
        ("replacements: [{source: {kind: Deployment, fieldPath: spec.x}, targets: []}]", "has no `spec.x`"),
        ("replacements: [{path: none.yaml}]", "there is no file `none.yaml`"),
        ("vars: [{name: A, objref: {kind: Job, apiVersion: v1, name: x}}]", "`$(A)` has no value"),
        ("images: [{newTag: a}]", "has no `name`"),
        ("replicas: [{name: x, count: 1}]", "no `x` that could have replicas"),
        ("transformers: [x.yaml]", "`transformers` of a kustomization is not known"),
        ("openapi: {path: x}", "`openapi` of a kustomization is not known"),
    ] {
        let found = wrong(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

const COMPOSE: &str = "\
include: [other.yaml]
services:
  web:
    image: example.org/web:${TAG:-latest}
    entrypoint: [web]
    command: serve --port '80 80'
    working_dir: /app
    env_file: [web.env, {path: none.env, required: false}]
    environment:
      URL: https://${HOST}/$$x
      LEVEL: ${LEVEL:-INFO}
      SECRET: ${NOWHERE}
      FROM_DOTENV:
      PASSED:
    ports: ['127.0.0.1:8080:80', '5000', {target: 90}, '53:53/udp']
    healthcheck: {test: [CMD, check, now]}
    volumes: ['./data:/data']
  db:
    image: postgres
    environment:
      - POSTGRES_DB=x
      - HOST
    healthcheck: {test: pg_isready}
";

#[test]
fn compose_file_yields_variables_of_service() {
    let files = [
        ("c/compose.yaml", COMPOSE),
        ("c/.env", "HOST=web.example.org\nFROM_DOTENV=yes\n"),
        ("c/web.env", "LEVEL=low\nMORE=${HOST}:1\n"),
    ];
    let read_one = |name: &str| read_as(name, "c/compose.yaml", &files).expect("reads");
    let web = read_one("web");
    assert_eq!(
        variables(&web),
        [
            "MORE=web.example.org:1 @c/web.env:2",
            "URL=https://web.example.org/$x @c/compose.yaml:10",
            "LEVEL=INFO @c/compose.yaml:11",
            "SECRET=? `NOWHERE` has no value in the `.env` of the project @c/compose.yaml:12",
            "FROM_DOTENV=yes @c/compose.yaml:13",
            "PASSED=? it is passed on from the environment of the deployment @c/compose.yaml:14",
        ]
    );
    let container = &web.container;
    assert_eq!(container.image.as_deref(), Some("example.org/web:latest"));
    let words: Vec<String> = container.args.iter().map(|word| expansion::render(word, &|_| None)).collect();
    assert_eq!(
        (words.as_slice(), container.ports.as_slice()),
        (&["serve", "--port", "80 80"].map(str::to_owned)[..], &[80, 5000, 90].map(Into::into)[..])
    );
    assert_eq!(container.ready, Some(ReadinessProbe::Exec(vec!["check".into(), "now".into()])));
    assert_eq!(findings(&web).len(), 5, "{:#?}", findings(&web));
    let db = read_one("db");
    assert_eq!(
        variables(&db),
        ["POSTGRES_DB=x @c/compose.yaml:21", "HOST=web.example.org @c/compose.yaml:22"]
    );
    let lacking = read_as("web", "c/compose.yaml", &files[..2]).expect("reads the rest");
    let why = "the file `web.env` is not in the repository: only the deployment knows its content";
    assert!(findings(&lacking).iter().any(|finding| finding.contains(why)), "{:?}", findings(&lacking));
    assert!(variables(&lacking).contains(&"LEVEL=INFO @c/compose.yaml:11".to_owned()));
}

#[test]
fn compose_values_record_interpolated_variables() {
    let compose = "services: {web: {env_file: [web.env], environment: {URL: 'pg://u:${DB_PASSWORD}@h', MODE: '${DB_PASSWORD}', PORT: '${AUTH_PORT}'}}}";
    let files = [
        ("compose.yaml", compose),
        (".env", "DB_PASSWORD=hunter2\nAUTH_PORT=5432\nALSO=$DB_PASSWORD\n"),
        ("web.env", "FILE=x${ALSO}\nALSO\nPLAIN=x\n"),
    ];
    let web = read_as("web", "compose.yaml", &files).expect("reads");
    let given = web.container.variables.iter();
    let made = given.map(|given| {
        let parts: Vec<&str> = given.parts.iter().map(|part| part.name.as_str()).collect();
        format!("{}: {}", given.name, parts.join(" "))
    });
    let expected = [
        "FILE: DB_PASSWORD ALSO",
        "ALSO: DB_PASSWORD",
        "PLAIN: ",
        "URL: DB_PASSWORD",
        "MODE: DB_PASSWORD",
        "PORT: AUTH_PORT",
    ];
    assert_eq!(made.collect::<Vec<_>>(), expected);
}

#[test]
fn deployment_findings_omit_lines_of_secret_files() {
    let compose = "services: {web: {image: x, env_file: [web.env], environment: [hunter2 hunter2]}}";
    let torn = "KEY='a'\nhunter2/hunter2\nhunter2+hunter2==\nPASSED\n";
    let web = read_as("web", "compose.yaml", &[("compose.yaml", compose), ("web.env", torn)]).expect("reads");
    let login = "PASSWORD=x\nhunter2/hunter2\nhunter2+hunter2==\nPASSED\n";
    let over = read_as("web", "over", &overlay("resources: [../base]\n", &[("base/login.env", login)]));
    let over = over.expect("reads");
    assert!(!format!("{web:?}{over:?}").contains("hunter2"));
    assert_eq!(
        findings(&web).iter().filter(|finding| finding.contains("no `NAME=VALUE`")).count(),
        3,
        "{:?}",
        findings(&web)
    );
    assert_eq!(
        findings(&over),
        [
            "base/login.env:2:1: this line is no `NAME=VALUE`, and is left out",
            "base/login.env:3:1: this line is no `NAME=VALUE`, and is left out",
            "base/login.env:4:1: `PASSED` has no value here: it is empty, and older kustomize takes it from the environment of the deployment",
        ]
    );
    let open = [("compose.yaml", compose), ("web.env", "hunter2 x='y\n")];
    let open = read_as("web", "compose.yaml", &open).expect("reads the rest");
    assert!(!format!("{open:?}").contains("hunter2"));
    assert!(findings(&open)[1].starts_with("web.env:1:1: this is no"), "{:?}", findings(&open));
}

#[test]
fn later_compose_file_overrides_earlier() {
    let files = FileCache::of(&[
        ("a.yaml", "services: {web: {image: x, environment: {A: 1, B: 2}}}"),
        ("b.yaml", "services: {web: {image: y, environment: [B=3, C=4]}}"),
    ]);
    let item = |path| DeploymentItem { files: &files, path, container: None, place: "i.yaml:7" };
    let web = read("web", &[item("a.yaml"), item("b.yaml")]).expect("reads");
    assert_eq!(variables(&web), ["A=1 @a.yaml:1", "B=3 @b.yaml:1", "C=4 @b.yaml:1"]);
    assert_eq!(web.container.image.as_deref(), Some("y"));
}

#[test]
fn deployment_selects_container_by_component_name() {
    let two = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}, {name: proxy}]}}\n---\n{kind: Pod, metadata: {name: b}, spec: {containers: [{name: app}, {name: b-c}]}}\n";
    let files = FileCache::of(&[("f.yaml", two)]);
    let choose = |component: &str, container: Option<&str>| {
        read(component, &[DeploymentItem { files: &files, path: "f.yaml", container, place: "i.yaml:7" }])
            .map(|d| d.container.label)
            .map_err(|error| error.to_string())
    };
    assert_eq!(choose("proxy", None).as_deref(), Ok("Pod/a, container proxy"));
    assert_eq!(choose("b_c", None).as_deref(), Ok("Pod/b, container b-c"));
    assert_eq!(choose("x", Some("b/app")).as_deref(), Ok("Pod/b, container app"));
    assert_eq!(
        choose("app", None),
        Err("i.yaml:7: which container is `app`? The deployment has `Pod/a/app` and `Pod/b/app`".to_owned())
    );
    assert!(choose("none", None).is_err() && choose("x", Some("app")).is_err());
    let error = choose("x", Some("nobody")).expect_err("is not there");
    assert!(error.starts_with("i.yaml:7: the deployment has no container `nobody`; it has"), "{error}");
    let empty = read_as("x", "f", &[("f", "{kind: Service}")]).expect_err("has none").to_string();
    assert!(empty.contains("has no container"), "{empty}");
    let missing = read_as("x", "g", &[("f", "")]).expect_err("is not there").to_string();
    assert_eq!(missing, "i.yaml:7: the deployment has no file or directory `g`");
}

#[test]
fn env_variable_may_refer_to_its_earlier_value() {
    let pod = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: app, env: [{name: P, value: a}, {name: P, value: '$(P):b'}]}]}}";
    let read = read_as("app", "f", &[("f", pod)]).expect("reads");
    assert_eq!(variables(&read), ["P=a:b @f:1"]);
}

#[test]
fn env_expansion_uses_value_at_that_position() {
    let text = "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, env: [\
        {name: LOG, value: info}, {name: B, value: 'at $(LOG)'}, {name: LOG, value: debug}, {name: C, value: $(LOG)},\
        {name: T, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: D, value: 'x$(T)'}, {name: T, value: y}]}]}}";
    let read = read_as("web", "w.yaml", &[("w.yaml", text)]).expect("reads");
    let shown: Vec<String> =
        variables(&read).iter().map(|one| one.split(" @").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        shown,
        ["B=at info", "LOG=debug", "C=$(LOG)", "D=? it is made of an earlier value of `T`", "T=y"]
    );
}

#[test]
fn compose_depends_on_orders_init_containers() {
    let text = "services:
  web: {image: a, depends_on: {migrate: {condition: service_completed_successfully}, cache: {condition: service_started}}}
  migrate: {image: a, depends_on: {seed: {condition: service_completed_successfully}}}
  seed: {image: b, depends_on: {web: {condition: service_completed_successfully}}}
  cache: {image: c}
";
    let read = read_as("web", "c.yaml", &[("c.yaml", text)]).expect("reads");
    let before: Vec<_> = read.container.init.iter().map(|one| one.label.as_str()).collect();
    assert!(before.len() == 2 && before[0].contains("seed") && before[1].contains("migrate"), "{before:?}");
}

#[test]
fn kustomize_component_merges_generated_config_map() {
    let head = "components: [c]\nresources: [web.yaml]\nconfigMapGenerator: [{name: cfg, literals: [A=1]}]\n";
    let web = "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, envFrom: [{configMapRef: {name: cfg}}]}]}}";
    let more = "kind: Component\nconfigMapGenerator: [{name: cfg, behavior: merge, literals: [A=2]}]\n";
    let files = [("kustomization.yaml", head), ("web.yaml", web), ("c/kustomization.yaml", more)];
    let read = read_as("web", "", &files).expect("reads");
    assert!(variables(&read)[0].starts_with("A=2 @"), "{:?}", variables(&read));
}

proptest! {
    /// Any content of files gives an answer or an error, never a panic.
    #[test]
    fn deployment_read_never_panics(at in 0..1800_usize, length in 0..40_usize, put in "[-a-z:{}\\[\\]&*$|\\n \"'()0-9]{0,12}") {
        let files = overlay("resources: [../base]\npatches: [{path: p.yaml}]\n", &[]);
        let texts = [WEB, COMPOSE, BASE, files[0].1];
        for text in texts {
            let mut start = at.min(text.len());
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) { end -= 1; }
            let broken = format!("{}{put}{}", &text[..start], &text[end.max(start)..]);
            let _ = read_as("web", "f.yaml", &[("f.yaml", &broken)]);
            let _ = read_as("web", "over", &overlay("resources: [../base]\npatches: [{path: p.yaml}]\n", &[("over/p.yaml", &broken)]));
            let _ = read_as("web", "over", &overlay(&broken, &[("over/p.yaml", BASE)]));
        }
    }
}

#[test]
fn env_file_line_without_value_unsets_earlier_value() {
    let compose = "services: {web: {image: 'x:${A}', env_file: [e.env], environment: {B: '${A}', C: '$D'}}}";
    let files = [
        ("c.yaml", compose),
        (".env", "A=old\nA=$NOWHERE\nD=kept\nD\n"),
        ("e.env", "E=old\nE=$NOWHERE\nF=kept\nF\n"),
    ];
    let web = read_as("web", "c.yaml", &files).expect("reads");
    let expected = [
        "E=? `NOWHERE` has no value in the files @e.env:2",
        "F=kept @e.env:3",
        "B=? `NOWHERE` has no value in the `.env` of the project @c.yaml:1",
        "C=kept @c.yaml:1",
    ];
    assert_eq!((variables(&web).as_slice(), web.container.image), (&expected.map(str::to_owned)[..], None));
}

#[test]
fn container_bounds_values_made_of_others() {
    let (mut items, mut words) = (String::new(), String::new());
    items.push_str(&format!("{{name: V0, value: '{}'}}", "x".repeat(60 << 10)));
    for nth in 1..300 {
        items.push_str(&format!(", {{name: V{nth}, value: '$(V0)$(V0)'}}"));
        words.push_str("'$(V1)', ");
    }
    let file = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n    - {{name: web, image: x, args: [{words}], env: [{items}]}}\n"
    );
    let read = read_as("web", "web.yaml", &[("web.yaml", &file)]).expect("is read");
    let said = findings(&read);
    let wanted = "web.yaml:6:";
    let about = |text: &str| said.iter().filter(|one| one.starts_with(wanted) && one.contains(text)).count();
    assert!(
        about("the value of `V18` is not expanded") == 1
            && about("this word of `args` is not expanded") > 200,
        "{said:?}"
    );
    let is_text = |one: &&EnvEntry| matches!(one.value, EnvVarSource::Text(_));
    assert_eq!(read.container.variables.iter().filter(is_text).count(), 18);
}
