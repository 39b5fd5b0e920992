//! The packages of Debian and Fedora: the files that their metadata in `Cargo.toml` names exist, and every
//! completion script and manual page is in both, where its reader looks for it. Building and trying them is
//! `tests/package.sh`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::cli::Cli;

/// Files by their path in a package, from which they are made.
type Assets = BTreeMap<String, String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files of both packages, with the names that the tools give to those in directories.
fn packages() -> [(&'static str, Assets); 2] {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("is there");
    let manifest: toml::Table = manifest.parse().expect("is TOML");
    let metadata = &manifest["package"]["metadata"];
    let text = |value: &toml::Value| value.as_str().expect("is text").to_owned();
    let deb = metadata["deb"]["assets"].as_array().expect("is a list");
    let deb = deb.iter().map(|asset| (text(&asset[0]), format!("/{}", text(&asset[1])), text(&asset[2])));
    let rpm = metadata["generate-rpm"]["assets"].as_array().expect("is a list");
    let rpm = rpm.iter().map(|asset| (text(&asset["source"]), text(&asset["dest"]), text(&asset["mode"])));
    let named = |(source, target, mode): (String, String, String)| {
        assert_eq!(mode, if source.starts_with("target/release/") { "755" } else { "644" }, "{source}");
        let name = source.rsplit('/').next().expect("has a name");
        let target = if target.ends_with('/') { target + name } else { target };
        (target, source)
    };
    [("deb", deb.map(named).collect()), ("rpm", rpm.map(named).collect())]
}

#[test]
fn package_assets_exist() {
    for (package, assets) in packages() {
        for source in assets.values().filter(|source| !source.starts_with("target/")) {
            assert!(root().join(source).is_file(), "{package}: there is no `{source}`");
        }
        let built: Vec<_> = assets.values().filter(|source| source.starts_with("target/")).collect();
        assert_eq!(built, ["target/release/cki", "target/man/*.1"], "{package}");
    }
    let license = root().join("LICENSE");
    assert!(license.is_file() && packages()[1].1.values().any(|source| source == "LICENSE"));
}

#[test]
fn packages_hold_every_completion_script() {
    let mut scripts: Vec<_> = std::fs::read_dir(root().join("completions"))
        .expect("is there")
        .map(|entry| format!("completions/{}", entry.expect("an entry").file_name().display()))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 5, "{scripts:?}");
    for (package, assets) in packages() {
        let mut packed: Vec<_> =
            assets.values().filter(|source| source.starts_with("completions/")).cloned().collect();
        packed.sort();
        assert_eq!(packed, scripts, "{package}");
    }
}

/// `cki doctor` and `cki completions --install` know a script that a package has installed.
#[test]
fn packaged_completions_are_where_doctor_looks() {
    let shells = std::fs::read_to_string(root().join("templates/shells.yaml")).expect("is there");
    for shell in ["bash-completion", "zsh", "fish"] {
        for (package, assets) in packages() {
            let of_shell = |path: &&String| path.starts_with(&format!("/usr/share/{shell}/"));
            let path =
                assets.keys().find(of_shell).unwrap_or_else(|| panic!("{package}: nothing for {shell}"));
            assert!(shells.contains(&format!("- {path}\n")), "{package}: doctor does not look at `{path}`");
        }
    }
}

#[test]
fn packaged_man_pages_are_those_of_every_command() {
    for (package, assets) in packages() {
        let pages = assets.get("/usr/share/man/man1/*.1").map(String::as_str);
        assert_eq!(pages, Some("target/man/*.1"), "{package}");
    }
    let cli = Cli::native();
    cli.run("man --dir pages").ends_with(0);
    let mut written: Vec<_> = std::fs::read_dir(cli.project().join("pages"))
        .expect("was made")
        .map(|entry| entry.expect("an entry").file_name().display().to_string())
        .collect();
    written.sort();
    let reference = std::fs::read_to_string(root().join("docs/reference/commands.md")).expect("is there");
    let headings = reference.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(" `cki"));
    let mut wanted: Vec<_> = headings
        .map(|heading| format!("cki{}.1", heading.trim_end_matches('`').replace(' ', "-")))
        .chain(["cki.1".to_owned()])
        .collect();
    wanted.sort();
    assert_eq!(written, wanted);
}
