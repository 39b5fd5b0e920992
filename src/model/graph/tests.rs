//! Tests of the graph of dependencies.

use super::*;
use crate::model::inventory::{Inventory, InventoryDocument};
use proptest::prelude::*;

fn inventory(text: &str) -> Inventory {
    let document =
        InventoryDocument { file: "test.yaml".to_owned(), text: text.to_owned().into(), reference: None };
    Inventory::read("test", vec![document]).expect("reads")
}

/// Makes an inventory with entries `n0`, `n1`, … and a dependency for each pair.
fn of_pairs(count: usize, pairs: &[(usize, usize)]) -> Inventory {
    let mut text = "components:\n".to_owned();
    for at in 0..count {
        text += &format!("- {{category: service, name: n{at:05}, dependencies: [");
        for (_, to) in pairs.iter().filter(|(from, _)| *from == at) {
            text += &format!("{{verb: uses, target: service/n{to:05}}}, ");
        }
        text += "]}\n";
    }
    inventory(&text)
}

fn names(graph: &DependencyGraph<'_>, nodes: &[usize]) -> Vec<String> {
    nodes.iter().map(|at| graph.node(*at).reference.to_string()).collect()
}

const SYSTEM: &str = "
components:
- category: service
  name: web
  infrastructure: cloud
  dependencies:
  - {verb: calls, target: service/api}
  - {verb: reads, target: storage/gone, inferred: true}
- {category: service, name: api, dependencies: [{verb: writes, target: storage/db}]}
- {category: service, name: worker, dependencies: [{verb: reads, target: storage/db}]}
- {category: storage, name: db}
- {category: infrastructure, name: cloud}
";

#[test]
fn graph_has_dependencies_infrastructure_and_missing_targets() {
    let inventory = inventory(SYSTEM);
    let graph = DependencyGraph::new(&inventory);
    let web = graph.find(&Reference::new("service", "web")).expect("is there");
    let part = graph.select(&GraphQuery { starts: vec![web], ..GraphQuery::default() });
    assert_eq!(
        names(&graph, &part.nodes),
        ["service/web", "service/api", "storage/gone", "infrastructure/cloud", "storage/db"]
    );
    assert!(graph.node(part.nodes[2]).component.is_none());
    let verbs: Vec<_> = part.edges.iter().map(|(.., edge)| (edge.verb, edge.inferred)).collect();
    assert_eq!(verbs, [("calls", false), ("reads", true), ("runs on", false), ("writes", false)]);
    assert_eq!(graph.verbs(), ["calls", "reads", "runs on", "writes"]);
}

#[test]
fn graph_with_services_has_those_that_components_need() {
    let mut inventory = inventory(
        "components:\n- {category: x, name: web, run: {command: [w], needs: [redis, api, service:s3]}}\n\
         - {category: x, name: api, run: {command: [a], needs: [redis, other]}}\n",
    );
    inventory.backing_services = ["redis", "s3", "smtp"].map(str::to_owned).to_vec();
    let graph = DependencyGraph::with_services(&inventory);
    let name = |at: &usize| graph.node(*at).name();
    let of = |start: usize, direction: Direction| {
        let part = graph.select(&GraphQuery { starts: vec![start], direction, ..GraphQuery::default() });
        part.nodes.iter().map(name).collect::<Vec<_>>()
    };
    let web = graph.find(&Reference::new("x", "web")).expect("is there");
    assert_eq!(of(web, Direction::Dependencies), ["x/web", "x/api", "service:redis", "service:s3"]);
    let redis = graph.find_service("redis").expect("is needed");
    assert_eq!(of(redis, Direction::Dependents), ["service:redis", "x/api", "x/web"]);
    assert!(graph.node(redis).component.is_none() && !graph.node(redis).is_missing());
    assert_eq!(graph.find_service("smtp"), None, "nothing needs it");
    assert_eq!(DependencyGraph::new(&inventory).find_service("redis"), None);
}

#[test]
fn select_follows_dependents_verbs_and_depth() {
    let inventory = inventory(SYSTEM);
    let graph = DependencyGraph::new(&inventory);
    let db = graph.find(&Reference::new("storage", "db")).expect("is there");
    let query = GraphQuery { starts: vec![db], direction: Direction::Dependents, ..GraphQuery::default() };
    let part = graph.select(&query);
    assert_eq!(names(&graph, &part.nodes), ["storage/db", "service/api", "service/worker", "service/web"]);
    let near = graph.select(&GraphQuery { depth: Some(1), ..query.clone() });
    assert_eq!(names(&graph, &near.nodes), ["storage/db", "service/api", "service/worker"]);
    let readers = graph.select(&GraphQuery { verbs: vec!["reads".to_owned()], ..query });
    assert_eq!(names(&graph, &readers.nodes), ["storage/db", "service/worker"]);
}

#[test]
fn path_prefers_dependencies_then_dependents_then_any() {
    let inventory = inventory(SYSTEM);
    let graph = DependencyGraph::new(&inventory);
    let at = |category: &str, name: &str| graph.find(&Reference::new(category, name)).expect("is there");
    let path = |from, to| {
        graph.path(from, to, &[]).map(|path| {
            let step = |step: &PathStep<'_>| (graph.node(step.node).reference.name.clone(), step.is_reverse);
            path.steps.iter().map(step).collect::<Vec<_>>()
        })
    };
    let (web, db, worker) = (at("service", "web"), at("storage", "db"), at("service", "worker"));
    assert_eq!(path(web, db), Some(vec![("api".to_owned(), false), ("db".to_owned(), false)]));
    assert_eq!(path(db, web), Some(vec![("api".to_owned(), true), ("web".to_owned(), true)]));
    assert_eq!(path(worker, web).map(|steps| steps.len()), Some(3));
    assert_eq!(path(web, web), Some(Vec::new()));
    assert_eq!(graph.path(web, worker, &["runs on".to_owned()]), None);
}

#[test]
fn cycles_are_found_in_deep_graphs() {
    // A chain that is longer than any stack, and that closes.
    let count = 20_000;
    let pairs: Vec<(usize, usize)> = (0..count).map(|at| (at, (at + 1) % count)).collect();
    let mut text = String::from("components:\n");
    for (from, to) in &pairs {
        text += &format!(
            "- {{category: service, name: n{from:05}, dependencies: [{{verb: uses, target: service/n{to:05}}}]}}\n"
        );
    }
    let inventory = inventory(&text);
    let graph = DependencyGraph::new(&inventory);
    let part = graph.select(&GraphQuery { starts: vec![0], ..GraphQuery::default() });
    assert_eq!((part.nodes.len(), part.edges.len(), part.cycles.len()), (count, count, 1));
    assert_eq!(part.cycles[0].len(), count);
    assert_eq!(graph.path(0, count - 1, &[]).map(|path| path.steps.len()), Some(count - 1));
}

proptest! {
    /// The independent search compares all pairs, which is slow and simple.
    #[test]
    fn select_and_path_match_a_simple_search(
        pairs in prop::collection::vec((0usize..8, 0usize..8), 0..20),
        start in 0usize..8,
        end in 0usize..8,
    ) {
        let inventory = of_pairs(8, &pairs);
        let graph = DependencyGraph::new(&inventory);
        let mut distance = [usize::MAX; 8];
        distance[start] = 0;
        for _ in 0..8 {
            for (from, to) in &pairs {
                if distance[*from] != usize::MAX {
                    distance[*to] = distance[*to].min(distance[*from] + 1);
                }
            }
        }
        for depth in 0..9 {
            let query = GraphQuery { starts: vec![start], depth: Some(depth), ..GraphQuery::default() };
            let mut nodes = graph.select(&query).nodes;
            nodes.sort_unstable();
            let near: Vec<usize> = (0..8).filter(|at| distance[*at] <= depth).collect();
            prop_assert_eq!(nodes, near);
        }
        let steps = graph.path(start, end, &[]).map(|path| path.steps);
        if distance[end] != usize::MAX {
            let steps = steps.expect("is connected");
            prop_assert_eq!(steps.len(), distance[end]);
            let mut at = start;
            for step in steps {
                prop_assert!(pairs.contains(&(at, step.node)));
                at = step.node;
            }
            prop_assert_eq!(at, end);
        }
    }
}

#[test]
fn neighbourhood_has_complete_levels_within_its_limit() {
    let inventory = of_pairs(8, &[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6), (3, 0)]);
    let graph = DependencyGraph::new(&inventory);
    let of = |nodes, edges, direction| {
        let found = graph.neighbourhood(0, direction, NeighbourhoodLimit { nodes, edges });
        (found.part.nodes, found.part.edges.len(), found.is_cut)
    };
    let down = Direction::Dependencies;
    assert_eq!(of(9, 99, down), (vec![0, 1, 2, 3, 4, 5, 6], 8, false));
    assert_eq!(of(6, 99, down), (vec![0, 1, 2, 3], 4, true));
    assert_eq!(of(9, 7, down), (vec![0, 1, 2, 3], 4, true));
    assert_eq!(of(9, 1, down), (vec![0], 0, true));
    assert_eq!(of(9, 99, Direction::Dependents), (vec![0, 3, 1, 2], 5, false));
    let neighbours: Vec<_> = graph.neighbours(3, down).into_iter().map(|(node, _)| node).collect();
    assert_eq!(neighbours, [4, 5, 6, 0]);
}

#[test]
fn neighbourhood_cost_does_not_grow_with_a_hub() {
    let pairs: Vec<_> = (1..20_000).map(|at| (at, 0)).collect();
    let inventory = of_hub(&pairs);
    let graph = DependencyGraph::new(&inventory);
    let limit = NeighbourhoodLimit { nodes: 20, edges: 40 };
    let began = std::time::Instant::now();
    for at in 0..20_000 {
        assert!(graph.neighbourhood(at, Direction::Dependents, limit).part.nodes.len() <= 20);
        assert!(graph.neighbourhood(0, Direction::Dependents, limit).is_cut);
    }
    // Without the limit, these are 400 million edges.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

/// Makes an inventory in which every entry but the first depends on the first.
fn of_hub(pairs: &[(usize, usize)]) -> Inventory {
    let mut text = "components:\n- {category: service, name: n00000}\n".to_owned();
    for (from, to) in pairs {
        text += &format!(
            "- {{category: service, name: n{from:05}, dependencies: [{{verb: uses, target: service/n{to:05}}}]}}\n"
        );
    }
    inventory(&text)
}

#[test]
fn edges_of_an_entry_are_those_of_the_graph() {
    let text = "
components:
- {category: infrastructure, name: cloud}
- {category: service, name: api, image: x, run: {command: [x]}}
- {category: service, name: web, infrastructure: cloud, run: {command: [x], needs: [api]}}
- {category: service, name: old, infrastructure: \"a\\u009b\\nb\", dependencies: [{verb: calls, target: service/api}]}
";
    let inventory = inventory(text);
    let graph = DependencyGraph::new(&inventory);
    for component in &inventory.components {
        let at = graph.find(&component.reference).expect("is there");
        let of_graph = |direction: Direction| -> Vec<(Reference, GraphEdge<'_>)> {
            let edges = graph.neighbours(at, direction).into_iter();
            edges.map(|(other, edge)| (graph.node(other).reference.clone(), edge)).collect()
        };
        let dependents = dependents_of(&inventory, &component.reference).into_iter();
        let dependents: Vec<_> = dependents.map(|(one, edge)| (one.reference.clone(), edge)).collect();
        assert_eq!(dependencies_of(&inventory, component), of_graph(Direction::Dependencies));
        assert_eq!(dependents, of_graph(Direction::Dependents), "{}", component.reference);
    }
    let api = dependents_of(&inventory, &Reference::new("service", "api"));
    assert_eq!(api.iter().map(|(_, edge)| edge.verb).collect::<Vec<_>>(), ["calls", NEEDS]);
    // The name of a missing target may be anything.
    let missing = graph.node(graph.node_count() - 1).reference.to_string();
    assert!(missing.starts_with("infrastructure/a") && !missing.chars().any(char::is_control), "{missing:?}");
}
