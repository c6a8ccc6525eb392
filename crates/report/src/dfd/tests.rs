//! Promises of the diagram, over systems like real ones and over random ones.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture};
use bartizan_review::Severity;

use super::fixture::{domains, random, shop};
use super::geometry::{Rect, passes, segments};
use super::graph::Graph;
use super::scene::{Scene, compose};
use super::{Options, dot, drawio, logical, mermaid, svg};

fn scene(architecture: &Architecture, options: &Options) -> Scene {
    compose(logical(architecture, options))
}

/// Every element once, every flow once (or counted as hidden), whatever was folded.
fn assert_complete(architecture: &Architecture, graph: &Graph, context: &str) {
    let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
    for member in graph.nodes.iter().flat_map(|node| &node.members) {
        *drawn.entry(member.address.as_str()).or_default() += 1;
    }
    assert!(drawn.values().all(|count| *count == 1), "{context}: drawn twice: {drawn:?}");
    let missing: Vec<&str> = architecture
        .components
        .values()
        .filter(|component| component.is_element())
        .map(|component| component.address.as_str())
        .filter(|address| !drawn.contains_key(address))
        .collect();
    assert!(missing.is_empty(), "{context}: not drawn: {missing:?}");
    let loops = graph.nodes.iter().flat_map(|node| &node.loops);
    let mut flows: Vec<&str> =
        graph.edges.iter().chain(loops).flat_map(|edge| &edge.flows).chain(&graph.hidden).map(String::as_str).collect();
    flows.sort_unstable();
    let mut expected: Vec<&str> = architecture.flows.iter().map(|flow| flow.id.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(flows, expected, "{context}");
}

fn assert_tidy(scene: &Scene, context: &str) {
    let canvas = Rect::new(0.0, 0.0, scene.width, scene.height);
    for (index, rect) in scene.nodes.iter().enumerate() {
        assert!(canvas.holds(*rect), "{context}: node {index} off the canvas");
        for (other, second) in scene.nodes.iter().enumerate().skip(index + 1) {
            assert!(!rect.overlaps(*second), "{context}: nodes {index} and {other} overlap");
        }
        if let Some(group) = scene.graph.nodes[index].group {
            assert!(scene.groups[group].holds(*rect), "{context}: node {index} outside its boundary");
        }
    }
    for (index, group) in scene.graph.groups.iter().enumerate() {
        if let Some(parent) = group.parent {
            assert!(scene.groups[parent].holds(scene.groups[index]), "{context}: boundary {index} outside its parent");
        }
    }
    for (index, label) in scene.labels.iter().enumerate() {
        assert!(canvas.holds(label.rect), "{context}: label {index} off the canvas");
        assert!(scene.nodes.iter().all(|rect| !rect.overlaps(label.rect)), "{context}: label {index} covers a node");
        assert!(
            scene.labels.iter().skip(index + 1).all(|other| !other.rect.overlaps(label.rect)),
            "{context}: label {index} covers another"
        );
    }
    for (index, route) in scene.routes.iter().enumerate() {
        assert!(route.len() >= 2, "{context}: flow {index} has no route");
        let edge = &scene.graph.edges[index];
        for (a, b) in segments(route) {
            for (node, rect) in scene.nodes.iter().enumerate() {
                let own = node == edge.from || node == edge.to;
                assert!(own || !passes(a, b, rect.grown(-2.0)), "{context}: flow {index} runs through node {node}");
            }
        }
    }
}

fn badges(architecture: &Architecture) -> BTreeMap<Address, (Severity, usize)> {
    let severities = [Severity::Low, Severity::High, Severity::Medium, Severity::Critical, Severity::Info];
    let drawn = architecture.components.keys().enumerate().filter(|(index, _)| index % 3 == 0);
    drawn.map(|(index, address)| (address.clone(), (severities[index / 3 % 5], 1 + index % 12))).collect()
}

#[test]
fn a_shop_is_drawn_whole_and_tidy() {
    let shop = shop();
    let options = Options { severity: badges(&shop), ..Options::default() };
    let scene = scene(&shop, &options);
    assert_complete(&shop, &scene.graph, "shop");
    assert_tidy(&scene, "shop");
    let picture = svg(&shop, &options);
    for address in shop.components.keys() {
        assert_eq!(picture.matches(&format!("data-address=\"{address}\"")).count(), 1, "{address}");
    }
    for flow in &shop.flows {
        let whole = picture.split("data-flow=\"").skip(1).filter_map(|rest| rest.split('"').next());
        assert_eq!(whole.filter(|ids| ids.split(' ').any(|id| id == flow.id)).count(), 1, "{}", flow.id);
    }
    for boundary in &shop.boundaries {
        assert_eq!(picture.matches(&format!("data-boundary=\"{}\"", boundary.id)).count(), 1, "{}", boundary.id);
    }
    assert!(picture.contains("mysql :3306"));
    assert_eq!(scene.graph.nodes.iter().filter(|node| !node.loops.is_empty()).count(), 1, "the gossip of the api stays inside its box");
}

#[test]
fn a_flow_in_clear_is_risky_only_where_it_crosses_a_boundary() {
    let graph = logical(&shop(), &Options::default());
    let risky: BTreeSet<(&str, &str)> = graph
        .edges
        .iter()
        .filter(|edge| edge.risky)
        .map(|edge| (graph.nodes[edge.from].title.as_str(), graph.nodes[edge.to].title.as_str()))
        .collect();
    assert!(risky.contains(&("Internet", "front")), "{risky:?}");
    assert!(risky.contains(&("events", "partner")));
    assert!(!risky.contains(&("web", "api")), "both lie in one namespace");
    assert_eq!(graph.edges.iter().filter(|edge| edge.blocked).count(), 1);
}

#[test]
fn what_has_no_flow_stands_on_the_shelf_of_its_boundary() {
    let graph = logical(&shop(), &Options::default());
    let shelf = graph.nodes.iter().find(|node| node.title == "without flows").unwrap();
    let names: Vec<&str> = shelf.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["api", "backups", "terraform-state"]);
    assert_eq!(graph.groups[shelf.group.unwrap()].id, "account:1");
}

#[test]
fn ancillary_flows_are_left_out_where_they_are_many_unless_asked_for() {
    let system = domains(5);
    let usual = logical(&system, &Options::default());
    assert_eq!(usual.hidden.len(), 15);
    assert_complete(&system, &usual, "domains");
    let all = logical(&system, &Options { show_ancillary: true, ..Options::default() });
    assert!(all.hidden.is_empty());
    assert!(svg(&system, &Options::default()).contains("15 ancillary flows"));
}

#[test]
fn large_systems_are_folded_until_they_can_be_read() {
    for n_domains in [14, 30, 50, 120] {
        let system = domains(n_domains);
        let context = format!("{n_domains} domains");
        let scene = scene(&system, &Options { severity: badges(&system), ..Options::default() });
        assert_complete(&system, &scene.graph, &context);
        assert_tidy(&scene, &context);
        let n_nodes = scene.graph.nodes.len();
        assert!(n_nodes <= 64, "{context}: {n_nodes} nodes");
    }
}

#[test]
fn counted_instances_with_the_same_neighbours_become_a_stack() {
    let mut system = super::fixture::System::default();
    system.add("aws_sqs_queue.jobs", "sqs.queue", bartizan_model::Kind::DataStore, None);
    for index in 0..30 {
        let address = format!("aws_instance.worker[{index}]");
        system.add(&address, "ec2.instance", bartizan_model::Kind::Process, None);
        system.flow("aws_sqs_queue.jobs", &address, "https", Some(443), Some(true));
    }
    let graph = logical(&system.architecture, &Options::default());
    let titles: Vec<&str> = graph.nodes.iter().map(|node| node.title.as_str()).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.contains(&"worker* ×30"), "{titles:?}");
    assert_eq!(graph.edges.len(), 1);
    assert_complete(&system.architecture, &graph, "instances");
}

#[test]
fn random_systems_are_drawn_whole_and_tidy() {
    for seed in 0..60 {
        let system = random(seed);
        let context = format!("seed {seed}");
        // Every other one is drawn as it is, to see crowds too.
        let options = Options { collapse: seed % 2 == 0, severity: badges(&system), ..Options::default() };
        let scene = scene(&system, &options);
        assert_complete(&system, &scene.graph, &context);
        assert_tidy(&scene, &context);
    }
}

#[test]
fn our_own_layout_keeps_the_same_promises() {
    for seed in 0..25 {
        let graph = logical(&random(seed), &Options::default());
        let scene = super::scene::compose_without_elk(graph);
        assert_tidy(&scene, &format!("grid of seed {seed}"));
    }
}

#[test]
fn the_same_system_gives_the_same_bytes() {
    let (first, second) = (domains(12), domains(12));
    for write in [svg, mermaid, dot, drawio] {
        assert_eq!(write(&first, &Options::default()), write(&second, &Options::default()));
    }
}

#[test]
fn an_empty_system_gives_an_empty_picture() {
    let empty = Architecture::default();
    assert!(svg(&empty, &Options::default()).ends_with("</svg>\n"));
    assert!(mermaid(&empty, &Options::default()).starts_with("flowchart TB"));
}

#[test]
fn the_text_formats_hold_every_node_boundary_and_arrow() {
    let shop = shop();
    let graph = logical(&shop, &Options::default());
    let (mermaid, dot, drawio) = (mermaid(&shop, &Options::default()), dot(&shop, &Options::default()), drawio(&shop, &Options::default()));
    assert_eq!(mermaid.matches("subgraph g").count(), graph.groups.len());
    assert_eq!(mermaid.matches("--> ").count() + mermaid.matches("-->|").count() + mermaid.matches("-.->|").count(), graph.edges.len());
    assert_eq!(dot.matches("subgraph cluster_").count(), graph.groups.len());
    assert_eq!(dot.matches(" -> ").count(), graph.edges.len());
    assert_eq!(drawio.matches("vertex=\"1\"").count(), graph.nodes.len() + graph.groups.len());
    assert_eq!(drawio.matches("edge=\"1\"").count(), graph.edges.len());
    assert!(dot.contains("\"mysql :3306\""));
}

#[test]
fn outsiders_who_call_stand_apart_from_those_who_are_called() {
    let mut system = super::fixture::System::default();
    system.boundary("external", bartizan_model::BoundaryKind::External, "other parties", None);
    system.boundary("account", bartizan_model::BoundaryKind::Account, "prod", None);
    for (address, component_type) in [("operator", "external.operator"), ("aws:anyone", "external.anyone"), ("partner", "external.actor")] {
        system.add(address, component_type, bartizan_model::Kind::ExternalEntity, Some("external"));
    }
    system.add("aws_lambda_function.f", "lambda.function", bartizan_model::Kind::Process, Some("account"));
    for service in ["ec2", "iam", "s3", "sns", "sqs"] {
        let address = format!("aws:{service}");
        system.add(&address, "external.service", bartizan_model::Kind::ExternalEntity, Some("external"));
        system.flow("aws_lambda_function.f", &address, "https", Some(443), Some(true));
    }
    system.flow("operator", "aws_lambda_function.f", "https", Some(443), Some(true));
    system.flow("aws:anyone", "aws_lambda_function.f", "https", Some(443), Some(true));
    system.flow("aws_lambda_function.f", "partner", "https", Some(443), Some(true));
    let graph = logical(&system.architecture, &Options::default());
    assert_complete(&system.architecture, &graph, "outsiders");
    let group_of = |title: &str| graph.nodes.iter().find(|node| node.title == title).and_then(|node| node.group);
    assert_eq!(group_of("operator"), group_of("aws:anyone"));
    assert_eq!(group_of("partner"), group_of("AWS service APIs ×5"));
    assert_ne!(group_of("operator"), group_of("partner"));
    let n_parts = graph.groups.iter().filter(|group| group.id == "external").count();
    assert_eq!(n_parts, 2, "both parts are the same boundary");
}

#[test]
fn secrets_in_reasons_do_not_reach_the_tooltips() {
    let mut system = super::fixture::System::default();
    system.add("a.one", "lambda.function", bartizan_model::Kind::Process, None);
    system.add("a.two", "rds.instance", bartizan_model::Kind::DataStore, None);
    system.flow("a.one", "a.two", "mysql", Some(3306), None);
    let text = "environment names it: AKIAABCDEFGHIJKLMNOP".to_owned();
    let kind = bartizan_model::ReasonKind::Reference;
    system.architecture.flows[0].why.push(bartizan_model::Reason { kind, text, span: None });
    let picture = svg(&system.architecture, &Options::default());
    assert!(picture.contains("environment names it: AKIA"));
    assert!(!picture.contains("AKIAABCDEFGHIJKLMNOP"));
}
