//! Input that is wrong: `cki` names the place, and continues as far as it can.

use insta::assert_snapshot;

use crate::support::cli::{Cli, Outcome};

/// Lists an inventory of one file.
fn list(text: &str) -> Outcome {
    let cli = Cli::new();
    cli.inventory(text);
    cli.run("list")
}

#[test]
fn list_reports_a_missing_inventory() {
    let cli = Cli::new();
    assert_snapshot!(cli.run("list --inventory absent.yaml"), @"
    --- stderr
    error: there is no inventory at `/tmp/cki-TESTID/project/absent.yaml`.
    hint: name a file or a directory that exists, or none, for the built-in inventory; `cki config` shows a setting that names it.
    --- exit 3
    ");
    std::fs::create_dir(cli.project().join("empty")).expect("makes");
    assert_snapshot!(cli.run("list --inventory empty"), @"
    --- stderr
    error: `/tmp/cki-TESTID/project/empty` holds no inventory: neither `inventory.yaml` nor any entry at `category/name.yaml`.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    std::os::unix::fs::symlink("loop.yaml", cli.project().join("loop.yaml")).expect("links");
    cli.run("list --inventory loop.yaml").ends_with(4).says("Too many levels of symbolic links");
}

#[test]
fn list_reports_invalid_yaml() {
    assert_snapshot!(list("title: Sample\ncomponents:\n  - {name: a, category: x\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:3:5: unclosed bracket '{'.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("title: Sample\n\tcomponents: []\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:1:8: while scanning a plain scalar, found a tab.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("components:\n  - name: a\n    category: x\n    name: b\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:4:5: duplicate mapping key `name` is not allowed here.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    list(&"[".repeat(100_000)).ends_with(4);
}

#[test]
fn list_refuses_long_files_and_impossible_names() {
    let cli = Cli::new();
    cli.write("directory/inventory.yaml", "\u{feff}title: With a mark\n");
    cli.write("directory/service/a.yaml", "\u{feff}description: Marked.\n");
    cli.write("directory/service/-rf.yaml", "description: x\n");
    cli.write("directory/service/\u{1b}[2J.yaml", "description: x\n");
    assert_snapshot!(cli.run("list --inventory directory"), @"
    service
      a  Marked.
    --- stderr
    warning: /tmp/cki-TESTID/project/directory/service/.yaml: it is not read, since no component can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most
    warning: /tmp/cki-TESTID/project/directory/service/-rf.yaml: it is not read, since no component can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most
    1 component · inventory: With a mark, /tmp/cki-TESTID/project/directory
    --- exit 0
    ");
    for name in ["-rf", "a/b", "..", "a\\u0007"] {
        list(&format!("components: [{{category: x, name: \"{name}\"}}]\n")).ends_with(4).says("is no name");
    }
    // A file without blocks on the disk.
    let long = std::fs::File::create(cli.project().join("directory/service/long.yaml"));
    long.and_then(|file| file.set_len(100 << 20)).expect("grows");
    assert_snapshot!(cli.run("list --inventory directory"), @"
    --- stderr
    error: `/tmp/cki-TESTID/project/directory/service/long.yaml` is longer than 64 MiB, which is the most that one file of an inventory may hold.
    hint: make a directory of it: `inventory.yaml` without the entries, and each entry in a file `CATEGORY/NAME.yaml`.
    --- exit 4
    ");
}

#[test]
fn list_reports_values_of_the_wrong_type() {
    assert_snapshot!(list("components:\n  - {name: a, category: x, run: {ports: [http]}}\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:2:42: a port is a number from 1 to 65535, with `/http` if it speaks HTTP, and after `HOST_PORT:` if it has another one on this machine.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("components:\n  - {name: a, category: x, run: {ready: {tcp: 1, log: x}}}\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:2:41: `ready` takes one of `http` with `port`, `tcp`, `exec` or `log`.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("components:\n  - {category: x}\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:2:5: an entry lacks its `name`.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("components:\n  - {name: ../../etc, category: x}\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:2:5: `../../etc` is no name: letters, digits, `-`, `_` and `.` only.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("version: 2\n"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:1:1: the format has version 2, and this `cki` knows version 1.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    list("- a\n- b\n").ends_with(4);
}

#[test]
fn list_reports_a_binary_inventory() {
    let cli = Cli::new();
    let bytes: [(&str, &[u8]); 3] = [
        ("latin1.yaml", b"title: a\ncomponents:\n  - {name: a, category: x, description: \"caf\xe9\"}\n"),
        ("zero.yaml", b"title: a\ncomponents: \"\0\"\n"),
        ("program.yaml", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\xff\xfe"),
    ];
    for (name, bytes) in bytes {
        std::fs::write(cli.project().join(name), bytes).expect("writes");
    }
    assert_snapshot!(cli.run("list --inventory latin1.yaml"), @"
    --- stderr
    error: cannot read `/tmp/cki-TESTID/project/latin1.yaml`: it is no text in UTF-8, from line 3, column 45 on.
    --- exit 4
    ");
    assert_snapshot!(cli.run("list --inventory zero.yaml"), @r#"
    --- stderr
    error: /tmp/cki-TESTID/project/zero.yaml:2:14: unexpected character: `\u{0}'.
    hint: `cki help inventory` describes the format.
    --- exit 4
    "#);
    assert_snapshot!(cli.run("list --inventory program.yaml"), @"
    --- stderr
    error: cannot read `/tmp/cki-TESTID/project/program.yaml`: it is no text in UTF-8, from line 1, column 21 on.
    --- exit 4
    ");
}

#[test]
fn list_refuses_a_yaml_bomb() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_snapshot!(list(&bomb), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:6:15: it is too large, or its aliases make it so.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    list("components: &all\n  - {name: a, category: x, people: *all}\n").ends_with(4);
}

#[test]
fn list_reports_duplicate_and_circular_entries() {
    assert_snapshot!(list("\
components:
  - {name: a, category: x}
  - {name: b, category: x}
  - {name: a, category: x}
"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:4:5: `x/a` is defined twice; the other entry is in /tmp/cki-TESTID/project/inventory.yaml:2:5.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    assert_snapshot!(list("\
components:
  - {name: a, category: x, run: {command: [a], needs: [b]}}
  - {name: b, category: x, run: {command: [b], needs: [c]}}
  - {name: c, category: x, run: {command: [c], needs: [x/a]}}
"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/inventory.yaml:2:48: `x/a`, `x/b` and `x/c` need each other, so none of them can start first.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    let cli = Cli::new();
    cli.write("directory/service/a.yaml", "name: b\n");
    assert_snapshot!(cli.run("list --inventory directory"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/directory/service/a.yaml: the file's place says `service/a`, its content says `service/b`.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
}

#[test]
fn list_continues_despite_findings() {
    assert_snapshot!(list("\
title: Sample
repos: {tools: 'https://example.org/tools'}
colour: red
components:
  - name: a
    category: x
    descripton: A.
    sources: [{repo: toosl}]
    environment:
      - {name: X, requird: true}
"), @"
    x
      a  –
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:3:1: the key `colour` is unknown; the keys there are `version`, `title`, `categories`, `repos`, `production`, `services`, `rfcs` and 3 others
    warning: /tmp/cki-TESTID/project/inventory.yaml:7:5: the key `components.0.descripton` is unknown; did you mean `description`?
    warning: /tmp/cki-TESTID/project/inventory.yaml:10:19: the key `components.0.environment.0.requird` is unknown; did you mean `required`?
    warning: /tmp/cki-TESTID/project/inventory.yaml:8:16: there is no repository `toosl`; did you mean `tools`?
    1 component · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
}

#[test]
fn list_names_the_faulty_file_of_a_directory() {
    let cli = Cli::new();
    cli.write("directory/inventory.yaml", "title: Sample\n");
    cli.write("directory/service/good.yaml", "description: Good.\n");
    cli.write("directory/service/bad.yaml", "description: Bad.\npeople: {a: b}\n");
    cli.write("directory/service/README.md", "Not an entry.\n");
    // A link that leads back is one category more, and no end of them.
    std::os::unix::fs::symlink(".", cli.project().join("directory/service/again")).expect("links");
    assert_snapshot!(cli.run("list --inventory directory"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/directory/service/bad.yaml:2:9: expected a list.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
    cli.write("directory/service/bad.yaml", "description: Better.\n");
    assert_snapshot!(cli.run("list --inventory directory"), @"
    service
      bad   Better.
      good  Good.
    --- stderr
    2 components · inventory: Sample, /tmp/cki-TESTID/project/directory
    --- exit 0
    ");
}

#[test]
fn run_local_and_build_report_unusable_entries() {
    let cli = Cli::new();
    cli.inventory(
        "\
components:
  - name: a
    category: x
    run: {command: [a], needs: [rabitmq]}
  - {name: b, category: x}
  - {name: c, category: x, run: {once: [c]}}
",
    );
    assert_snapshot!(cli.run("run-local a"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:4:33: there is no backing service or component `rabitmq`; did you mean `rabbitmq`?
    error: /tmp/cki-TESTID/project/inventory.yaml:4: `a` needs `rabitmq`, which is neither a backing service nor a component.
    hint: did you mean `rabbitmq`?
    --- exit 4
    ");
    assert_snapshot!(cli.run("run-local b"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:4:33: there is no backing service or component `rabitmq`; did you mean `rabbitmq`?
    error: the inventory does not say how `b` is run: its entry has neither `run`, `build` nor `image`.
    hint: add a `run` section at /tmp/cki-TESTID/project/inventory.yaml:5, or name an image with `--image`.
    --- exit 4
    ");
    assert_snapshot!(cli.run("run-local c"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:4:33: there is no backing service or component `rabitmq`; did you mean `rabbitmq`?
    error: `c` does its work once and ends: it has `run.once` and no `run.command`.
    hint: `cki run-local c --once -- ARGS` runs it.
    --- exit 2
    ");
    assert_snapshot!(cli.run("build b"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:4:33: there is no backing service or component `rabitmq`; did you mean `rabbitmq`?
    error: the inventory does not say how `b` is built: its entry has no `build` section.
    hint: add a `build` section at /tmp/cki-TESTID/project/inventory.yaml:5, or run a published image with `cki run-local b --image IMAGE`.
    --- exit 4
    ");
}

#[test]
fn env_reports_invalid_service_templates() {
    let cli = Cli::new();
    cli.inventory("components: [{name: a, category: x, run: {command: [a], needs: [broken]}}]\n");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    cli.write("templates/services/broken.yaml", "image: x\nports: [a]\n");
    assert_snapshot!(cli.run("env a"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/templates/services/broken.yaml:2:9: expected a whole number from 0 to 65535.
    --- exit 4
    ");
    cli.write("templates/services/broken.yaml", "image: x\nprovides: {A: {value: '{{ hots }}'}}\n");
    assert_snapshot!(cli.run("env a"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/templates/services/broken.yaml: `provides.A` cannot be made.
      undefined value (in <string>:1).
    --- exit 4
    ");
}

#[test]
fn env_refuses_endless_templates() {
    let cli = Cli::new();
    cli.inventory("components: [{name: a, category: x, run: {command: [a], needs: [endless]}}]\n");
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    let run = |value: &str| {
        let text = format!("image: x\nparameters: {{all: []}}\nprovides: {{A: {{value: {value:?}}}}}\n");
        cli.write("templates/services/endless.yaml", &text);
        cli.run("env a")
    };
    let letters = "{% for a in 'abcdefghijklmnopqrstuvwxyz' | list %}";
    for (value, why) in [
        (letters.repeat(8) + "{{ a }}" + &"{% endfor %}".repeat(8), "the template does too much work"),
        ("{% set a = 'x' %}{{ a }}".to_owned(), "line 1: `{% set %}` is not available"),
        ("{{ 'x' | indent(2000000000) }}".to_owned(), "there are default, first, int, join"),
        (format!("{{{{ {}host }}}}", "not ".repeat(50_000)), "a tag has more than 128 words and signs"),
        ("x{{ host }}".repeat(50_000), "the template has 550000 bytes; 262144 at most are allowed"),
    ] {
        let run = run(&value).to_string();
        assert!(run.contains("`provides.A` cannot be made.") && run.contains(why), "{run}");
        assert!(run.contains("--- exit 4"), "{run}");
    }
}

#[test]
fn commands_report_unreadable_files_alike() {
    type Spoil = fn(&std::path::Path);
    let spoils: [(&str, Spoil); 6] = [
        ("it is a directory, not a file", |path| std::fs::create_dir_all(path).expect("makes")),
        ("it is a pipe, not a file", |path| {
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("makes");
        }),
        ("it is a device, not a file", |path| std::os::unix::fs::symlink("/dev/zero", path).expect("links")),
        ("it is a socket, not a file", |path| {
            drop(std::os::unix::net::UnixListener::bind(path).expect("binds"));
        }),
        ("Too many levels of symbolic links", |path| {
            std::os::unix::fs::symlink(path, path).expect("links");
        }),
        ("it is no text in UTF-8", |path| std::fs::write(path, b"a: \xff\n").expect("writes")),
    ];
    let entry = "components: [{name: a, category: x, run: {command: [x]}}]\n";
    let with_inventory = [
        "list",
        "show a",
        "env a",
        "env a --scan",
        "run-local a",
        "run-local a --dry-run",
        "build a",
        "clone a",
    ];
    let with_settings =
        ["list", "env a", "ps", "config", "gc", "logs a", "down a", "exec a -- x", "completions bash"];
    for (why, spoil) in spoils {
        let cli = Cli::new();
        cli.inventory(entry);
        std::fs::create_dir(cli.project().join("directory")).expect("makes");
        spoil(&cli.project().join("directory/inventory.yaml"));
        for line in with_inventory {
            let line = format!("{line} --inventory directory");
            cli.run(&line).ends_with(4).says(why);
        }
        spoil(&cli.project().join("vars"));
        for line in ["env a --env-file vars", "run-local a --dry-run --env-file vars"] {
            cli.run(line).ends_with(4).says(why);
        }
        if !why.contains("directory") {
            // A directory may be an inventory.
            cli.run("list --inventory vars").ends_with(4).says(why);
        }
        let settings = cli.project().join("cki.toml");
        let _ = std::fs::remove_file(&settings);
        spoil(&settings);
        for line in with_settings {
            let found = cli.run(line);
            if why.contains("device") || why.contains("links") {
                // What every user can write, or has no owner, is not believed at all.
                found.says("is ignored");
            } else {
                found.ends_with(4).says(why);
            }
        }
    }
    let cli = Cli::new();
    cli.inventory(entry);
    cli.run("env a --env-file absent").ends_with(3);
}
