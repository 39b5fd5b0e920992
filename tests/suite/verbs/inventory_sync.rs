//! Inventories in git repositories: their first fetch, the use of their copies, `cki inventory sync`, and trust.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::cli::Cli;
use crate::support::git_server::TOKEN;
use crate::support::repository::Repositories;

const FILES: &[(&str, &str)] = &[
    ("inv/inventory.yaml", "title: Served\n"),
    ("inv/service/a.yaml", "description: From git.\n"),
    ("inv/service/README.md", "no entry"),
    ("one.yaml", "components: [{name: b, category: x, description: One file.}]\n"),
];

fn source(path: &str) -> String {
    format!("--inventory {{server}}/i.git{path}")
}

#[test]
fn list_fetches_once_and_then_works_offline() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let commit = served.commit("i", FILES);
    let server = served.serve();
    let listed = cli.run(&format!("list {}", source(":inv"))).ends_with(0);
    assert!(listed.stdout.contains("From git."), "{listed}");
    assert!(listed.stderr.contains("i.git:inv (synced "), "{listed}");
    assert!(!server.seen().is_empty());
    let offline = cli.run(&format!("list --offline {}", source(":inv"))).ends_with(0);
    assert_eq!(offline.stdout, listed.stdout);
    // Other paths of the repository share the copy.
    let one = cli.run(&format!("show b {}", source(":one.yaml"))).ends_with(0);
    assert!(one.stdout.contains("/i.git:one.yaml"), "{one}");
    assert_eq!(server.seen(), [], "nothing is fetched twice");
    let config = cli.run(&format!("config {}", source(":inv"))).ends_with(0);
    // A slow machine may need more than a minute from the first command to this one.
    let said = config.stderr.lines().find(|line| line.contains("synced ")).unwrap_or_default();
    assert!(said.contains(&format!(" at {}", commit.short())), "{config}");
    let doctor = cli.run(&format!("doctor {}", source(":inv")));
    assert!(doctor.stdout.contains("synced "), "{doctor}");
    // There is no working tree, and nothing half-written.
    let copies = cli.directory().join("home/.cache/cki/inventories");
    let names = |path: &Path| {
        let entries = std::fs::read_dir(path).expect("reads").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    };
    let directory = copies.join(&names(&copies)[0]);
    // The order depends on the first digit of the commit.
    let mut expected = [commit.to_string(), "current".into(), "lock".into()];
    expected.sort();
    assert_eq!(names(&directory), expected);
    assert_eq!(names(&directory.join(commit.to_string())), [".git"]);
}

#[test]
fn sync_brings_a_new_commit_and_a_layer_keeps_its_copy() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let first = served.commit("i", FILES);
    let server = served.serve();
    cli.run(&format!("list {}", source(":inv"))).ends_with(0);
    let second = served.commit("i", &[("inv/service/c.yaml", "description: Second.\n")]);
    assert!(!cli.run(&format!("list {}", source(":inv"))).ends_with(0).stdout.contains("Second."));
    let synced = cli.run(&format!("inventory sync {}", source(":inv"))).ends_with(0);
    let told = format!("went from {} to {}", first.short(), second.short());
    assert!(synced.stdout.contains(&told), "{synced}");
    assert!(cli.run(&format!("list {}", source(":inv"))).ends_with(0).stdout.contains("Second."));
    let again = cli.run(&format!("inventory sync {} -o json", source(":inv"))).ends_with(0).json();
    assert_eq!(again["sources"][0]["before"], again["sources"][0]["commit"], "{again}");
    // The path is gone, and then the server: the copy stays.
    served.commit("i", &[("other.yaml", "title: Moved\n")]);
    let gone = cli.run(&format!("inventory sync {}", source(":inv"))).ends_with(3);
    assert!(gone.stdout.contains(&format!(" stays at {}, as the inventory", second.short())), "{gone}");
    assert!(
        gone.stderr.contains("has no `inv` at the commit") && gone.stderr.contains("as before"),
        "{gone}"
    );
    assert!(cli.run(&format!("list {}", source(":inv"))).ends_with(0).stdout.contains("Second."));
    // Another path needs the new commit. Nothing else is lost by it, so it is used.
    cli.run(&format!("inventory sync {}", source(":other.yaml"))).ends_with(0);
    drop(server);
    let failed = cli.run(&format!("inventory sync {}", source(":other.yaml"))).ends_with(6);
    assert!(failed.stdout.contains(" stays at "), "{failed}");
    cli.run(&format!("list {}", source(":other.yaml"))).ends_with(0);
}

/// Returns the directory of the one copy of a repository.
fn copy_directory(cli: &Cli) -> PathBuf {
    let copies = cli.directory().join("home/.cache/cki/inventories");
    std::fs::read_dir(&copies).expect("reads").flatten().next().expect("is there").path()
}

/// Returns the files below a directory, sorted.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("reads").flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(files_below(&path)),
            path => files.push(path),
        }
    }
    files.sort();
    files
}

#[test]
fn sync_makes_a_damaged_copy_again() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let commit = served.commit("i", FILES);
    let server = served.serve();
    let list = format!("list {}", source(":inv"));
    let listed = cli.run(&list).ends_with(0);
    let directory = copy_directory(&cli);
    let objects = directory.join(commit.to_string()).join(".git/objects");
    let damages: [&dyn Fn(&Path); 3] = [
        &|file| std::fs::remove_file(file).expect("removes"),
        &|file| std::fs::write(file, "rubbish").expect("writes"),
        &|file| {
            let content = std::fs::read(file).expect("reads");
            std::fs::write(file, &content[..content.len() / 2]).expect("writes");
        },
    ];
    for damage in damages {
        for file in files_below(&objects) {
            let rights = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            std::fs::set_permissions(&file, rights).expect("may");
            damage(&file);
        }
        let damaged = cli.run(&list).ends_with(4);
        assert!(
            damaged.stderr.contains("i.git:inv` at commit") && damaged.stderr.contains("is damaged: "),
            "{damaged}"
        );
        assert!(damaged.stderr.contains("hint: `cki inventory sync --inventory "), "{damaged}");
        let synced = cli.run(&format!("inventory sync {}", source(":inv"))).ends_with(0);
        let told = "as before; its copy was damaged and was made again.";
        assert!(synced.stdout.contains(told), "{synced}");
        assert_eq!(cli.run(&list).ends_with(0).stdout, listed.stdout);
    }
    assert!(!directory.join("damaged").exists());
    // Without the server, what is left of a damaged copy stays where it is.
    files_below(&objects).iter().for_each(|file| std::fs::remove_file(file).expect("removes"));
    drop(server);
    cli.run(&format!("inventory sync {}", source(":inv"))).ends_with(6);
    assert!(objects.exists());
}

#[test]
fn sync_refuses_a_broken_commit_and_reports_rewritten_history() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    served.commit("i", FILES);
    let _server = served.serve();
    for server in ["{server}", "{served}"] {
        let sync = |format: &str| cli.run(&format!("inventory sync --inventory {server}/i.git:inv{format}"));
        let old = served.rewrite("i", FILES);
        sync("").ends_with(0);
        served.commit("i", FILES);
        let good = served.commit("i", FILES);
        let synced = sync("").ends_with(0);
        let told = format!("went from {} to {}.\n", old.short(), good.short());
        assert!(synced.stdout.ends_with(&told), "{synced}");
        let broken = served.commit("i", &[("inv/service/a.yaml", "description: [\n")]);
        let refused = sync("").ends_with(4);
        let told =
            format!("stays at {}, as the inventory cannot be read with {}", good.short(), broken.short());
        assert!(refused.stdout.contains(&told), "{refused}");
        assert!(refused.stderr.contains("i.git:inv/service/a.yaml:1:14: "), "{refused}");
        let listed = cli.run(&format!("list --inventory {server}/i.git:inv")).ends_with(0);
        assert!(listed.stdout.contains("From git."), "{listed}");
        let view = sync(" -o json").ends_with(4).json();
        assert_eq!(view["sources"][0]["unreadable"], broken.to_string(), "{view}");
        // The repository is mended by a forced push.
        let mended = served.rewrite("i", FILES);
        let synced = sync("").ends_with(0);
        let (from, to) = (good.short(), mended.short());
        let told = format!("went from {from} to {to}; its history was rewritten and no longer has {from}.");
        assert!(synced.stdout.contains(&told), "{synced}");
        let view = sync(" -o json").ends_with(0).json();
        assert_eq!(view["sources"][0]["rewritten"], false, "{view}");
    }
    // A first commit that is broken is used: there is no other one. Two broken ones, too.
    for text in ["description: [\n", "description: {\n"] {
        let broken = served.commit("j", &[("service/a.yaml", text)]);
        let synced = cli.run("inventory sync --inventory {server}/j.git").ends_with(4);
        let told = format!("is at {}, with which the inventory cannot be read: ", broken.short());
        assert!(synced.stdout.contains(&told), "{synced}");
    }
}

#[test]
fn sync_uses_commits_of_two_repositories_that_fit_together_only() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let entry = |needs: &str| format!("image: x\nrun: {{needs: [{needs}]}}\n");
    let commit = |[b, c, a, d]: [&str; 4]| {
        let low = [("service/b.yaml", &*entry(b)), ("service/c.yaml", &*entry(c))];
        let top = [("service/a.yaml", &*entry(a)), ("service/d.yaml", &*entry(d))];
        (served.commit("low", &low), served.commit("top", &top))
    };
    let sources = "--inventory {served}/low.git --inventory {served}/top.git";
    commit(["", "d", "b", ""]);
    cli.run(&format!("inventory sync {sources}")).ends_with(0);
    // With the other one as it was, `a` and `b` would need each other, or `c` and `d`.
    let (low, top) = commit(["a", "", "", "c"]);
    let synced = cli.run(&format!("inventory sync {sources}")).ends_with(0);
    for commit in [low, top] {
        assert!(synced.stdout.contains(&format!(" to {}.", commit.short())), "{synced}");
    }
    // Of two that do not fit, none is used.
    commit(["a", "", "b", ""]);
    let refused = cli.run(&format!("inventory sync {sources}")).ends_with(4);
    assert!(refused.stderr.contains("`service/a` and `service/b` need each other"), "{refused}");
    cli.run(&format!("list {sources}")).ends_with(0);
}

#[test]
fn sources_name_branches_tags_and_commits() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let old = served.commit("i", FILES);
    served.commit_to("i", "refs/heads/feature/x", &[("service/f.yaml", "description: A branch.\n")]);
    served.commit_to("i", "refs/tags/v1", &[("service/t.yaml", "description: A tag.\n")]);
    served.commit("i", &[("service/m.yaml", "description: The newest.\n")]);
    let _server = served.serve();
    for (reference, text) in [
        (String::new(), "The newest."),
        ("@main".to_owned(), "The newest."),
        ("@feature/x".to_owned(), "A branch."),
        ("@refs/heads/feature/x".to_owned(), "A branch."),
        ("@v1".to_owned(), "A tag."),
        (format!("@{old}:inv"), "From git."),
    ] {
        for server in ["{server}", "{served}"] {
            let listed = cli.run(&format!("list --inventory {server}/i.git{reference}")).ends_with(0);
            assert!(listed.stdout.contains(text), "{reference}: {listed}");
        }
    }
    let absent = cli.run(&format!("list {}", source("@feature/y"))).ends_with(4);
    assert!(absent.stderr.contains("has no branch, tag or commit `feature/y`"), "{absent}");
    let absent = cli.run(&format!("inventory sync {}", source("@feature/y"))).ends_with(3);
    assert!(absent.stderr.contains("did you mean `feature/x`?"), "{absent}");
    let absent = cli.run(&format!("list {}", source(&format!("@{}", "0".repeat(40))))).ends_with(4);
    assert!(absent.stderr.contains("has no branch, tag or commit"), "{absent}");
}

#[test]
fn layers_out_of_reach_are_named_and_left_out() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    served.commit("i", FILES);
    let _server = served.serve();
    cli.write("own.yaml", "components: [{name: own, category: x, image: x}]\n");
    for (path, why) in [
        ("{server}/private/i.git", "wants a login"),
        ("{server}/fail/404/i.git", "there is no repository at"),
        ("{server}/fail/503/i.git", "503"),
        ("{server}/html/i.git", "not as a git server"),
        ("http://127.0.0.1:1/i.git", "cannot reach"),
    ] {
        let why = cli.fill(why);
        let listed = cli.run(&format!("list --inventory own.yaml --inventory {path}")).ends_with(0);
        assert!(listed.stdout.contains("own"), "{listed}");
        assert!(listed.stderr.contains("is left out: ") && listed.stderr.contains(&why), "{path}: {listed}");
        let alone = cli.run(&format!("list --inventory {path}")).ends_with(4);
        assert!(
            alone.stderr.contains("no layer of the inventory can be read") && alone.stderr.contains(&why),
            "{alone}"
        );
    }
    // The rules against production could be in the layer that is left out.
    let run = cli.run("run-local own --inventory own.yaml --inventory {server}/private/i.git").ends_with(7);
    assert!(run.stderr.contains("is left out"), "{run}");
    // With the login, it is there.
    let listed = cli.call("list --inventory own.yaml --inventory {server}/private/i.git:inv");
    let listed =
        listed.set("CKI_GITLAB_URL", cli.fill("{server}")).set("CKI_GITLAB_TOKEN", TOKEN).end().ends_with(0);
    assert!(listed.stdout.contains("From git.") && !listed.stderr.contains("left out"), "{listed}");
}

#[test]
fn copies_heal_and_are_made_once() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    served.commit("i", FILES);
    served.commit_noise("noise", 1 << 20);
    let server = served.serve();
    let line = format!("list {}", source(":inv"));
    // Several at once.
    let runs: Vec<_> = (0..3).map(|_| cli.start(&line)).collect();
    for run in runs {
        assert!(run.end().ends_with(0).stdout.contains("From git."));
    }
    let fetches = server.seen().iter().filter(|seen| seen.line.ends_with("/info/refs")).count();
    assert_eq!(fetches, 1, "one process fetches, and the others wait for it");
    // A record that is of no use.
    let copies = cli.directory().join("home/.cache/cki/inventories");
    let directory = std::fs::read_dir(&copies).expect("reads").flatten().next().expect("is there").path();
    for text in ["", "cki inventory 0\n", "cki inventory 1\nx\n", "cki inventory 1\n../../x\n1\n"] {
        std::fs::write(directory.join("current"), text).expect("writes");
        assert!(cli.run(&line).ends_with(0).stdout.contains("From git."), "{text:?}");
    }
    // A process that is killed in the middle leaves nothing that counts.
    let killed = cli.start("list --inventory {server}/stall/noise.git");
    server.stalled();
    killed.signal(nix::sys::signal::Signal::SIGKILL);
    killed.end().fails();
    let found = std::fs::read_dir(&copies).expect("reads").flatten();
    let half = found.map(|entry| entry.path()).filter(|path| *path != directory).collect::<Vec<_>>();
    assert!(half.iter().all(|path| !path.join("current").exists()), "{half:?}");
}

#[test]
fn copies_read_neither_links_nor_long_names() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    served.commit(
        "i",
        &[
            ("service/a.yaml", "description: A.\n"),
            ("two words/b.yaml", "x: 1\n"),
            ("service/a b.yaml", "x: 1\n"),
        ],
    );
    // A link, as only git itself writes it.
    let work = cli.directory().join("work");
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.expect("starts").success(), "{arguments:?}");
    };
    let path = work.display().to_string();
    let bare = cli.directory().join("served/i.git").display().to_string();
    git(&["clone", "-q", &bare, &path]);
    symlink("/etc/passwd", work.join("service/link.yaml")).expect("links");
    symlink("../../..", work.join("out")).expect("links");
    git(&["-C", &path, "add", "-A"]);
    git(&["-C", &path, "commit", "-qm", "links"]);
    git(&["-C", &path, "push", "-q", "origin", "HEAD:main"]);
    let listed = cli.run("list --inventory {served}/i.git").ends_with(0);
    assert!(listed.stdout.contains("A.") && !listed.stdout.contains("root:"), "{listed}");
    for name in [
        "service/link.yaml: it is not read",
        "out: it is not read",
        "two words: its files",
        "a b.yaml: it is not",
    ] {
        assert!(listed.stderr.contains(name), "{name}: {listed}");
    }
}

#[test]
fn a_project_fetches_nothing_before_trust() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    served.commit("i", FILES);
    let server = served.serve();
    cli.write("cki.toml", "inventory = ['default', '{server}/i.git:inv']\n");
    let untrusting = |line: &str| cli.call(line).untrusting().end();
    let listed = untrusting("list").ends_with(0);
    assert!(
        listed.stderr.contains("is left out: ") && listed.stderr.contains("`cki trust` fetches it"),
        "{listed}"
    );
    untrusting("inventory sync").ends_with(7);
    untrusting("trust -n").ends_with(0);
    assert_eq!(server.seen(), [], "nobody has trusted it");
    untrusting("trust").ends_with(0);
    assert!(!server.seen().is_empty());
    let listed = untrusting("list").ends_with(0);
    assert!(listed.stdout.contains("From git.") && !listed.stderr.contains("left out"), "{listed}");
    assert!(untrusting("trust -n").stderr.contains("is trusted."));
    // Another commit is other content.
    served.commit("i", &[("inv/service/a.yaml", "description: Evil.\n")]);
    let synced = untrusting("inventory sync").ends_with(0);
    assert!(synced.stderr.contains("`cki trust` lets the new commit take effect"), "{synced}");
    assert!(untrusting("trust -n").stderr.contains("its files have changed"));
    untrusting("build a").ends_with(7);
}

#[test]
fn sync_says_what_it_cannot_do() {
    let cli = Cli::new();
    let nothing = cli.run("inventory sync").ends_with(0);
    assert!(nothing.stderr.contains("nothing to fetch"), "{nothing}");
    let unknown =
        cli.run("inventory sync --inventory https://h/x --source https://u:secret-0@h/y").ends_with(3);
    assert!(
        unknown.stderr.contains("there is `https://h/x`") && !unknown.stderr.contains("secret-0"),
        "{unknown}"
    );
}

#[test]
fn a_large_inventory_is_cached_and_a_broken_cache_does_no_harm() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let names: Vec<String> = (0..120).map(|number| format!("inv/service/c{number}.yaml")).collect();
    let commit = |text: &str| {
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), text)).collect();
        served.commit("i", &files)
    };
    commit("description: Of the first commit.\npeople: [me]\nkinb: typo\n");
    let _server = served.serve();
    let cache = cli.directory().join("home/.cache/cki/inventory-cache");
    let run = |command: &str| {
        let outcome = cli.run(&format!("{command} {}", source(":inv")));
        outcome.to_string()
    };
    let files = || -> Vec<PathBuf> {
        std::fs::read_dir(&cache).expect("is there").map(|entry| entry.expect("lists").path()).collect()
    };
    let all = || ["list", "show c7", "graph --reverse c7", "inventory check -o json"].map(run).concat();
    // Completion reads a cache, and makes none.
    let complete = || {
        let line = format!("-- cki {} show c11", source(":inv"));
        cli.call(&line).set("COMPLETE", "fish").end().to_string()
    };
    // The first command fetches, and says so.
    run("list");
    std::fs::remove_dir_all(&cache).expect("removes");
    let first = all();
    assert!(first.contains("Of the first commit.") && first.contains("kinb"), "{first}");
    let file = files()[0].clone();
    assert_eq!(files().len(), 1);
    let content = std::fs::read(&file).expect("reads");
    assert!(all() == first, "from the cache: {}", all());
    let offered = complete();
    assert!(offered.contains("c119\tOf the first commit."), "{offered}");
    let damage: [&dyn Fn(); 4] = [
        &|| std::fs::write(&file, &content[..content.len() / 2]).expect("writes"),
        &|| std::fs::write(&file, "cki inventory cache 0").expect("writes"),
        &|| std::fs::remove_dir_all(&cache).expect("removes"),
        &|| {
            std::fs::remove_file(&file).expect("removes");
            symlink(&file, &file).expect("links");
        },
    ];
    for (number, damage) in damage.into_iter().enumerate() {
        damage();
        assert_eq!(complete(), offered, "{number}");
        assert!(all() == first, "{number}: {}", all());
        assert_eq!(files().len(), 1, "{number}");
    }
    commit("description: Of another commit.\n");
    run("inventory sync");
    let second = all();
    assert!(second.contains("Of another commit.") && !second.contains("kinb"), "{second}");
    assert_eq!(files().len(), 2);
}
