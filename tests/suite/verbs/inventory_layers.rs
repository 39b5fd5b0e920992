//! Inventories of several layers: what they merge to, where each value comes from, and layers that contradict each other.

use std::path::Path;

use crate::support::cli::Cli;

const PUBLIC: &str = "
title: Public
repos: {tools: 'https://example.com/tools'}
production: {hosts: ['*.example.com'], environment: {IS_PRODUCTION: 'false'}}
components:
  - name: herder
    category: service
    description: Retries jobs.
    people: [infra]
    documentation: [{label: README, url: 'https://example.com/readme'}]
    environment:
      - {name: TOKEN, required: true, description: Access.}
      - {name: LEVEL, default: WARN}
  - {name: old, category: service}
";

/// The layers that most tests use.
fn layered() -> Cli {
    let cli = Cli::new();
    cli.write("public.yaml", PUBLIC);
    cli.write("private/inventory.yaml", "title: Private\nproduction: {hosts: [mq.internal]}\n");
    cli.write(
        "private/service/herder.yaml",
        "description: Retries our jobs.\ndocumentation: {README: null}\nenvironment:\n  - {name: LEVEL, default: DEBUG}\n  - {name: EXTRA}\n",
    );
    cli.write("private/service/old.yaml", "null\n");
    cli.write("private/service/new.yaml", "description: Ours alone.\n");
    cli
}

const LAYERS: &str = "--inventory public.yaml --inventory private";

#[test]
fn list_merges_layers_and_names_them() {
    let cli = layered();
    let listed = cli.run(&format!("list {LAYERS}")).ends_with(0);
    assert!(listed.stdout.contains("Retries our jobs.") && listed.stdout.contains("Ours alone."), "{listed}");
    assert!(!listed.stdout.contains("old"), "{listed}");
    assert!(listed.stderr.contains("2 components · inventory: Private, "), "{listed}");
    assert!(listed.stderr.contains("public.yaml + "), "{listed}");
    let layers = cli.run(&format!("list {LAYERS} -o json")).ends_with(0).json()["layers"].clone();
    assert_eq!(layers.as_array().map(Vec::len), Some(2), "{layers}");
    // The same by the setting, by a variable, and with the flag on both sides of the command.
    cli.write("cki.toml", "inventory = ['public.yaml', 'private']\n");
    let setting = cli.run("list").ends_with(0);
    let variable = cli.call("list").set("CKI_INVENTORY", "public.yaml,private").end().ends_with(0);
    let around = cli.run("--inventory public.yaml list --inventory private").ends_with(0);
    for other in [setting, variable, around] {
        assert_eq!(other.stdout, listed.stdout);
    }
    // The flags replace the setting.
    let one = cli.run("list --inventory public.yaml").ends_with(0);
    assert!(one.stdout.contains("old") && !one.stdout.contains("Ours alone."), "{one}");
    let built_in = cli.run("list --inventory default -o name").ends_with(0);
    assert_eq!(built_in.stdout, cli.call("list -o name").set("CKI_INVENTORY", "default").end().stdout);
    let over = cli.run("list --inventory default --inventory private -o name").ends_with(0);
    assert_eq!(over.stdout.lines().count(), built_in.stdout.lines().count() + 2);
}

#[test]
fn show_names_the_layer_and_the_line_of_each_value() {
    let cli = layered();
    let shown = cli.run(&format!("show herder {LAYERS}")).ends_with(0);
    let rows: Vec<Vec<&str>> = shown.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |value: &str| {
        let found =
            rows.iter().find(|row| row.contains(&value)).unwrap_or_else(|| panic!("{value}: {shown}"));
        found.iter().rev().take(2).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    assert!(row("description")[0].ends_with("private/service/herder.yaml:1"), "{shown}");
    assert!(row("people")[0].ends_with("public.yaml:9"), "{shown}");
    assert!(!shown.stdout.contains("https://example.com/readme"), "{shown}");
    let json = cli.run(&format!("show herder {LAYERS} -o json")).ends_with(0).json();
    let origin = |path: &str| {
        let origin = &json["origins"][path];
        let file = origin["place"].as_str().unwrap_or_default();
        let file = Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
        (origin["layer"].as_str().unwrap_or_default().ends_with("private"), file.unwrap_or_default())
    };
    assert_eq!(origin("environment.0.name"), (false, "public.yaml:12".to_owned()), "{json}");
    assert_eq!(origin("environment.1.default"), (true, "herder.yaml:4".to_owned()), "{json}");
    assert_eq!(origin("environment.2.name"), (true, "herder.yaml:5".to_owned()), "{json}");
    // One layer has nothing to say of layers.
    let alone = cli.run("show herder --inventory public.yaml -o json").ends_with(0).json();
    assert!(alone.get("origins").is_none(), "{alone}");
}

#[test]
fn layers_add_to_the_hosts_of_production() {
    let cli = layered();
    cli.write("private/service/herder.yaml", "image: x\nrun: {command: [x]}\n");
    for host in ["a.example.com", "mq.internal"] {
        let env = cli.run(&format!("env herder {LAYERS} -e URL=http://{host}"));
        assert!(env.stderr.contains(host), "{env}");
        assert!(env.stderr.contains("production"), "{env}");
    }
}

#[test]
fn contradictions_name_both_places() {
    let cli = layered();
    for (text, at, why) in [
        (
            "people: infra\n",
            "herder.yaml:1:9: `people` is a single value here, and a list at",
            "public.yaml:9:",
        ),
        (
            "\nenvironment: 3\n",
            "herder.yaml:2:14: `environment` is a single value here, and a list at",
            "public.yaml:12:",
        ),
        ("- a\n", "herder.yaml:1:1: this file is a list here, and a mapping at", "public.yaml:6:"),
        (
            "environment: {LEVEL: x}\n",
            "herder.yaml:1:22: `environment.LEVEL` is no mapping here",
            "herder.yaml:1:15",
        ),
        ("description: [a\n", "herder.yaml:", ""),
    ] {
        cli.write("private/service/herder.yaml", text);
        let listed = cli.run(&format!("list {LAYERS}")).ends_with(4);
        assert!(listed.stderr.contains(at) && listed.stderr.contains(why), "{text}: {listed}");
    }
    // The place of a wrong type, and of a finding, is that in the layer that wrote it.
    cli.write("private/service/herder.yaml", "kind: [a]\n");
    let listed = cli.run(&format!("list {LAYERS}")).ends_with(4);
    assert!(listed.stderr.contains("private/service/herder.yaml:1:"), "{listed}");
    cli.write("private/service/herder.yaml", "run: {comand: [x]}\n");
    let checked = cli.run(&format!("inventory check herder {LAYERS}")).ends_with(1);
    assert!(checked.stdout.contains("private/service/herder.yaml:1:7"), "{checked}");
}

#[test]
fn sources_are_refused_with_a_reason() {
    let cli = layered();
    for (flags, code, why) in [
        ("--inventory none", 3, "there is no inventory at"),
        ("--inventory public.yaml --inventory none", 3, "there is no inventory at"),
        ("--inventory public.yaml --inventory public.yaml", 4, "it is in the list twice"),
        ("--inventory ftp://h/x", 4, "the scheme of a repository is one of https"),
        ("--inventory https://u:glpat-0123@h/x:../y", 4, "`../y` after `:` is no path in the repository"),
        ("--inventory https://h/x@-y", 4, "`-y` after `@` is no branch, tag or commit"),
    ] {
        let listed = cli.run(&format!("list {flags}")).ends_with(code);
        assert!(listed.stderr.contains(why) && !listed.stderr.contains("glpat-0123"), "{flags}: {listed}");
    }
    for list in ["['public.yaml', 3]", "['public.yaml', '']"] {
        cli.write("cki.toml", &format!("inventory = {list}\n"));
        let listed = cli.run("list").ends_with(4);
        assert!(
            listed.stderr.contains("cki.toml:1:13") && listed.stderr.contains("a source is a directory"),
            "{listed}"
        );
    }
    // Links that lead back, and names that lead out, are read as nothing or not at all.
    cli.write("cki.toml", "");
    std::os::unix::fs::symlink("loop", cli.project().join("private/loop")).expect("links");
    std::os::unix::fs::symlink("loop.yaml", cli.project().join("private/service/loop.yaml")).expect("links");
    let listed = cli.run(&format!("list {LAYERS}")).ends_with(4);
    assert!(listed.stderr.contains("loop.yaml"), "{listed}");
    std::fs::remove_file(cli.project().join("private/service/loop.yaml")).expect("removes");
    cli.write("private/service/..x.yaml", "description: A.\n");
    cli.run(&format!("list {LAYERS}")).ends_with(0);
    cli.write("more.yaml", "components: {../x: {description: A.}}\n");
    let listed = cli.run("list --inventory public.yaml --inventory more.yaml").ends_with(4);
    assert!(listed.stderr.contains("more.yaml:1:14: `../x` is not a reference"), "{listed}");
}

#[test]
fn config_sets_several_sources() {
    let cli = layered();
    cli.run("config set inventory default,private").ends_with(0);
    let text = std::fs::read_to_string(cli.directory().join("home/.config/cki/cki.toml")).expect("is there");
    assert!(text.starts_with("inventory = [\"default\", \"/"), "{text}");
    let shown = cli.run("config get inventory").ends_with(0);
    assert!(shown.stdout.starts_with("default, /") && shown.stdout.ends_with("/private\n"), "{shown}");
    assert!(cli.run("list").ends_with(0).stdout.contains("Ours alone."));
}

#[test]
fn trust_covers_every_layer_of_this_machine() {
    let cli = layered();
    cli.write("cki.toml", "inventory = ['default', 'public.yaml', 'private']\n");
    let dry = |cli: &Cli| cli.call("trust -n").untrusting().end();
    let untrusted = cli.call("build herder").untrusting().end().ends_with(7);
    assert!(untrusted.stderr.contains("is not trusted"), "{untrusted}");
    cli.call("trust").untrusting().end().ends_with(0);
    assert!(dry(&cli).stderr.contains("is trusted."));
    cli.write("private/service/new.yaml", "description: Changed.\n");
    assert!(dry(&cli).stderr.contains("its files have changed"));
}
