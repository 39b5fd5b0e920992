//! Tests of transport through the installed `git`: ssh, and logins that only `git` knows. A script in place of
//! `ssh` executes its arguments on this machine.

use super::*;

use std::os::unix::fs::PermissionsExt as _;

use cki::host::Env;

impl Bench {
    /// With variables for the `git` program.
    pub(super) fn git_in(&self, variables: &[(&str, &str)]) -> Git {
        let clean = clean_env(self.directory.path());
        let clean = clean.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let more = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Git::new(
            Arc::new(HttpClient::new(HttpPolicy::default())),
            Logins::default(),
            Env::new(clean.chain(more)),
        )
    }

    pub(super) fn script(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("sets");
        path.display().to_string()
    }

    /// A `git` whose ssh runs the command that comes last.
    pub(super) fn git_over_ssh(&self) -> Git {
        let ssh = self.script("ssh", "for last; do :; done\nexec sh -c \"$last\"");
        self.git_in(&[("GIT_SSH", &ssh), ("GIT_SSH_VARIANT", "simple"), ("GIT_DIR", "/nowhere")])
    }

    /// A `git` and the address of the repository for it, over SSH or HTTP.
    pub(super) fn transport(&self, over_ssh: bool) -> (Git, String) {
        match over_ssh {
            true => (self.git_over_ssh(), self.ssh_url()),
            false => (self.git(), self.server.url("x.git")),
        }
    }

    pub(super) fn ssh_url(&self) -> String {
        format!("git@host.example:{}", self.served().display())
    }
}

#[tokio::test]
async fn clone_over_ssh_uses_the_git_program() {
    let mut bench = Bench::new().await;
    let head = bench.commit(bench.first, "refs/merge-requests/7/head", &[file("a", "mr\n")]);
    let git = bench.git_over_ssh();
    let url = bench.ssh_url();
    let cloned = bench.clone_with(&git, bench.wanted(&url), None).await;
    assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(bench.first)));
    assert_eq!(bench.ask(&["config", "remote.origin.url"]), url);
    let second = bench.commit(bench.first, "refs/heads/main", &[file("a", "2\n")]);
    let updated = bench.clone_with(&git, bench.wanted(&url), None).await;
    assert_eq!(done(&updated), &CloneResult::Updated { from: Some(bench.first), to: second });
    let request = |iid| CloneTarget { merge_request: Some(merge_request(iid)), ..bench.wanted(&url) };
    let switched = bench.clone_with(&git, request(7), None).await;
    assert_eq!(done(&switched), &CloneResult::Switched { branch: "mr-7".into(), to: head });
    let missing = bench.clone_with(&git, request(8), None).await;
    assert!(matches!(missing.state, CloneState::Failed(GitError::NoMergeRequest { iid: 8, .. })));
    bench.assert_whole();
}

#[tokio::test]
async fn clone_depth_works_over_ssh() {
    let mut bench = Bench::new().await;
    bench.grow();
    let cloned = bench.clone_with(&bench.git_over_ssh(), bench.wanted(&bench.ssh_url()), Some(1)).await;
    assert_eq!(done(&cloned), &CloneResult::Cloned);
    assert_eq!(bench.ask(&["rev-list", "--count", "--all"]), "1");
    bench.assert_whole();
}

#[tokio::test]
async fn ssh_errors_are_told_apart() {
    let bench = Bench::new().await;
    let of = async |words: &str| {
        let ssh = bench.script("ssh", &format!("echo '{words}' >&2; exit 255"));
        let git = bench.git_in(&[("GIT_SSH", &ssh), ("GIT_SSH_VARIANT", "simple")]);
        bench.clone_with(&git, bench.wanted(&bench.ssh_url()), None).await
    };
    let found = of("ssh: Could not resolve hostname host.example: Name or service not known").await;
    assert!(matches!(out_of_reach(&found), GitError::Unreachable { .. }), "{found:?}");
    let found = of("git@host.example: Permission denied (publickey).").await;
    assert!(matches!(out_of_reach(&found), GitError::Unauthorised { .. }), "{found:?}");
    let missing = bench.wanted("git@host.example:/nowhere/x.git");
    let found = bench.clone_with(&bench.git_over_ssh(), missing, None).await;
    assert!(matches!(out_of_reach(&found), GitError::NotFound { .. }), "{found:?}");
    let without = Git::new(
        Arc::new(HttpClient::new(HttpPolicy::default())),
        Logins::default(),
        Env::new([("PATH", "/nowhere")]),
    );
    let found = bench.clone_with(&without, bench.wanted(&bench.ssh_url()), None).await;
    let said = format!("skipped: `{}` needs the `git` program, which is not installed", bench.ssh_url());
    assert_eq!(found.detail(), said);
    assert_eq!(names(&bench.work()), Vec::<String>::new());
}

#[tokio::test]
async fn clone_uses_a_credential_helper() {
    let bench = Bench::new().await;
    let url = bench.server.url("private/x.git");
    let helper = bench.script("helper", &format!("echo username={USER}; echo password={TOKEN}"));
    let config = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "credential.helper"),
        ("GIT_CONFIG_VALUE_0", &helper),
    ];
    let cloned = bench.clone_with(&bench.git_in(&config), bench.wanted(&url), None).await;
    assert_eq!((done(&cloned), cloned.head()), (&CloneResult::Cloned, Some(bench.first)));
    assert!(!holds(&bench.target(), TOKEN));
    bench.assert_whole();
}

#[tokio::test]
async fn stop_kills_git_and_its_children() {
    let bench = Bench::new().await;
    let fifo = bench.directory.path().join("begun");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("makes");
    // It tells its process id, and then waits for what never comes.
    let ssh = bench.script("ssh", &format!("echo $$ > {}; exec tail -f /dev/null", fifo.display()));
    let git = bench.git_in(&[("GIT_SSH", &ssh), ("GIT_SSH_VARIANT", "simple")]);
    let stop = Shutdown::new();
    let request = CloneRequest {
        repositories: vec![bench.wanted(&bench.ssh_url())],
        depth: None,
        jobs: 1,
        is_part: false,
    };
    let telling = tokio::task::spawn_blocking(move || std::fs::read_to_string(fifo).expect("reads"));
    let stopping = async {
        let id: u32 = telling.await.expect("reads").trim().parse().expect("an id");
        stop.trigger(cki::host::signals::Signal::Interrupt);
        id
    };
    let events = Events::silent();
    let (outcome, id) = tokio::join!(clone(request, &git, &events, &stop), stopping);
    assert!(matches!(outcome.repositories[0].state, CloneState::Stopped));
    assert_eq!(names(&bench.work()), Vec::<String>::new());
    // It was killed with its parent; the system may still be at it.
    let gone = || match std::fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(state) => state.contains(") Z "),
        Err(_) => true,
    };
    assert!(crate::support::comes_true(gone), "{id} still runs");
}
