//! Repositories in formats that libgit2 cannot read, made by the real `git`: each way to reach one says so, or the
//! `git` program does the transfer.

use super::*;
use cki::systems::git::RepositoryFormat;

impl Bench {
    /// Makes a bare repository with one commit, with options of `git init`.
    fn foreign(&self, name: &str, options: &[&str]) -> String {
        let (bare, tree) =
            (self.directory.path().join(format!("{name}.git")), self.directory.path().join(name));
        let run = |arguments: &[&str]| {
            let mut git = git_command(self.directory.path());
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.test"]).args(arguments);
            let output = git.output().expect("git starts");
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let (bare, tree) = (bare.display().to_string(), tree.display().to_string());
        run(&[&["init", "-q", "--bare", "-b", "main"], options, &[&bare]].concat());
        run(&[&["init", "-q", "-b", "main"], options, &[&tree]].concat());
        run(&["-C", &tree, "commit", "-q", "--allow-empty", "-m", "one"]);
        run(&["-C", &tree, "push", "-q", &bare, "HEAD:main"]);
        bare
    }
}

fn format_of(cloned: &CloneRepository) -> Option<&RepositoryFormat> {
    match &cloned.state {
        CloneState::Failed(GitError::Unsupported { format, .. }) => Some(format),
        _ => None,
    }
}

#[tokio::test]
async fn clone_names_sha256_as_the_reason() {
    let bench = Bench::new().await;
    let bare = bench.foreign("sha256", &["--object-format=sha256"]);
    let ssh = format!("git@host.example:{bare}");
    for (git, url) in [(bench.git(), bare.as_str()), (bench.git_over_ssh(), ssh.as_str())] {
        let cloned = bench.clone_with(&git, bench.wanted(url), None).await;
        assert_eq!(format_of(&cloned), Some(&RepositoryFormat::Sha256), "{url}: {}", cloned.detail());
        assert!(cloned.detail().contains("names its objects by SHA-256"), "{}", cloned.detail());
        assert!(!bench.target().exists());
    }
    // So does a clone that somebody else made.
    let tree = bench.directory.path().join("sha256");
    std::fs::create_dir_all(bench.target().parent().expect("has one")).expect("makes");
    std::fs::rename(tree, bench.target()).expect("moves");
    let updated = bench.clone(&bare).await;
    assert_eq!(format_of(&updated), Some(&RepositoryFormat::Sha256), "{}", updated.detail());
}

#[tokio::test]
async fn reftable_is_served_by_the_git_program() {
    let bench = Bench::new().await;
    let bare = bench.foreign("reftable", &["--ref-format=reftable"]);
    let cloned = bench.clone(&bare).await;
    assert_eq!(done(&cloned), &CloneResult::Cloned, "{}", cloned.detail());
    assert_eq!(bench.ask(&["log", "--format=%s"]), "one");
    let without = bench.git_in(&[("PATH", "/nowhere")]);
    std::fs::remove_dir_all(bench.target()).expect("removes");
    let refused = bench.clone_with(&without, bench.wanted(&bare), None).await;
    assert_eq!(format_of(&refused), Some(&RepositoryFormat::Reftable), "{}", refused.detail());
    // A clone cannot be worked on in this format.
    std::fs::rename(bench.directory.path().join("reftable"), bench.target()).expect("moves");
    let updated = bench.clone(&bare).await;
    assert_eq!(format_of(&updated), Some(&RepositoryFormat::Reftable), "{}", updated.detail());
}
