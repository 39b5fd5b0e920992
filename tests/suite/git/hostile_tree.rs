//! Repositories whose trees no git program would write: names that lead out of the clone or into its `.git`,
//! links where the next commit has a directory, filters and submodules that are commands.

use super::*;

/// Names of a directory in a tree, each of which some file system takes for `.git` or another place.
const NAMES: [&str; 12] = [
    ".git",
    ".GIT",
    ".Git",
    "git~1",
    "GIT~1",
    ".git\u{200c}",
    ".git ",
    ".git.",
    ".git::$INDEX_ALLOCATION",
    "..",
    ".",
    "../work",
];

impl Bench {
    /// Commits a tree with one directory of any name, which holds one file, to `main`.
    fn commit_raw(&self, directory: &str, name: &str, content: &str) {
        let repository = git2::Repository::open_bare(self.served()).expect("opens");
        let odb = repository.odb().expect("has one");
        let tree = |mode: &str, name: &str, id: git2::Oid| {
            let bytes = [mode.as_bytes(), b" ", name.as_bytes(), b"\0", id.as_bytes()].concat();
            odb.write(git2::ObjectType::Tree, &bytes).expect("writes")
        };
        let blob = repository.blob(content.as_bytes()).expect("writes");
        let root = tree("40000", directory, tree("100644", name, blob));
        let text = format!(
            "tree {root}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nx\n"
        );
        let commit = odb.write(git2::ObjectType::Commit, text.as_bytes()).expect("writes");
        repository.reference("refs/heads/main", commit, true, "x").expect("points");
    }
}

#[tokio::test]
async fn clone_writes_no_tree_entry_outside_or_into_its_git_directory() {
    for name in NAMES {
        for over_ssh in [false, true] {
            let bench = Bench::new().await;
            let (git, url) = bench.transport(over_ssh);
            bench.commit_raw(name, "config", "[core]\n\tfsmonitor = planted\n");
            let found = bench.clone_with(&git, bench.wanted(&url), None).await;
            let own = std::fs::read_to_string(bench.target().join(".git/config")).unwrap_or_default();
            assert!(!own.contains("planted"), "{name}, ssh {over_ssh}: {found:?}");
            for directory in [bench.work(), bench.directory.path().to_owned()] {
                assert!(!directory.join("config").exists(), "{name}, ssh {over_ssh}: {found:?}");
            }
            assert!(
                names(&bench.work()).iter().all(|name| name == "x"),
                "{name}: {:?}",
                names(&bench.work())
            );
        }
    }
}

#[tokio::test]
async fn update_follows_no_link_that_a_commit_replaces_by_a_directory() {
    for over_ssh in [false, true] {
        let mut bench = Bench::new().await;
        let (git, url) = bench.transport(over_ssh);
        let outside = bench.directory.path().join("outside");
        std::fs::create_dir(&outside).expect("makes");
        let link = |path: &str, target: &str| TreeFile {
            path: path.into(),
            content: target.into(),
            mode: Mode::Link,
        };
        let to = outside.to_str().expect("is text");
        let links = [link("l", to), link("m", "../../outside"), link("n", ".git")];
        let first = bench.commit(bench.first, "refs/heads/main", &links);
        assert_eq!(bench.clone_with(&git, bench.wanted(&url), None).await.head(), Some(first));
        let files =
            [file("l/config", "planted\n"), file("m/config", "planted\n"), file("n/config", "planted\n")];
        bench.commit(first, "refs/heads/main", &files);
        bench.clone_with(&git, bench.wanted(&url), None).await;
        assert_eq!(names(&outside), [""; 0], "ssh {over_ssh}");
        let own = std::fs::read_to_string(bench.target().join(".git/config")).expect("is there");
        assert!(!own.contains("planted"));
    }
}

#[tokio::test]
async fn clone_runs_no_filter_submodule_or_hook_of_its_tree() {
    for over_ssh in [false, true] {
        let mut bench = Bench::new().await;
        let (git, url) = bench.transport(over_ssh);
        let trace = bench.directory.path().join("ran");
        let touch = format!("touch {}", trace.display());
        let modules = format!(
            "[submodule \"s\"]\n\tpath = s\n\turl = ext::sh -c '{touch}'\n\tupdate = !{touch}\n[submodule \"-u{touch}\"]\n\tpath = t\n\turl = -u{touch}\n"
        );
        let hook = TreeFile {
            mode: Mode::Executable,
            ..file("hooks/post-checkout", &format!("#!/bin/sh\n{touch}\n"))
        };
        let files = [
            file(".gitmodules", &modules),
            file(".gitattributes", "* filter=x diff=x merge=x\n"),
            file(
                ".gitconfig",
                &format!("[core]\n\tfsmonitor = {touch}\n[filter \"x\"]\n\tsmudge = {touch}\n"),
            ),
            file("a", "1\n"),
            hook,
        ];
        let head = bench.commit(bench.first, "refs/heads/main", &files);
        assert_eq!(bench.clone_with(&git, bench.wanted(&url), None).await.head(), Some(head));
        let head = bench.commit(head, "refs/heads/main", &[file("a", "2\n")]);
        assert_eq!(bench.clone_with(&git, bench.wanted(&url), None).await.head(), Some(head));
        bench.inspect();
        assert!(!trace.exists(), "ssh {over_ssh}");
    }
}
