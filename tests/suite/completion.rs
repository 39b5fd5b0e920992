//! Tests of completion in the real shells, at a terminal, set up by `cki completions --install`. They also check
//! that completion neither uses the network nor prints control characters.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cki::host::{Env, programs};

mod candidates;
mod running;

use crate::support;

/// Longer than any shell takes, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);
/// The description of `pipeline-herder`, as far as every shell has room for it.
const HERDER: &str = "Retries GitLab jobs";

/// A home directory, and the program in PATH.
struct Home {
    directory: tempfile::TempDir,
    env: Env,
}

impl Home {
    fn new(shell: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clean = support::clean_env(directory.path());
        let program =
            Path::new(env!("CARGO_BIN_EXE_cki")).parent().expect("is in a directory").display().to_string();
        let path = format!("{program}:{}", clean.get("PATH").expect("is text"));
        let home = directory.path().display().to_string();
        let more = [
            ("PATH", path.as_str()),
            ("HOME", home.as_str()),
            ("TERM", "xterm"),
            ("LC_ALL", "C.UTF-8"),
            ("SHELL", shell),
        ];
        Self { env: Env::new(more), directory }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.env.iter()).current_dir(self.directory.path());
        command
    }

    /// Sets the shell up as a person would: installs the script, and adds the line where one is needed.
    fn set_up(&self) {
        let output = self
            .command(env!("CARGO_BIN_EXE_cki"))
            .args(["completions", "--install"])
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("Wrote `"), "{said}");
        if let Some((_, start)) =
            said.split_once("add this line to `").or(said.split_once("Add this line to `"))
        {
            let (start, rest) = start.split_once('`').expect("is in backticks");
            let line = match String::from_utf8_lossy(&output.stdout).into_owned() {
                empty if empty.is_empty() => rest.trim_start_matches(':').trim().to_owned(),
                line => line,
            };
            std::fs::create_dir_all(Path::new(start).parent().expect("is in a directory")).expect("makes");
            std::fs::write(start, line).expect("writes");
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("is in a directory")).expect("creates");
        std::fs::write(path, text).expect("writes");
    }

    /// Returns the answer of a shell to words.
    fn answer(&self, shell: &str, words: &[&str]) -> String {
        let last = words.last().expect("is the one to complete");
        let output = self
            .command(env!("CARGO_BIN_EXE_cki"))
            .env("COMPLETE", shell)
            .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
            .env("_CKI_LINE", words.join(" "))
            .env("_CKI_WORD", last.rsplit('=').next().expect("is there"))
            .arg("--")
            .args(words)
            .output()
            .expect("runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}");
        String::from_utf8(output.stdout).expect("is text")
    }
}

/// A shell at a terminal of 40 lines with 160 columns, which `script` makes.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    /// Starts a shell by a command line.
    fn start(home: &Home, shell: &str, line: &str) -> Self {
        assert!(programs::find(&home.env, shell).is_some(), "`{shell}` is not installed");
        let line = format!("stty rows 40 cols 160; exec {line}");
        let mut script = home
            .command("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts a terminal");
        let keys = script.stdin.take().expect("is piped");
        let mut output = script.stdout.take().expect("is piped");
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Self { script, keys, shown, text: String::new() };
        // The quotes are gone from what it prints, and not from what is typed.
        terminal.press("echo rea'dy'\r");
        terminal.wait_for("ready");
        terminal
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("has a keyboard");
    }

    /// Waits until a text has been shown since the last time; colours do not count.
    fn wait_for(&mut self, wanted: &str) {
        let end = Instant::now() + LIMIT;
        while !self.text.contains(wanted) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else {
                panic!("`{wanted}` is not shown, but: {}", self.text.escape_debug())
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.text.push_str(&anstream::adapter::strip_str(&text).to_string());
        }
        let after = self.text.find(wanted).map_or(0, |at| at + wanted.len());
        self.text.drain(..after);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // With the terminal, the shell in it goes as well.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// Completes at a new terminal of a shell: after each of the keys, something is shown.
fn assert_completes(home: &Home, shell: &str, presses: &[(&str, &str)]) {
    let line = if shell == "elvish" { shell.to_owned() } else { format!("{shell} -i") };
    let mut terminal = Terminal::start(home, shell, &line);
    for (keys, shown) in presses {
        terminal.press(keys);
        terminal.wait_for(shown);
    }
}

/// Checks the parts common to all shells: a component with its alternatives, and one of an inventory
/// that was named before.
fn assert_completes_components(home: &Home, shell: &str, listed: &[&str]) {
    // What the shell adds to what was typed; then it lists what else could follow.
    let mut presses = vec![("cki show pip\t", "eline-"), ("\t\t", listed[0])];
    presses.extend(listed[1..].iter().map(|text| ("", *text)));
    assert_completes(home, shell, &presses);
    home.write("mine.yaml", "components: [{name: only-thing, category: x, description: Mine alone.}]");
    assert_completes(home, shell, &[("cki --inventory mine.yaml show onl\t", "y-thing")]);
    assert_completes(home, shell, &[("cki --inventory=mine.yaml show onl\t", "y-thing")]);
}

#[test]
fn bash_completes_components() {
    let home = Home::new("/bin/bash");
    home.set_up();
    assert_completes_components(&home, "bash", &["pipeline-data", "pipeline-definition"]);
    assert_completes_values(&home, "bash");
    assert_completes(&home, "bash", &[("cki list --kind=cr\t", "--kind=cronjob")]);
    // Behind `=` and inside of quotes, bash replaces a part of the word only.
    home.write("a b.env", "A=1");
    for (keys, shown) in [
        ("cki env x --env-file a\t", r"\ b.env"),
        ("cki env x --env-file 'a \t", "b.env'"),
        ("cki env x --env-file=a\\ b\t", ".env"),
        ("cki list \"kind=cr\t", "onjob\""),
    ] {
        assert_completes(&home, "bash", &[(keys, shown)]);
    }
}

/// Presses Tab where values are known: filters, formats, parameters, variables, and flags only behind `-`.
fn assert_completes_values(home: &Home, shell: &str) {
    let line = if shell == "elvish" { shell.to_owned() } else { format!("{shell} -i") };
    let mut terminal = Terminal::start(home, shell, &line);
    home.write("cki/documentation/content/docs/background/rfcs/cki-001-a.md", "# CKI-001: First\n");
    for (keys, shown) in [
        ("cki list kind=cr\t", "onjob"),
        ("cki list cate\t", "gory="),
        ("cki show pipeline-herder -o j\t", "son"),
        ("cki stage --component pipeline-herder --set comp\t", "iler="),
        ("cki stage --component pipeline-herder --set compiler=cl\t", "ang"),
        ("cki env pipeline-herder --unset SEN\t", "TRY_DSN"),
        ("cki man run-\t", "local"),
        ("cki run-local --det\t", "ach"),
        ("cki rfc show CKI-\t", "001"),
        ("cki graph --verb trig\t", "gers"),
        ("cki inventory check amqp-b\t", "ridge"),
        ("cki build pipeline-herder amqp-b\t", "ridge"),
        ("cki clone owner=inf\t", "ra"),
        ("cki show kind=service,cron\t", "job"),
        ("cki graph -o mer\t", "maid"),
    ] {
        terminal.press(keys);
        terminal.wait_for(shown);
        // Ctrl-U empties the line.
        terminal.press("\u{15}");
    }
    // A list of what can follow has no flags in it.
    terminal.text.clear();
    terminal.press("cki run-local amqp\t \t\t\t");
    terminal.wait_for("message-trigger");
    assert!(!terminal.text.contains("--detach"), "{}", terminal.text.escape_debug());
}

#[test]
#[ignore = "needs zsh (bash tests/run)"]
fn zsh_completes_components() {
    let home = Home::new("/usr/bin/zsh");
    home.set_up();
    assert_completes_components(&home, "zsh", &["pipeline-herder", HERDER]);
    assert_completes_values(&home, "zsh");
}

#[test]
#[ignore = "needs zsh (bash tests/run)"]
fn zsh_completes_components_from_fpath() {
    let home = Home::new("/usr/bin/zsh");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let line = format!("fpath=('{}' $fpath); autoload -Uz compinit; compinit -i -D\n", scripts.display());
    home.write(".zshrc", &line);
    assert_completes_components(&home, "zsh", &["pipeline-herder", HERDER]);
}

#[test]
#[ignore = "needs fish (bash tests/run)"]
fn fish_completes_components() {
    let home = Home::new("/usr/bin/fish");
    home.set_up();
    assert_completes_components(&home, "fish", &["pipeline-herder", HERDER]);
    assert_completes_values(&home, "fish");
    let output = home.command("fish").args(["-c", "complete -C 'cki show pipeline-h'"]).output();
    let shown = String::from_utf8_lossy(&output.expect("runs").stdout).into_owned();
    assert!(shown.starts_with(&format!("pipeline-herder\t{HERDER}")), "{shown}");
}

#[test]
#[ignore = "needs elvish (bash tests/run)"]
fn elvish_completes_components() {
    let home = Home::new("/usr/bin/elvish");
    home.set_up();
    assert_completes_components(&home, "elvish", &["pipeline-herder"]);
}

#[test]
fn completions_install_prints_the_file_and_the_next_step() {
    let home = Home::new("/usr/bin/elvish");
    let run = |args: &[&str]| {
        let output =
            home.command(env!("CARGO_BIN_EXE_cki")).arg("completions").args(args).output().expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let path = |below: &str| home.directory.path().join(below);
    let script = path(".local/share/cki/completions/cki.elv");
    let (code, line, said) = run(&["--install"]);
    assert_eq!((code, line.trim()), (Some(0), format!("eval (slurp < {})", script.display()).as_str()));
    assert!(said.contains(&format!("Wrote `{}`", script.display())) && said.contains("rc.elv"), "{said}");
    assert_eq!(std::fs::read_to_string(&script).expect("is there").trim(), run(&["elvish"]).1.trim());
    // The start file of a shell belongs to the person.
    assert!(!path(".config/elvish/rc.elv").exists());
    home.write("rc", &line);
    std::fs::create_dir_all(path(".config/elvish")).expect("makes");
    std::fs::rename(path("rc"), path(".config/elvish/rc.elv")).expect("moves");
    let (code, line, said) = run(&["--install"]);
    assert_eq!((code, line.as_str()), (Some(0), ""), "{said}");
    let (_, json, _) = run(&["fish", "--install", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("is JSON");
    assert_eq!((&json["shell"], &json["line"]), (&"fish".into(), &serde_json::Value::Null));
    // Neither a shell that is not known nor none is guessed.
    let home = Home::new("/bin/ksh");
    for install in [&["completions"][..], &["completions", "--install"]] {
        let output = home.command(env!("CARGO_BIN_EXE_cki")).args(install).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("`SHELL` is `/bin/ksh`, which is not supported"), "{said}");
    }
}

#[test]
#[ignore = "needs strace (bash tests/run)"]
fn completion_opens_no_socket() {
    let home = Home::new("/bin/bash");
    let trace = |name: &str| home.directory.path().join(name);
    let run = |name: &str, args: &[&str], complete: bool| {
        let mut command = home.command("strace");
        command
            .args(["-f", "-e", "trace=network", "-o"])
            .arg(trace(name))
            .arg(env!("CARGO_BIN_EXE_cki"))
            .args(args);
        if complete {
            command.env("COMPLETE", "fish");
        }
        let output = command.output().expect("runs strace");
        let calls = std::fs::read_to_string(trace(name)).unwrap_or_default();
        assert!(!complete || output.status.success(), "{}{calls}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8_lossy(&output.stdout).into_owned(), calls.contains("socket("))
    };
    let (answer, opened) = run("completion", &["--", "cki", "show", "pip"], true);
    assert!(answer.contains("pipeline-herder"), "{answer}");
    assert!(!opened, "completion opens a socket");
    // What does look around is seen by the same means.
    assert!(
        run("doctor", &["doctor", "--offline", "--engine", "docker"], false).1,
        "strace sees no socket at all"
    );
}

#[test]
fn completion_sanitises_inventory_text() {
    let home = Home::new("/bin/bash");
    home.write(
        "evil.yaml",
        r#"components:
  - {name: a, category: x, description: "\e]0;owned\a\e[31mred\rgone", kind: "$(touch owned)", people: ["x; touch owned", infra]}
"#,
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let named = ["cki", "--inventory", "evil.yaml", "show", ""];
        let answer = home.answer(shell, &named);
        assert!(answer.contains('a') && !answer.contains(['\x1b', '\x07', '\r']), "{shell}: {answer:?}");
        let answer = home.answer(shell, &["cki", "--inventory", "evil.yaml", "list", "--kind", ""]);
        assert!(!answer.contains("touch"), "{shell}: {answer:?}");
        let answer = home.answer(shell, &["cki", "--inventory", "evil.yaml", "list", "--owner", ""]);
        assert_eq!(answer.trim(), "infra", "{shell}");
    }
    // What is wrong is no answer, and no noise.
    home.write("cki.toml", "engine = 'steam'");
    assert_eq!(home.answer("bash", &["cki", "show", "pip"]), "");
}
