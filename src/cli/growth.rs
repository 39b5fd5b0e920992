//! Tests that the work of commands grows no faster than the inventory, the run or the sources: they count
//! visited entries and allocated bytes for two sizes. Times are measured by `tests/bench/run`.

use crate::base::allocated;
use crate::base::assets::{Assets, embedded_text};
use crate::host::Env;
use crate::model::environment::{EnvOverrides, Environment, GeneratorContext, SecretRules};
use crate::model::graph::DependencyGraph;
use crate::model::guard::{
    COMMAND, Credentials, DenyList, Guard, GuardFinding, Reason, allow_warnings, enforce,
};
use crate::model::inventory::{ComponentSelector, Inventory, InventoryDocument, Parameters, count};
use crate::model::service::{ServiceTemplate, TemplateContext};
use crate::ops::graph::{GraphRequest, graph};
use crate::ops::inventory::check as inventory_check;
use crate::ops::list::list;
use crate::ops::scan::{ScanRequest, scan};
use crate::ops::shared::workspace::Workspace;
use crate::ops::{env, show};

/// Larger size, and its ratio to the smaller one.
const LARGE: usize = 2400;
const TIMES: usize = 8;

/// Asserts that a count grows no faster than the size, with a margin of a quarter for vectors that grow and
/// maps that become deeper.
fn grows_no_faster(what: &str, count: impl Fn(usize) -> usize) {
    // The first run also fills caches.
    count(8);
    let (small, large) = (count(LARGE / TIMES), count(LARGE));
    assert!(large <= small * TIMES * 5 / 4, "{what}: {small} becomes {large}, {TIMES} times the input");
}

/// Asserts that a count does not depend on the size: work on one entry allocates nothing for the others.
fn grows_not_at_all(what: &str, count: impl Fn(usize) -> usize) {
    count(8);
    let (small, large) = (count(LARGE / TIMES), count(LARGE));
    assert!(large <= small * 5 / 4 + 4096, "{what}: {small} becomes {large}, {TIMES} times the input");
}

fn text(count: usize) -> String {
    let mut text = "repos: {tools: 'https://example.org/tools'}\ncomponents:\n".to_owned();
    for at in 0..count {
        let needs = if at == 0 { "redis".to_owned() } else { format!("redis, c{}", at - 1) };
        text.push_str(&format!(
            "- name: c{at}\n  category: external\n  description: >\n    The number {at}.\n  people: [t{}]\n  \
             kind: job\n  hosts: ['h{at}.test', '*.w{at}.test']\n  sources: [{{repo: tools, path: src}}]\n  \
             dependencies: [{{verb: reads, target: external/c{}}}]\n  environment: [{{name: V{at}, default: x}}]\n  \
             run: {{command: [c{at}], needs: [{needs}]}}\n",
            at % 50,
            at / 2,
        ));
    }
    text
}

fn inventory(count: usize) -> Inventory {
    let head = InventoryDocument { file: "i.yaml".into(), text: text(count).into(), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

fn looked_at<T>(work: impl FnOnce() -> T) -> usize {
    count::during(work).1
}

fn bytes<T>(work: impl FnOnce() -> T) -> usize {
    allocated::during(work).1
}

fn rules() -> SecretRules {
    SecretRules::read("r", embedded_text("placeholder-secrets.yaml").expect("is built in"))
        .expect("are valid")
}

#[test]
fn inventory_read_is_linear_in_entries() {
    grows_no_faster("bytes", |count| {
        let head = InventoryDocument { file: "i.yaml".into(), text: text(count).into(), reference: None };
        bytes(|| Inventory::read("here", vec![head]).expect("reads"))
    });
    // Unknown keys and other findings are reported, and only the first few of them get a position.
    grows_no_faster("bytes with findings", |count| {
        let text = text(count).replace("kind: job", "kinb: job").replace("repo: tools", "repo: tolls");
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        bytes(|| Inventory::read("here", vec![head]).expect("reads").findings(5))
    });
}

#[test]
fn list_is_linear_in_entries() {
    let selector = |word: &str| ComponentSelector::parse([word]).expect("is a selector");
    grows_no_faster("bytes", |count| {
        let inventory = inventory(count);
        bytes(|| {
            let owned = selector("owner=nobody").unknown_values(&inventory).len();
            list(&inventory, &selector("number"), false).len() + owned
        })
    });
}

#[test]
fn inventory_check_is_linear_in_entries() {
    let check = |inventory: &Inventory| inventory_check::check(inventory, &[]).expect("chooses all").checked;
    grows_no_faster("bytes", |count| {
        let inventory = inventory(count);
        bytes(|| check(&inventory).findings.len())
    });
    // Each entry has unknown names of its own, all are in one cycle, and each silences something.
    grows_no_faster("bytes with faults of all kinds", |count| {
        let target = "target: external/c";
        let text = text(count)
            .replace("kind: job", "kinb: job")
            .replace("repo: tools", "repo: tolls")
            .replace(target, "target: missing/c");
        let more = |at: usize| {
            format!(
                "- {{name: m{at}, category: z, infrastructure: i{at}, ignore: [{{rule: no-owner, reason: x}}], \
                 dependencies: [{{verb: v, target: z/m{}}}, {{verb: w, target: gone/g{at}}}]}}\n",
                (at + 1) % count
            )
        };
        let text = text + &(0..count).map(more).collect::<String>();
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        bytes(|| assert!(check(&inventory).findings.len() > count * 6))
    });
}

#[test]
fn graph_is_linear_in_entries() {
    let request = |components: &[&str], is_reverse: bool| GraphRequest {
        components: components.iter().map(|one| (*one).to_owned()).collect(),
        is_reverse,
        ..GraphRequest::default()
    };
    grows_no_faster("bytes", |count| {
        let inventory = inventory(count);
        bytes(|| {
            let all = DependencyGraph::new(&inventory);
            let last = format!("external/c{}", count - 1);
            for request in [
                request(&[], false),
                request(&["external/c0"], true),
                request(&[&last, "external/c0"], false),
            ] {
                graph(&all, &inventory, &request).expect("is there");
            }
        })
    });
}

#[test]
fn show_and_clone_are_constant_in_entries() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let workspace = Workspace::new(directory.path(), Env::default());
    let last = |inventory: &Inventory| inventory.components.len() - 1;
    grows_not_at_all("entries that `show` looks at", |count| {
        let inventory = inventory(count);
        let component = &inventory.components[last(&inventory)];
        looked_at(|| show::show(component, &inventory, &workspace))
    });
    grows_not_at_all("bytes that `show` allocates", |count| {
        let inventory = inventory(count);
        let component = &inventory.components[last(&inventory)];
        bytes(|| show::show(component, &inventory, &workspace))
    });
    grows_not_at_all("bytes for the places of clones", |count| {
        let inventory = inventory(count);
        let component = &inventory.components[last(&inventory)];
        bytes(|| workspace.locations(&inventory, component).len())
    });
}

/// The repository of the components is the user's working tree, which has any number of files and objects.
#[test]
fn show_is_constant_in_files_of_the_working_tree() {
    grows_not_at_all("bytes", |count| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let repository = git2::Repository::init(directory.path()).expect("makes a repository");
        repository.remote("origin", "https://example.org/tools").expect("takes a remote");
        for place in ["src", ".git/objects/aa"] {
            let place = directory.path().join(place);
            std::fs::create_dir_all(&place).expect("makes a directory");
            (0..count).for_each(|at| std::fs::write(place.join(at.to_string()), "").expect("writes"));
        }
        let inventory = inventory(8);
        let component = inventory.components.last().expect("has some");
        // A workspace looks for the working tree once.
        let workspace = || {
            let workspace = Workspace::new(directory.path().join("clones"), Env::default());
            workspace.with_trees_around(vec![directory.path().to_owned()])
        };
        assert!(workspace().locations(&inventory, component)[0].is_in_place());
        bytes(|| show::show(component, &inventory, &workspace()))
    });
}

#[test]
fn env_is_constant_in_entries() {
    let (rules, context, assets) = (rules(), GeneratorContext::of("s"), Assets::default());
    let ctx = TemplateContext { host: "", program: "/cki", context: &context, rules: &rules };
    let resolve = |inventory: &Inventory| {
        let component = inventory.components.last().expect("has some");
        env::resolve(component, inventory, &assets, ctx, None, EnvOverrides::default()).expect("resolves");
    };
    grows_not_at_all("bytes", |count| {
        let inventory = inventory(count);
        // The index of names is built once.
        resolve(&inventory);
        bytes(|| resolve(&inventory))
    });
    grows_not_at_all("entries", |count| {
        let inventory = inventory(count);
        resolve(&inventory);
        looked_at(|| resolve(&inventory))
    });
}

#[test]
fn guard_is_linear_in_hosts_and_findings() {
    grows_no_faster("bytes of its rules", |count| {
        let inventory = inventory(count);
        bytes(|| DenyList::from(&inventory))
    });
    let guard = |count: usize| {
        Guard::new(
            &inventory(count),
            Credentials::read("c", "rules: []\nlocal: []\nmarks: []\n").expect("reads"),
        )
    };
    grows_not_at_all("bytes for one value", |count| {
        let guard = guard(count);
        let ask = || assert_eq!(guard.reasons(Some("X"), "https://a.w7.test/ and h8.test.org").len(), 1);
        // The positions of a file's entries are computed once.
        ask();
        bytes(ask)
    });
    let finding = |at: usize| GuardFinding {
        component: "app".into(),
        name: if at == 0 { COMMAND.into() } else { format!("V{at}") },
        source: "--env".into(),
        locked: false,
        reasons: vec![Reason::Credential { kind: "token".into(), place: "c.yaml".into() }],
    };
    let inventory = inventory(1);
    grows_no_faster("bytes to judge", |count| {
        let findings: Vec<GuardFinding> = (0..count).map(finding).collect();
        let names: Vec<String> = findings.iter().map(|one| one.name.clone()).collect();
        bytes(|| {
            enforce(&findings, &[], &inventory).expect_err("is refused");
            enforce(&findings, &names, &inventory).expect("is allowed");
            assert_eq!(allow_warnings(&findings, &names).len(), count);
        })
    });
}

#[test]
fn service_template_is_linear_in_requests() {
    let (rules, context) = (rules(), GeneratorContext::of("s"));
    let ctx = TemplateContext { host: "", program: "/cki", context: &context, rules: &rules };
    for (name, key) in [("postgres", "database"), ("rabbitmq", "virtual_host")] {
        let text = embedded_text(&format!("services/{name}.yaml")).expect("is built in");
        let template = ServiceTemplate::read(name, name, text).expect("reads");
        grows_no_faster(name, |count| {
            let asked = |at: usize| Parameters::from([(key.to_owned(), format!("n{at}").into())]);
            let needs: Vec<Parameters> =
                (0..count / 4).map(|at| template.parameters(&asked(at), "f").expect("are known")).collect();
            bytes(|| template.fill(ctx, &needs).expect("is filled in"))
        });
    }
}

#[test]
fn scan_is_linear_in_source_files() {
    let assets = Assets::default();
    let inventory = inventory(1);
    grows_no_faster("bytes", |count| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sources = directory.path().join("tools/src");
        std::fs::create_dir_all(&sources).expect("makes");
        for at in 0..count / 8 {
            let text = format!("import os\nfrom . import m{}\nos.environ['V{at}']\n", at / 2);
            std::fs::write(sources.join(format!("m{at}.py")), text).expect("writes");
        }
        let workspace = Workspace::new(directory.path(), Env::default());
        let request = ScanRequest {
            component: &inventory.components[0],
            inventory: &inventory,
            workspace: &workspace,
            assets: &assets,
            environment: &Environment::default(),
            deployed: None,
            revision: None,
        };
        bytes(|| assert_eq!(scan(request).expect("scans").languages.values().sum::<usize>(), count / 8))
    });
}
