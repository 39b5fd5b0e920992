//! Tests of the rules of drift: facts that agree with the entries give no finding, and each change gives its own.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::{CheckFinding, FurtherFacts, check_with};
use super::*;
use crate::model::inventory::check::RelatedPlace;
use crate::model::inventory::{Inventory, InventoryDocument};
use crate::model::reference::Reference;

const ENTRIES: &str = "repos: {shop: https://x.test/shop}
ignore: [{rule: no-owner, reason: x}, {rule: no-documentation, reason: x}]
components:
- name: web
  category: service
  description: W.
  sources: [{repo: shop, path: web}]
  build: {repo: shop, file: web/Dockerfile}
  deployment: [{repo: shop, path: compose.yaml}]
  environment: [{name: WEB_TITLE}, {name: WEB_DB_URL}]
  run:
    command: [python3, -m, pkg.web]
    ports: [8000]
- name: worker
  category: service
  description: W.
  sources: [{repo: shop, path: worker}]
  build: {repo: shop, context: worker}
  run: {command: [python3, -m, pkg.worker]}
";

fn inventory(text: &str) -> Inventory {
    let head = InventoryDocument { file: "i.yaml".into(), text: text.to_owned().into(), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

fn at(file: &str, line: usize) -> RelatedPlace {
    RelatedPlace { file: format!("/c/{file}"), line }
}

fn web() -> Reference {
    Reference::new("service", "web")
}

/// Facts of clones that agree with [`ENTRIES`].
fn facts() -> DriftFacts {
    let worker = Reference::new("service", "worker");
    let shown = |path: &str, component: &str| ShownBuildFile {
        path: path.to_owned(),
        file: format!("/c/{path}"),
        component: component.to_owned(),
        root: "/c".to_owned(),
    };
    let module = |name: &str| RunnableModule {
        module: format!("pkg.{name}"),
        directory: format!("pkg/{name}"),
        file: format!("/c/pkg/{name}/__main__.py"),
    };
    let shop = RepositoryFacts {
        names: ["shop".to_owned()].into(),
        entries: vec![web(), worker.clone()],
        named_build_files: vec![
            ("web/Dockerfile".to_owned(), web()),
            ("worker/Dockerfile".to_owned(), worker.clone()),
        ],
        build_files: vec![shown("web/Dockerfile", "web"), shown("worker/Dockerfile", "worker")],
        module_groups: vec![vec![module("web"), module("worker")]],
        mentions: Some(HashSet::new()),
    };
    let own = ComponentFacts {
        build_file: Some(BuildFileState::Read {
            command: ["python3", "-m", "pkg.web"].map(str::to_owned).into(),
            exposed: vec![(8000, at("web/Dockerfile", 4))],
            is_template: false,
        }),
        deployment: Some(Ok(DeploymentFacts {
            place: Some(at("compose.yaml", 2)),
            ports: vec![8000],
            has_command: false,
            variables: [("WEB_DB_URL".to_owned(), at("compose.yaml", 5))].into(),
        })),
        reads: Some(ReadFacts {
            reads: [("WEB_TITLE".to_owned(), (false, at("web/app.py", 3)))].into(),
            is_complete: true,
            of_libraries: BTreeSet::new(),
        }),
        searched: vec![0],
        ..ComponentFacts::default()
    };
    DriftFacts {
        repositories: vec![shop],
        components: [(web(), own), (worker, ComponentFacts::default())].into(),
        is_whole: true,
    }
}

fn found(text: &str, facts: &DriftFacts) -> Vec<String> {
    let show = |one: &CheckFinding| {
        let related = one.related.as_ref().map(|place| format!(" [{}:{}]", place.file, place.line));
        let (at, related) = (one.position, related.unwrap_or_default());
        format!("{}:{}: {}: {}{related}: {}", at.line, at.column, one.rule.name(), one.message, one.fix)
    };
    let inventory = inventory(text);
    check_with(&inventory, FurtherFacts { drift: Some(facts), ..FurtherFacts::default() })
        .findings
        .iter()
        .map(show)
        .collect()
}

/// Finds the drift after a change of the facts of `web` and its repository.
fn after(change: impl FnOnce(&mut ComponentFacts, &mut RepositoryFacts)) -> Vec<String> {
    let mut facts = facts();
    let own = facts.components.get_mut(&web()).expect("is there");
    change(own, &mut facts.repositories[0]);
    found(ENTRIES, &facts)
}

/// Finds the drift after a change of the entries.
fn edited(from: &str, to: &str) -> Vec<String> {
    assert!(ENTRIES.contains(from), "{from}");
    found(&ENTRIES.replacen(from, to, 1), &facts())
}

#[test]
fn facts_that_agree_give_no_findings() {
    assert_eq!(found(ENTRIES, &facts()), Vec::<String>::new());
    // Ports and variables of an entry without any are those of the deployment.
    assert_eq!(edited("    ports: [8000]\n", ""), Vec::<String>::new());
    assert_eq!(edited("  environment: [{name: WEB_TITLE}, {name: WEB_DB_URL}]\n", ""), Vec::<String>::new());
}

#[test]
fn drift_finds_build_files() {
    let missing = |moved: Option<&str>| {
        after(|own, _| {
            let (path, moved) = ("web/Dockerfile".to_owned(), moved.map(str::to_owned));
            own.build_file = Some(BuildFileState::Missing { path, moved });
        })
    };
    assert_eq!(
        missing(None),
        [
            "8:23: missing-build-file: there is no build file `web/Dockerfile` in the clone of `shop`: name the build \
             file in `build.file`, or remove `build`"
        ]
    );
    assert!(missing(Some("docker/Dockerfile"))[0].ends_with("write `docker/Dockerfile`"));
    let shown = |path: &str| ShownBuildFile {
        path: path.to_owned(),
        file: format!("/c/{path}"),
        component: "new".to_owned(),
        root: "/c".to_owned(),
    };
    // Most build files of the repository have entries.
    assert_eq!(
        after(|_, shop| shop.build_files.push(shown("new/Dockerfile"))),
        [
            "1:9: undeclared-build-file: no entry names the build file `new/Dockerfile` [/c/new/Dockerfile:1]: add an \
             entry with `cki inventory new new --from-repo /c`, or name it in `build.file` of an entry"
        ]
    );
    // The inventory describes a part of the repository, and this one is not in it.
    let many =
        |paths: &[&str]| after(|_, shop| shop.build_files.extend(paths.iter().map(|path| shown(path))));
    assert_eq!(many(&["a/Dockerfile", "b/Dockerfile"]), Vec::<String>::new());
    let within = many(&["a/Dockerfile", "web/dev/Dockerfile"]);
    assert!(
        within.len() == 1 && within[0].starts_with("8:3: undeclared-build-file: no entry names"),
        "{within:?}"
    );
    // An entry with the whole repository as its source is about all that is in it, unless most of it is something else.
    let whole = ENTRIES.replace("{repo: shop, path: web}", "{repo: shop}");
    let mut facts = facts();
    facts.repositories[0].build_files.extend([shown("a/Dockerfile"), shown("b/Dockerfile")]);
    assert_eq!(found(&whole, &facts).len(), 2);
    facts.repositories[0].build_files.push(shown("c/Dockerfile"));
    assert_eq!(found(&whole, &facts), Vec::<String>::new());
}

#[test]
fn drift_finds_modules() {
    let program = |is_module, near: Option<&str>| LostProgram {
        part: "run.command.2".to_owned(),
        name: if is_module { "pkg.web".to_owned() } else { "app/main.py".to_owned() },
        is_module,
        nearest: near.map(str::to_owned),
    };
    assert_eq!(
        after(|own, _| own.programs.push(program(true, Some("pkg.webs")))),
        ["12:28: missing-module: there is no Python module `pkg.web` in the clone: write `pkg.webs`"]
    );
    assert_eq!(
        after(|own, _| own.programs.push(program(false, None))),
        ["12:28: missing-module: there is no Python script `app/main.py` in the clone: correct the command"]
    );
    let mentioned = after(|own, shop| {
        own.programs.push(program(false, None));
        shop.mentions = Some(["mainpy".to_owned()].into());
    });
    assert_eq!(mentioned, Vec::<String>::new());
    let module = |name: &str| RunnableModule {
        module: format!("pkg.{name}"),
        directory: format!("pkg/{name}"),
        file: format!("/c/pkg/{name}/__main__.py"),
    };
    assert_eq!(
        after(|_, shop| shop.module_groups[0].push(module("new"))),
        [
            "1:9: undeclared-module: no entry names the Python module `pkg.new` [/c/pkg/new/__main__.py:1]: add an \
             entry that runs it, or one with its directory in `sources`"
        ]
    );
    let many = after(|_, shop| shop.module_groups[0].extend([module("new"), module("other")]));
    assert_eq!(many, Vec::<String>::new());
}

#[test]
fn drift_finds_ports() {
    let exposed = |port: u16| vec![(port, at("web/Dockerfile", 4))];
    let image = |command: &str, port| {
        let command = command.split(' ').map(str::to_owned).collect();
        Some(BuildFileState::Read { command, exposed: exposed(port), is_template: false })
    };
    assert_eq!(
        after(|own, _| own.build_file = image("python3 -m pkg.web", 9000)),
        [
            "13:5: undeclared-port: the build file has the port 9000, which the entry lacks [/c/web/Dockerfile:4]: add \
             `9000` to `run.ports`"
        ]
    );
    // The ports of an image are those of its own command.
    assert_eq!(after(|own, _| own.build_file = image("other", 9000)), Vec::<String>::new());
    let deployed = after(|own, _| {
        if let Some(Ok(deployment)) = &mut own.deployment {
            deployment.ports.push(9090);
        }
    });
    assert!(
        deployed.len() == 1
            && deployed[0].starts_with("13:5: undeclared-port: the deployment has the port 9090")
            && deployed[0].contains("[/c/compose.yaml:2]"),
        "{deployed:?}"
    );
    let wrong = edited("ports: [8000]", "ports: [8000, 8001]");
    assert_eq!(
        wrong,
        [
            "13:19: missing-port: the port 8001 is nowhere in the clone, which has `8000` [/c/web/Dockerfile:4]: \
             correct the port, or remove it"
        ]
    );
    let mut facts = facts();
    facts.repositories[0].mentions = Some(["8001".to_owned()].into());
    assert_eq!(found(&ENTRIES.replace("ports: [8000]", "ports: [8000, 8001]"), &facts), Vec::<String>::new());
}

#[test]
fn drift_finds_variables() {
    let read = |name: &str, is_required| {
        let name = name.to_owned();
        after(|own, _| {
            let reads = own.reads.as_mut().expect("is there");
            reads.reads.insert(name, (is_required, at("web/app.py", 9)));
        })
    };
    assert_eq!(
        read("WEB_LEVEL", false),
        [
            "10:3: undeclared-variable: the sources read `WEB_LEVEL`, which the entry lacks [/c/web/app.py:9]: add \
             `{name: WEB_LEVEL}` to `environment`"
        ]
    );
    let set = after(|own, _| {
        if let Some(Ok(deployment)) = &mut own.deployment {
            deployment.variables = BTreeMap::from([("WEB_NEW".to_owned(), at("compose.yaml", 7))]);
        }
        own.provided.insert("WEB_DB_URL".to_owned());
    });
    assert_eq!(set.len(), 1, "{set:?}");
    assert!(
        set[0].contains("the deployment sets `WEB_NEW`, which the entry lacks [/c/compose.yaml:7]"),
        "{set:?}"
    );
    assert_eq!(
        edited("{name: WEB_DB_URL}", "{name: WEB_DB_URL}, {name: WEB_OLD}"),
        [
            "10:56: missing-variable: nothing in the clone mentions the variable `WEB_OLD`: correct the name, or remove \
             the variable"
        ]
    );
    // Something may read it: a name that is made at run time, a library, a file that was not searched.
    let unread = |change: &dyn Fn(&mut ComponentFacts, &mut RepositoryFacts)| {
        let mut facts = facts();
        let own = facts.components.get_mut(&web()).expect("is there");
        change(own, &mut facts.repositories[0]);
        found(&ENTRIES.replace("{name: WEB_TITLE}", "{name: WEB_TITLE}, {name: WEB_OLD}"), &facts)
    };
    let none = Vec::<String>::new();
    assert_eq!(unread(&|_, _| {}).len(), 1);
    assert_eq!(unread(&|_, shop| shop.mentions = Some(["web_".to_owned()].into())), none);
    assert_eq!(unread(&|_, shop| shop.mentions = None), none);
    assert_eq!(unread(&|own, _| own.searched.clear()), none);
    assert_eq!(unread(&|own, _| own.reads.as_mut().expect("is there").is_complete = false), none);
    let of_library = |own: &mut ComponentFacts, _: &mut RepositoryFacts| {
        own.reads.as_mut().expect("is there").of_libraries.insert("WEB_OLD".to_owned());
    };
    assert_eq!(unread(&of_library), none);
    // Without a table, only what a run fails without is missing in it.
    let bare = ENTRIES.replace("  environment: [{name: WEB_TITLE}, {name: WEB_DB_URL}]\n", "");
    let mut facts = facts();
    let own = facts.components.get_mut(&web()).expect("is there");
    let reads = &mut own.reads.as_mut().expect("is there").reads;
    reads.insert("WEB_KEY".to_owned(), (true, at("web/app.py", 9)));
    reads.insert("WEB_DB_URL".to_owned(), (true, at("web/app.py", 10)));
    let found = found(&bare, &facts);
    assert!(
        found.len() == 1 && found[0].starts_with("4:3: undeclared-variable: the sources read `WEB_KEY`"),
        "{found:?}"
    );
}

#[test]
fn drift_finds_unreadable_deployments_and_is_silenced() {
    let broken = |own: &mut ComponentFacts| own.deployment = Some(Err("there is no file `x`".to_owned()));
    assert_eq!(
        after(|own, _| broken(own)),
        [
            "9:3: unreadable-deployment: the deployment cannot be read: there is no file `x`: correct `deployment`, or \
             the files that it names"
        ]
    );
    let silenced = ENTRIES.replace(
        "  description: W.\n  sources: [{repo: shop, path: web}]",
        "  description: W.\n  ignore: [{rule: unreadable-deployment, reason: x}]\n  sources: [{repo: shop, path: web}]",
    );
    let mut facts = facts();
    // The rule was applied, so the `ignore` would have been used.
    assert!(found(&silenced, &facts)[0].contains("unused-ignore"));
    broken(facts.components.get_mut(&web()).expect("is there"));
    assert_eq!(found(&silenced, &facts), Vec::<String>::new());
    // It was not applied.
    facts.components.remove(&web());
    assert_eq!(found(&silenced, &facts), Vec::<String>::new());
    assert_eq!(check_with(&inventory(&silenced), FurtherFacts::default()).findings, []);
    let head = ENTRIES.replace("ignore: [", "ignore: [{rule: missing-port, reason: x}, ");
    assert!(found(&head, &facts).iter().any(|one| one.contains("unused-ignore")));
    facts.is_whole = false;
    assert_eq!(found(&head, &facts), Vec::<String>::new());
}
