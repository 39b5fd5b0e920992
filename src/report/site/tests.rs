//! Tests of the pages: what is in them, and that nothing of an inventory acts in them.

use std::sync::Arc;

use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::base::assets::Assets;
use crate::base::template::html::TextCleaner;
use crate::host::Env;
use crate::model::guard::{Credentials, Guard};
use crate::model::inventory::{Inventory, InventoryDocument};
use crate::ops::inventory::site::content;
use crate::ops::shared::workspace::Workspace;

/// Renders all files of the site of an inventory.
fn site_of(text: &str, readme: &str) -> BTreeMap<String, String> {
    let workspace = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(workspace.path().join("tools")).expect("makes");
    std::fs::write(workspace.path().join("tools/README.md"), readme).expect("writes");
    let file = "/src/inventory/i.yaml".to_owned();
    let document = InventoryDocument { file, text: text.to_owned().into(), reference: None };
    let mut inventory = Inventory::read("/src/inventory", vec![document]).expect("reads");
    let assets = Assets::default();
    inventory.backing_services = crate::ops::shared::services::names(&assets).expect("lists");
    let guard = Guard::new(&inventory, Credentials::read("c", "{marks: [], rules: []}").expect("reads"));
    let workspace = Workspace::new(workspace.path(), Env::new([("HOME", workspace.path())]));
    let content = content(&inventory, &workspace, &assets, &guard).expect("has facts");
    let cleaner = TextCleaner::new(Arc::new(|text| text.replace("hunter2", "***")));
    let templates = SiteTemplates::read(&assets).expect("reads");
    let site = Site::new(&content, &templates, &cleaner).expect("has templates");
    let paths = site.paths();
    let files = (0..paths.len()).map(|at| (paths[at].clone(), site.file(at).expect("renders")));
    let files: BTreeMap<String, String> = files.collect();
    assert_eq!(files.len(), paths.len(), "each file has its own path");
    files
}

const SAMPLE: &str = "\
title: Sample
categories: [{id: service, title: Services}, {id: storage, title: Storage}]
repos: {tools: 'https://gitlab.example.com/group/tools.git'}
components:
  - name: web
    category: service
    kind: service
    description: The web site.
    people: [infra, ann]
    infrastructure: cloud
    documentation: [{label: Guide, repo: tools, path: docs/guide.md}, {label: Bad, url: 'javascript:alert(1)'}]
    sources: [{repo: tools, path: web}]
    monitoring: [{label: Board, url: 'https://grafana.example.com/d/1'}]
    dependencies: [{verb: reads, target: storage/db, inferred: true}, {verb: calls, target: service/gone}]
    environment: [{name: TOKEN, secret: true, default: hunter3}, {name: MODE, required: true, description: The mode.}]
    run: {command: [web, '--x'], needs: [redis], ports: [8080]}
    stage: {project: group/tools}
  - {name: Web, category: service, people: [ann]}
  - {name: db, category: storage}
";

#[test]
fn site_has_a_page_for_each_thing_with_its_facts() {
    let files = site_of(SAMPLE, "# Tools\n\nSee [more](docs/more.md) and [usage](#usage).\n\n## Usage\n");
    let names: Vec<&str> =
        files.keys().map(String::as_str).filter(|name| !name.starts_with("service/")).collect();
    assert_eq!(
        names,
        [
            "category/service.html",
            "category/storage.html",
            "component/service/web.html",
            "component/service/~57eb.html",
            "component/storage/db.html",
            "findings.html",
            "icon.svg",
            "index.html",
            "owner/ann.html",
            "owner/infra.html",
            "owners.html",
            "search-index.js",
            "site.css",
            "site.js",
            "system.html"
        ]
    );
    let page = &files["component/service/web.html"];
    for part in [
        "<title>web · Sample</title>",
        "<a href=\"../../owner/ann.html\">ann</a>",
        "<a href=\"../../component/storage/db.html\">storage/db</a>",
        "service/gone <span class=\"mark\">missing</span>",
        "<span class=\"mark\">inferred</span>",
        "<a href=\"https://gitlab.example.com/group/tools/-/blob/HEAD/docs/guide.md\" rel=\"noreferrer\">Guide</a>",
        "Bad <span class=\"muted\">(javascript:alert(1))</span>",
        "<a href=\"https://grafana.example.com/d/1\" rel=\"noreferrer\">Board</a>",
        "<code>TOKEN</code> <span class=\"mark\">secret</span></th><td></td><td><code>••••••••</code>",
        "<code>web --x</code>",
        "<dd>redis</dd>",
        "<code>cki run-local web</code>",
        "<code>i.yaml</code>",
        "there is no entry `service/gone`",
        "<a href=\"../../component/storage/db.html\" aria-label=\"storage/db\"",
        "<h3 id=\"readme-tools\">Tools</h3>",
        "<a href=\"https://gitlab.example.com/group/tools/-/blob/HEAD/docs/more.md\">more</a>",
        "<a href=\"#readme-usage\">usage</a>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("/src/") && !page.contains("hunter3"));
    assert!(
        files["component/storage/db.html"].contains("aria-label=\"service/web\""),
        "a picture of dependents"
    );
    assert!(files["service/redis.html"].contains("../component/service/web.html"));
    assert!(files["owners.html"].contains("Without an owner"));
    assert!(files["system.html"].contains("data-owner=\"infra\nann\""));
    assert!(
        files["search-index.js"]
            .contains(r#""n":"web","c":"service","k":"c0","p":"component/service/web.html""#)
    );
}

/// Returns the targets of all links in a page.
fn links(page: &str) -> Vec<String> {
    let parts = page.split(" href=\"").chain(page.split(" src=\""));
    parts
        .filter(|part| !part.starts_with("<!doctype"))
        .filter_map(|part| Some(part.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
fn links_between_pages_resolve_and_ids_are_unique() {
    let files = site_of(SAMPLE, "# Tools\n\n# Tools\n");
    for (path, page) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        for link in links(page).iter().filter(|link| !link.contains(':')) {
            let target = match link.strip_prefix('#') {
                Some(id) => {
                    assert!(page.contains(&format!(" id=\"{id}\"")), "{path}: {link}");
                    continue;
                }
                None => crate::base::relative_path::joined(path, link).expect("stays inside"),
            };
            assert!(files.contains_key(&target), "{path}: {link}");
        }
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path}");
        assert!(
            !page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick"),
            "{path}"
        );
    }
}

#[test]
fn site_is_the_same_each_time() {
    assert_eq!(site_of(SAMPLE, "# x"), site_of(SAMPLE, "# x"));
}

#[test]
fn system_page_of_a_large_inventory_counts_between_categories() {
    let mut text = "components:\n".to_owned();
    for at in 0..=crate::report::graph::MOST_NODES {
        text += &format!(
            "- {{name: n{at}, category: service, dependencies: [{{verb: reads, target: storage/db}}]}}\n"
        );
    }
    let files = site_of(&text, "");
    let page = &files["system.html"];
    assert!(page.contains("too many for one picture") && !page.contains("<svg"), "{page}");
    assert!(page.contains("<td>storage</td><td class=\"number\">1001</td>"), "{page}");
    assert!(!files["index.html"].contains(">n1<") && files["category/service.html"].contains(">n1<"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn text_of_an_inventory_never_becomes_markup(
        parts in prop::collection::vec(prop_oneof![
            Just("</style><script>alert(1)</script>"), Just("\"'><img src=x onerror=alert(1)>"), Just("</svg></title>"),
            Just("{{ 7*7 }}"), Just("{% raw %}"), Just("\u{202e}"), Just("\u{0}\u{7}\u{1b}[31m"), Just("hunter2"),
            Just("&lt;"), Just("\u{2028}"), Just("]]>"), Just("<!--"), Just("\n"), Just("javascript:alert(1)"), Just("text"),
        ], 1..6),
    ) {
        let text = parts.concat();
        let quoted = serde_json::to_string(&text).expect("is JSON").replace('\u{2028}', "\\u2028");
        let inventory = format!("\
title: {quoted}
categories: [{{id: service, title: {quoted}, description: {quoted}}}]
repos: {{tools: {quoted}}}
components:
  - name: web
    category: service
    kind: {quoted}
    description: {quoted}
    people: [{quoted}]
    documentation: [{{label: {quoted}, url: {quoted}}}, {{label: {quoted}, repo: tools, path: {quoted}}}]
    sources: [{{repo: tools, path: {quoted}}}]
    dependencies: [{{verb: {quoted}, target: service/api}}]
    environment: [{{name: X, type: {quoted}, default: {quoted}, description: {quoted}}}]
    image: {quoted}
    ignore: [{{rule: {quoted}, reason: {quoted}}}]
  - {{name: api, category: service, description: {quoted}}}
");
        let files = site_of(&inventory, &text);
        for (path, page) in &files {
            if path == "site.js" || path == "site.css" {
                continue;
            }
            let is_page = path.ends_with(".html");
            let scripts = page.matches("<script").count();
            prop_assert!(!is_page || scripts == 1, "{path}: {page}");
            prop_assert!(!is_page || !page.contains("<img") && !page.contains("<!--") && !page.contains("<style"), "{path}");
            prop_assert!(!page.contains("hunter2") && !page.contains(">49<"), "{path}");
            prop_assert!(!page.contains(|c: char| crate::base::text::is_invisible(c) || (c.is_control() && c != '\n')), "{path}");
            prop_assert!(links(page).iter().all(|link| !link.to_lowercase().starts_with("javascript:")), "{path}");
        }
        // Exactly one call, whatever the texts have.
        let index = files["search-index.js"].strip_prefix("window.ckiSearch(").and_then(|rest| rest.strip_suffix(");\n"));
        let index: serde_json::Value = serde_json::from_str(index.expect("is one call")).expect("is JSON");
        prop_assert_eq!(&index[0]["n"], "api");
    }
}
