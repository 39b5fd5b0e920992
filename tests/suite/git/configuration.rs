//! Git configuration: the user's counts in every form and with both transports, and a clone's own never
//! does, however hostile.

use super::*;

use std::os::unix::fs::PermissionsExt as _;

/// A way in which a person sets something: a name for messages, and the variables of it. `{file}` stands
/// for a file with the settings, `{n}` for the entries themselves.
const GIVEN: [&str; 5] =
    ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "XDG_CONFIG_HOME", "HOME", "GIT_CONFIG_COUNT"];

impl Bench {
    /// The variables by which a setting is given in one way.
    fn configuration_variables(&self, how: &str, key: &str, value: &str) -> Vec<(String, String)> {
        let home = self.directory.path().join(format!("home-{how}"));
        // One way may have been used before, with something else.
        let _ = std::fs::remove_dir_all(&home);
        let (file, variable, own) = match how {
            "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_SYSTEM" => (home.join("settings"), how, home.join("settings")),
            "XDG_CONFIG_HOME" => (home.join("git/config"), how, home.clone()),
            "HOME" => (home.join(".gitconfig"), how, home.clone()),
            _ => {
                let pairs = [("COUNT", "1"), ("KEY_0", key), ("VALUE_0", value)];
                return pairs
                    .iter()
                    .map(|(name, text)| (format!("GIT_CONFIG_{name}"), (*text).into()))
                    .collect();
            }
        };
        std::fs::create_dir_all(file.parent().expect("has one")).expect("makes");
        ask(
            self.directory.path(),
            self.directory.path(),
            &["config", "-f", file.to_str().expect("is text"), key, value],
        );
        let mut variables = vec![(variable.to_owned(), own.display().to_string())];
        if how == "GIT_CONFIG_SYSTEM" {
            variables.push(("GIT_CONFIG_NOSYSTEM".into(), "0".into()));
        }
        variables
    }

    /// Clones with these variables, over the program or the library.
    async fn clone_with_variables(
        &self,
        variables: &[(String, String)],
        url: &str,
        program: bool,
    ) -> CloneRepository {
        let mut all = variables.to_vec();
        if program {
            // A variable that only the program knows, and that says what holds anyway.
            all.push(("GIT_SSL_VERSION".into(), "tlsv1.2".into()));
            let ssh = self.script("ssh", "for last; do :; done\nexec sh -c \"$last\"");
            all.extend([("GIT_SSH".into(), ssh), ("GIT_SSH_VARIANT".into(), "simple".into())]);
        }
        let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let _ = std::fs::remove_dir_all(self.target());
        self.clone_with(&self.git_in(&all), self.wanted(url), None).await
    }
}

#[tokio::test]
async fn both_transports_apply_the_user_configuration() {
    let bench = Bench::new().await;
    let server = bench.server.url("");
    let rewriting = format!("url.{server}.insteadOf");
    for how in GIVEN {
        for program in [false, true] {
            let case = format!("{how}, through {}", if program { "git" } else { "libgit2" });
            let rewritten = bench.configuration_variables(how, &rewriting, "http://127.0.0.1:1/");
            let found = bench.clone_with_variables(&rewritten, "http://127.0.0.1:1/x.git", program).await;
            assert_eq!(found.head(), Some(bench.first), "{case}: {found:?}");
            let second = bench.configuration_variables(how, "protocol.http.allow", "never");
            let found = bench.clone_with_variables(&second, &bench.server.url("x.git"), program).await;
            assert!(
                matches!(found.state, CloneState::Failed(GitError::Forbidding { protocol: "http", .. })),
                "{case}: {found:?}"
            );
        }
    }
    // What is turned off is not read.
    let off = bench.configuration_variables("HOME", &rewriting, "http://127.0.0.1:1/");
    let off = [off, vec![("GIT_CONFIG_GLOBAL".into(), "/dev/null".into())]].concat();
    for program in [false, true] {
        let found = bench.clone_with_variables(&off, "http://127.0.0.1:1/x.git", program).await;
        assert!(matches!(out_of_reach(&found), GitError::Unreachable { .. }), "{found:?}");
    }
}

#[tokio::test]
async fn include_if_conditions_apply_to_the_clone() {
    let bench = Bench::new().await;
    let rules = bench.directory.path().join("rules");
    let key = format!("url.{}.insteadOf", bench.server.url(""));
    ask(
        bench.directory.path(),
        bench.directory.path(),
        &["config", "-f", rules.to_str().expect("text"), &key, "http://127.0.0.1:1/"],
    );
    for (condition, applies) in [
        (format!("gitdir:{}/", bench.work().display()), true),
        ("gitdir:/elsewhere/".to_owned(), false),
        ("hasconfig:remote.*.url:http://127.0.0.1:1/**".to_owned(), true),
    ] {
        let given = bench.configuration_variables(
            "GIT_CONFIG_COUNT",
            &format!("includeIf.{condition}.path"),
            rules.to_str().expect("text"),
        );
        for program in [false, true] {
            let found = bench.clone_with_variables(&given, "http://127.0.0.1:1/x.git", program).await;
            assert_eq!(found.head().is_some(), applies, "{condition}, {program}: {found:?}");
        }
    }
}

#[tokio::test]
async fn git_only_settings_use_the_git_program_with_the_login() {
    let bench = Bench::new().await;
    let header = bench.configuration_variables("GIT_CONFIG_COUNT", "http.extraHeader", "X-Test: yes");
    let header: Vec<_> = header.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let with_login = bench.git_in(&header).with_logins(bench.logins(TOKEN));
    let cloned = bench.clone_with(&with_login, bench.wanted(&bench.server.url("private/x.git")), None).await;
    assert_eq!(cloned.head(), Some(bench.first), "{cloned:?}");
    assert!(!holds(&bench.target(), TOKEN));
    assert!(bench.server.headers("x-test").contains(&"yes".to_owned()));
    bench.assert_whole();
    // Without the program, that is told.
    let _ = std::fs::remove_dir_all(bench.target());
    let alone: Vec<_> = header.iter().copied().chain([("PATH", "/nowhere")]).collect();
    let recorder = Recorder::default();
    let request = CloneRequest {
        repositories: vec![bench.wanted(&bench.server.url("x.git"))],
        depth: None,
        jobs: 1,
        is_part: false,
    };
    clone(request, &bench.git_in(&alone), &Events::new(recorder.clone()), &Shutdown::new()).await;
    let told = format!("{:?}", recorder.events());
    assert!(told.contains("`http.extraheader` is set for git and has no effect"), "{told}");
}

#[tokio::test]
async fn clone_reports_invalid_configuration_variables() {
    let bench = Bench::new().await;
    for (given, why) in [
        (("GIT_CONFIG_COUNT", "1"), "`GIT_CONFIG_KEY_0` or `GIT_CONFIG_VALUE_0` is missing"),
        (("GIT_CONFIG_COUNT", "many"), "is no number"),
    ] {
        let found =
            bench.clone_with(&bench.git_in(&[given]), bench.wanted(&bench.server.url("x.git")), None).await;
        assert!(found.detail().contains(why), "{}", found.detail());
    }
}

/// Settings of a clone that make git run something, or go elsewhere. `{run}` stands for a program that
/// leaves a trace, `{file}` for a file with more of the kind.
const PLANTED: [(&str, &str); 20] = [
    ("core.sshCommand", "{run}"),
    ("core.fsmonitor", "{run}"),
    ("core.hooksPath", "{hooks}"),
    ("core.gitProxy", "{run}"),
    ("core.pager", "{run}"),
    ("core.editor", "{run}"),
    ("core.askPass", "{run}"),
    ("core.alternateRefsCommand", "{run}"),
    ("credential.helper", "!{run}"),
    ("filter.x.smudge", "{run}"),
    ("filter.x.clean", "{run}"),
    ("filter.x.process", "{run}"),
    ("filter.x.required", "true"),
    ("diff.external", "{run}"),
    ("remote.origin.uploadpack", "{run}"),
    ("remote.origin.receivepack", "{run}"),
    ("include.path", "{file}"),
    ("url.ext::{run} .insteadOf", "http://"),
    ("protocol.ext.allow", "always"),
    ("gc.recentObjectsHook", "{run}"),
];

#[tokio::test]
async fn clone_never_runs_programs_of_its_configuration() {
    for over_ssh in [false, true] {
        let mut bench = Bench::new().await;
        let (git, url) = if over_ssh {
            (bench.git_over_ssh(), bench.ssh_url())
        } else {
            (bench.git(), bench.server.url("private/x.git"))
        };
        let git = git.with_logins(bench.logins(TOKEN));
        bench.clone_with(&git, bench.wanted(&url), None).await;
        let trace = bench.directory.path().join("ran");
        let run = bench.script("run", &format!("echo \"$0 $*\" >> {}; exit 1", trace.display()));
        let repository = bench.target().join(".git");
        for directory in [repository.join("hooks"), bench.directory.path().join("hooks")] {
            std::fs::create_dir_all(&directory).expect("makes");
            for hook in [
                "reference-transaction",
                "post-checkout",
                "post-merge",
                "pre-push",
                "pre-auto-gc",
                "post-index-change",
                "fsmonitor-watchman",
                "post-rewrite",
                "pre-rebase",
            ] {
                std::fs::copy(&run, directory.join(hook)).expect("copies");
                std::fs::set_permissions(directory.join(hook), std::fs::Permissions::from_mode(0o755))
                    .expect("sets");
            }
        }
        let more = bench.directory.path().join("more");
        std::fs::write(&more, format!("[core]\n\tsshCommand = {run}\n\tfsmonitor = {run}\n"))
            .expect("writes");
        std::fs::write(repository.join("info/attributes"), "* filter=x diff=x\n").expect("writes");
        let hooks = bench.directory.path().join("hooks");
        let mut planted = std::fs::read_to_string(repository.join("config")).expect("reads");
        for (key, value) in PLANTED {
            let fill = |text: &str| {
                text.replace("{run}", &run)
                    .replace("{file}", more.to_str().expect("text"))
                    .replace("{hooks}", hooks.to_str().expect("text"))
            };
            let (section, name) = key.rsplit_once('.').expect("has a section");
            let section = section
                .split_once('.')
                .map_or(section.to_owned(), |(section, rest)| format!("{section} \"{}\"", fill(rest)));
            planted.push_str(&format!("[{section}]\n\t{name} = {}\n", fill(value)));
        }
        std::fs::write(repository.join("config"), planted).expect("writes");
        let head = bench.commit(bench.first, "refs/merge-requests/7/head", &[file("a", "mr\n")]);
        let second = bench.commit(bench.first, "refs/heads/main", &[file("a", "2\n"), file("b", "1\n")]);
        let updated = bench.clone_with(&git, bench.wanted(&url), None).await;
        assert_eq!(
            done(&updated),
            &CloneResult::Updated { from: Some(bench.first), to: second },
            "{updated:?}"
        );
        let request = CloneTarget { merge_request: Some(merge_request(7)), ..bench.wanted(&url) };
        let switched = bench.clone_with(&git, request, None).await;
        assert_eq!(done(&switched), &CloneResult::Switched { branch: "mr-7".into(), to: head });
        bench.inspect();
        assert_eq!(std::fs::read_to_string(&trace).unwrap_or_default(), "", "ssh {over_ssh}");
        assert_eq!(std::fs::read_to_string(bench.target().join("a")).expect("reads"), "mr\n");
    }
}

#[tokio::test]
async fn update_refuses_a_clone_with_another_worktree() {
    let mut bench = Bench::new().await;
    let url = bench.server.url("x.git");
    bench.clone(&url).await;
    let elsewhere = bench.directory.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("makes");
    bench.ask(&["config", "core.worktree", elsewhere.to_str().expect("text")]);
    bench.commit(bench.first, "refs/heads/main", &[file("a", "2\n"), file("new", "n\n")]);
    let found = bench.clone(&url).await;
    assert!(found.detail().contains("are said to be in"), "{}", found.detail());
    assert_eq!(names(&elsewhere), [""; 0]);
}
