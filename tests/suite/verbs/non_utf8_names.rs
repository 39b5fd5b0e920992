//! Tests of paths that are not UTF-8: from every source of paths, `cki` finds or reports them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::cli::Cli;

const ENTRY: &str = "description: A.\nkind: job\nsources: []\n";

/// A directory with an inventory, whose name is no text.
fn non_utf8_inventory(cli: &Cli) -> PathBuf {
    let odd = cli.directory().join(OsStr::from_bytes(b"b\xff"));
    std::fs::create_dir_all(odd.join("service")).expect("makes");
    std::fs::write(odd.join("inventory.yaml"), "title: Odd\n").expect("writes");
    std::fs::write(odd.join("service/odd-one.yaml"), ENTRY).expect("writes");
    odd
}

fn cki(cli: &Cli, cwd: &Path, words: &[&OsStr], variable: Option<(&str, &OsStr)>) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cki"));
    command.args(words).env_clear().current_dir(cwd).env("HOME", cli.directory().join("home")).envs(variable);
    let Output { status, stdout, stderr } = command.output().expect("starts");
    let text = [stdout, stderr].concat();
    (status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn list_accepts_a_non_utf8_inventory_path() {
    let cli = Cli::new();
    let odd = non_utf8_inventory(&cli);
    let (whole, here, file) = (odd.as_os_str(), OsStr::new("."), OsStr::new("inventory.yaml"));
    let flag = |value: &OsStr| -> OsString { [OsStr::new("--inventory="), value].into_iter().collect() };
    let outside = cli.project();
    for (cwd, value) in [(outside.as_path(), whole), (&odd, whole), (&odd, here)] {
        for (words, variable) in [(vec![flag(value)], None), (Vec::new(), Some(("CKI_INVENTORY", value)))] {
            let words: Vec<&OsStr> =
                words.iter().map(OsString::as_os_str).chain([OsStr::new("list")]).collect();
            let (code, said) = cki(&cli, cwd, &words, variable);
            assert!(code == 0 && said.contains("odd-one"), "{words:?} {variable:?}: {code} {said}");
        }
    }
    let (code, said) = cki(&cli, &odd, &[&flag(file), OsStr::new("list")], None);
    assert!(!said.contains("there is no inventory"), "{code} {said}");
    // The file of a project in it, too, and what trust is recorded over.
    std::fs::write(odd.join("cki.toml"), "inventory = '.'\nworkspace = 'clones'\n").expect("writes");
    let (code, said) = cki(&cli, &odd, &[OsStr::new("list")], None);
    assert!(code == 0 && said.contains("odd-one"), "{code} {said}");
    let (code, said) = cki(&cli, &odd, &[OsStr::new("trust")], None);
    assert!(code == 0 && said.contains("3 files"), "{code} {said}");
}

#[test]
fn settings_accept_non_utf8_bytes_in_paths_only() {
    let cli = Cli::new();
    let odd = non_utf8_inventory(&cli);
    std::fs::create_dir(odd.join("services")).expect("makes");
    std::fs::write(odd.join("services/broken.yaml"), "a: [").expect("writes");
    let env = cki::host::Env::new([("HOME", cli.directory().join("home"))]);
    for name in ["CKI_WORKSPACE", "CKI_TEMPLATES", "CKI_CA_FILE", "CKI_GITLAB_TOKEN_FILE", "CKI_INVENTORY"] {
        let env = env.clone().with(name, odd.as_os_str());
        let config = cki::config::Config::load(&env, &cli.project(), []).expect("loads");
        let settings = cki::config::Settings::resolve(&config, &env).expect("is whole");
        let found = match name {
            "CKI_WORKSPACE" => Some(settings.workspace),
            "CKI_TEMPLATES" => settings.templates,
            "CKI_CA_FILE" => settings.ca_file.map(|file| file.path),
            "CKI_GITLAB_TOKEN_FILE" => settings.gitlab_token_file,
            _ => settings.inventory.paths().next().map(Path::to_path_buf),
        };
        assert_eq!(found.as_ref(), Some(&odd), "{name}");
    }
    for name in ["CKI_ENGINE", "CKI_IMAGE_TAG", "CKI_GITLAB_TOKEN"] {
        let value = OsStr::from_bytes(b"x\xff");
        let (code, said) = cki(&cli, &cli.project(), &[OsStr::new("list")], Some((name, value)));
        assert!(code == 4 && said.contains(&format!("error: {name}: `")), "{name}: {code} {said}");
        assert_eq!(said.contains("`…`"), name == "CKI_GITLAB_TOKEN", "{said}");
    }
}

#[test]
fn list_reports_a_non_utf8_file_name_and_reads_the_rest() {
    let cli = Cli::new();
    cli.write("inventory/service/a.yaml", ENTRY);
    for (directory, file, why) in [
        (&b"service"[..], &b"q\xff.yaml"[..], "its name is not UTF-8"),
        (b"more\xff", b"a.yaml", "its files are not read"),
    ] {
        let root = cli.project().join("inventory");
        let directory = root.join(OsStr::from_bytes(directory));
        std::fs::create_dir_all(&directory).expect("makes");
        let file = directory.join(OsStr::from_bytes(file));
        std::fs::write(&file, ENTRY).expect("writes");
        let listed = cli.run("list --inventory inventory").ends_with(0);
        assert!(listed.stdout.contains("\n  a "), "{}", listed.stdout);
        assert!(listed.stderr.contains(why) && listed.stderr.contains("warning: "), "{}", listed.stderr);
        std::fs::remove_file(file).expect("removes");
        std::fs::write(directory.join(OsStr::from_bytes(b"README\xff")), "no entry").expect("writes");
        std::fs::write(directory.join(OsStr::from_bytes(b".hidden\xff.yaml")), "no entry").expect("writes");
    }
    let listed = cli.run("list --inventory inventory").ends_with(0);
    assert!(!listed.stderr.contains("warning"), "{}", listed.stderr);
}

#[test]
fn trust_refuses_unreadable_files() {
    let cli = Cli::new();
    for setting in ["inventory", "templates"] {
        cli.write("cki.toml", &format!("{setting} = 'none'\n"));
        // What is not there yet can be made later, which ends trust.
        cli.call("trust").untrusting().end().ends_with(0);
        cli.call("trust --remove").untrusting().end().ends_with(0);
        let pipe = cli.directory().join("project/none");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("makes a pipe");
        let outcome = cli.call("trust").untrusting().end().ends_with(4);
        assert!(outcome.stderr.contains(&format!("`{setting}` of `")), "{outcome}");
        std::fs::remove_file(&pipe).expect("removes");
    }
}
