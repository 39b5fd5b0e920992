//! Refs of a server that are renamed and removed: one list of cases, over HTTP through libgit2 and over
//! SSH through the installed `git`.

use super::*;

/// Commands on the server between two updates, and the report of the second update.
const CASES: [(&str, &[&[&str]], &str); 6] = [
    ("branch to directory", &[&["branch", "-D", "topic"], &["branch", "topic/one", "main"]], "updated"),
    ("directory to branch", &[&["branch", "-D", "dir/one"], &["branch", "dir", "main"]], "updated"),
    ("tag to directory", &[&["tag", "-d", "rel"], &["tag", "rel/1", "more"]], "updated"),
    ("branch removed", &[&["branch", "-D", "topic"]], "updated"),
    (
        "default renamed",
        &[&["branch", "-m", "main", "trunk"], &["symbolic-ref", "HEAD", "refs/heads/trunk"]],
        "main is now called trunk",
    ),
    ("nothing", &[], "updated"),
];

#[tokio::test]
async fn both_transports_follow_renamed_and_removed_refs() {
    for over_ssh in [false, true] {
        for (case, changes, expected) in CASES {
            let mut bench = Bench::new().await;
            let served = bench.served();
            let home = bench.directory.path().to_owned();
            for arguments in
                [["branch", "topic", "main"], ["branch", "dir/one", "main"], ["tag", "rel", "main"]]
            {
                ask(&served, &home, &arguments);
            }
            let (git, url) = if over_ssh {
                (bench.git_over_ssh(), bench.ssh_url())
            } else {
                (bench.git(), bench.server.url("x.git"))
            };
            bench.clone_with(&git, bench.wanted(&url), None).await;
            let more = bench.commit(bench.first, "refs/heads/main", &[file("a", "2\n")]);
            bench.history.update_ref("refs/heads/more", more).expect("points");
            for arguments in changes {
                ask(&served, &home, arguments);
            }
            let found = bench.clone_with(&git, bench.wanted(&url), None).await;
            assert!(found.detail().starts_with(expected), "{case}, ssh {over_ssh}: {}", found.detail());
            assert_eq!(found.head(), Some(more), "{case}, ssh {over_ssh}");
            let branches = |directory: &Path, under: &str| {
                let format =
                    format!("--format=%(refname:lstrip={})", if under == "refs/heads" { 2 } else { 3 });
                let said = ask(directory, &home, &["for-each-ref", &format, under]);
                said.lines().filter(|name| *name != "HEAD").map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(
                branches(&bench.target(), "refs/remotes/origin"),
                branches(&served, "refs/heads"),
                "{case}"
            );
            bench.assert_whole();
        }
    }
}
