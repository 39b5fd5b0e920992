//! Trust in a project's files: their decisions, the user's consent to them, and its record. A record
//! holds for one directory and one content, as direnv's does; it is in the user's state directory, where
//! no project can write. The commands that need trust are in `cli`.

mod error;
mod listing;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::base::digest;
use crate::base::files::{self, FileError};
use crate::config::{Config, distrusted};
use crate::host::Env;
use crate::model::inventory::{InventorySource, InventorySources};
use crate::ops::shared::inventory::copy_of;
pub use error::TrustError;
use listing::{files_of, files_of_sources};

/// The directory below the user's state that holds a file for each trusted directory.
const RECORDS: &str = "trusted";
/// Maximum bytes of a record.
const RECORD_LIMIT: u64 = 64 << 10;
/// Maximum bytes of a file to hash.
const FILE_LIMIT: u64 = 64 << 20;

/// A project whose `cki.toml` makes settings that need trust.
#[derive(Debug, Clone)]
pub struct ProjectFiles {
    /// Its `cki.toml`.
    pub file: PathBuf,
    /// The settings that need trust.
    pub decisions: Vec<Decision>,
    /// Other parts that count.
    others: Vec<Vec<u8>>,
    /// All files that count, each with the hash of its content.
    files: BTreeMap<PathBuf, String>,
    /// Directories of which all files count.
    directories: Vec<PathBuf>,
    state: Option<PathBuf>,
}

/// One setting that a project makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The setting.
    pub name: &'static str,
    /// Its value; `None` if it is secret.
    pub value: Option<String>,
    /// Number of files that it names; `None` if it names none.
    pub files: Option<usize>,
    /// Repositories that it names, each with the commit that counts.
    pub commits: Vec<String>,
}

/// The trust in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustStanding {
    /// The user consented to this content.
    Trusted,
    /// The user consented to an earlier content.
    Changed,
    /// The user never consented.
    Unknown,
}

impl ProjectFiles {
    /// Returns the project of the working directory, if it makes settings that need trust.
    ///
    /// # Errors
    /// Fails when a file that it names cannot be read.
    pub fn of(config: &Config, env: &Env) -> Result<Option<Self>, TrustError> {
        let Some(file) = config.project.clone() else { return Ok(None) };
        // What is hashed here is what takes effect, also if somebody changes a file meanwhile.
        let snapshot = config.snapshot();
        let read = |path: &Path| snapshot.read(path, FILE_LIMIT);
        let mut others = vec![b"cki.toml".to_vec(), read(&file)?];
        let mut checked = vec![file.clone()];
        let (mut counted, mut directories) = (BTreeMap::new(), Vec::new());
        let mut decisions = Vec::new();
        for (key, value) in config.project_decisions() {
            let mut commits = Vec::new();
            let fail = |source| TrustError::Named { file: file.clone(), name: key.name, source };
            let files = match key.name {
                "inventory" => Some(files_of_sources(&value.sources, snapshot).map_err(fail)?),
                "templates" => {
                    value.path.as_deref().map(|path| files_of(path, snapshot)).transpose().map_err(fail)?
                }
                "ca_file" => value.path.clone().map(|path| vec![path]),
                _ => None,
            };
            // A repository is fixed by its address, its reference and its commit: content that is named by its hash.
            for source in &value.sources {
                let InventorySource::Git(source) = source else { continue };
                let copies = env.cache_directory().as_deref().map(InventorySources::copies_in);
                let sources = InventorySources { copies: copies.clone(), ..InventorySources::default() };
                let copy = copy_of(source, &sources, snapshot);
                others.push(source.to_string().into_bytes());
                others
                    .push(copy.as_ref().map(|copy| copy.commit.to_string()).unwrap_or_default().into_bytes());
                checked.extend(copies.map(|copies| copies.join(source.copy_record())));
                commits.extend(copy.map(|copy| format!("{source} at {}", copy.commit.short())));
            }
            let roots = value.sources.iter().filter_map(InventorySource::path).chain(value.path.as_deref());
            directories.extend(roots.filter(|root| !root.is_file()).map(Path::to_path_buf));
            for path in files.iter().flatten() {
                // Its content could change between this look and its use.
                if let Some(why) = distrusted(path) {
                    let file = file.clone();
                    return Err(TrustError::Distrusted { file, name: key.name, path: path.clone(), why });
                }
                counted.insert(path.clone(), digest::sha256_hex([read(path).map_err(fail)?]));
                checked.push(path.clone());
            }
            decisions.push(Decision {
                name: key.name,
                value: (!key.secret).then(|| value.text.clone()),
                files: files.map(|files| files.len()),
                commits,
            });
        }
        if decisions.is_empty() {
            return Ok(None);
        }
        checked.sort_unstable();
        if let Some(path) = snapshot.seal(&checked) {
            return Err(TrustError::Unchecked { file, path });
        }
        let state = env.state_directory();
        Ok(Some(Self { file, decisions, others, files: counted, directories, state }))
    }

    /// Returns a hash of all that counts.
    fn fingerprint(&self) -> String {
        let files = self.files.iter().flat_map(|(path, hash)| [path.as_os_str().as_bytes(), hash.as_bytes()]);
        digest::sha256_hex(self.others.iter().map(Vec::as_slice).chain(files))
    }

    /// Returns the directory of its `cki.toml`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// Returns the trust in the project.
    ///
    /// # Errors
    /// Fails when the record cannot be read.
    pub fn standing(&self) -> Result<TrustStanding, TrustError> {
        let Ok(record) = self.record() else { return Ok(TrustStanding::Unknown) };
        Ok(match files::read_text(&record, RECORD_LIMIT) {
            Ok(text) if text.lines().next() == Some(self.fingerprint().as_str()) => TrustStanding::Trusted,
            Ok(_) => TrustStanding::Changed,
            Err(error) if error.is_missing() => TrustStanding::Unknown,
            Err(error) => return Err(error.into()),
        })
    }

    /// Records that the user consents to this content.
    ///
    /// # Errors
    /// Fails when the record cannot be written.
    pub fn trust(&self) -> Result<(), TrustError> {
        let directory = self.directory().display();
        files::write_atomic(
            &self.record()?,
            format!("{}\n{directory}\n", self.fingerprint()).as_bytes(),
            0o600,
        )?;
        Ok(())
    }

    /// Records that the user consents to this content with the files that `cki` has written since, at the user's request.
    /// A file that anybody else has changed meanwhile ends trust.
    ///
    /// # Errors
    /// Fails when the record cannot be written.
    pub fn trust_with<'a>(
        mut self,
        written: impl IntoIterator<Item = (&'a Path, &'a str)>,
    ) -> Result<(), TrustError> {
        for (path, text) in written {
            let counts = self.directories.iter().any(|directory| path.starts_with(directory));
            if counts || self.files.contains_key(path) {
                self.files.insert(path.to_path_buf(), digest::sha256_hex([text]));
            }
        }
        self.trust()
    }

    /// Returns the error of a command that needs trust.
    #[must_use]
    pub fn untrusted(&self, standing: TrustStanding) -> TrustError {
        let names: Vec<String> =
            self.decisions.iter().map(|decision| format!("`{}`", decision.name)).collect();
        TrustError::Untrusted {
            file: self.file.clone(),
            decides: names.join(", "),
            changed: standing == TrustStanding::Changed,
        }
    }

    fn record(&self) -> Result<PathBuf, TrustError> {
        record_of(self.state.as_deref(), self.directory())
    }
}

/// Trusts a project that `cki` itself has just written.
///
/// # Errors
/// Fails when the project cannot be read, or the record cannot be written.
pub fn trust_own(env: &Env, directory: &Path) -> anyhow::Result<()> {
    let config = Config::of_project(env, directory)?;
    if let Some(project) = ProjectFiles::of(&config, env)? {
        project.trust()?;
    }
    Ok(())
}

/// Forgets a project, even if its files are gone. Returns whether it was trusted.
///
/// # Errors
/// Fails when the record cannot be removed.
pub fn forget(env: &Env, directory: &Path) -> Result<bool, TrustError> {
    let record = record_of(env.state_directory().as_deref(), directory)?;
    match std::fs::remove_file(&record) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::new("remove", record, error).into()),
    }
}

fn record_of(state: Option<&Path>, directory: &Path) -> Result<PathBuf, TrustError> {
    let state = state.ok_or(TrustError::NoState)?;
    let directory = directory.canonicalize().map_err(|error| FileError::new("read", directory, error))?;
    Ok(state.join(RECORDS).join(digest::sha256_hex([directory.as_os_str().as_bytes()])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets::Assets;
    use crate::ops::shared::inventory::{FetchFailures, load_checked};

    #[test]
    fn trust_holds_for_one_directory_and_content() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let project = root.path().join("project");
        std::fs::create_dir_all(project.join("inventory/service")).expect("makes");
        let write = |path: &str, text: &str| std::fs::write(project.join(path), text).expect("writes");
        write("cki.toml", "inventory = \"inventory\"\noutput = \"json\"\n");
        write("inventory/service/a.yaml", "kind: job\n");
        let state = root.path().join("state").display().to_string();
        let env = Env::new([("XDG_STATE_HOME", state.as_str()), ("HOME", "/nonexistent")]);
        let look = || {
            let config = Config::load(&env, &project, []).expect("loads");
            ProjectFiles::of(&config, &env).expect("reads").expect("decides something")
        };
        let first = look();
        assert_eq!(first.decisions.len(), 1);
        assert_eq!((first.decisions[0].name, first.decisions[0].files), ("inventory", Some(1)));
        assert_eq!(first.standing().expect("reads"), TrustStanding::Unknown);
        first.trust().expect("writes");
        assert_eq!(look().standing().expect("reads"), TrustStanding::Trusted);
        for (path, text) in [
            ("inventory/service/a.yaml", "kind: service\n"),
            ("inventory/service/b.yaml", "kind: job\n"),
            ("cki.toml", "inventory = \"inventory\"\nimage_tag = \"x\"\n"),
        ] {
            write(path, text);
            assert_eq!(look().standing().expect("reads"), TrustStanding::Changed, "{path}");
            look().trust().expect("writes");
            assert_eq!(look().standing().expect("reads"), TrustStanding::Trusted, "{path}");
        }
        assert!(forget(&env, &project).expect("removes") && !forget(&env, &project).expect("is gone"));
        assert_eq!(look().standing().expect("reads"), TrustStanding::Unknown);
    }

    #[test]
    fn trust_extends_to_what_cki_writes_and_nothing_else() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).expect("writes");
        std::fs::create_dir_all(root.path().join("inventory/service")).expect("makes");
        write("cki.toml", "inventory = \"inventory\"\n");
        write("inventory/service/a.yaml", "kind: job\n");
        let state = root.path().join("state").display().to_string();
        let env = Env::new([("XDG_STATE_HOME", state.as_str()), ("HOME", "/nonexistent")]);
        let look = || {
            let config = Config::load(&env, root.path(), []).expect("loads");
            ProjectFiles::of(&config, &env).expect("reads").expect("decides something")
        };
        let file = |name: &str| root.path().join("inventory/service").join(name);
        let before = look();
        write("inventory/service/a.yaml", "kind: service\n");
        write("inventory/service/b.yaml", "kind: job\n");
        let written = [(file("a.yaml"), "kind: service\n"), (file("b.yaml"), "kind: job\n")];
        let written = || written.iter().map(|(path, text)| (path.as_path(), *text));
        before.clone().trust_with(written()).expect("writes");
        assert_eq!(look().standing().expect("reads"), TrustStanding::Trusted);
        write("inventory/service/c.yaml", "kind: evil\n");
        before.trust_with(written()).expect("writes");
        assert_eq!(look().standing().expect("reads"), TrustStanding::Changed);
    }

    #[test]
    fn trust_covers_the_bytes_that_take_effect() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).expect("writes");
        std::fs::create_dir_all(root.path().join("inventory/service")).expect("makes");
        write("cki.toml", "inventory = \"inventory\"\n");
        write("inventory/service/a.yaml", "description: good\n");
        let env = Env::new([("HOME", "/nonexistent")]);
        let config = Config::load(&env, root.path(), []).expect("loads");
        let assets = Assets::default().reading(config.snapshot().clone());
        let inventory = root.path().join("inventory");
        let descriptions = || {
            let sources = InventorySources::of_path(&inventory);
            let read = load_checked(&sources, &assets, assets.files(), &FetchFailures::new()).expect("loads");
            read.components.iter().filter_map(|one| one.description.clone()).collect::<Vec<_>>()
        };
        let project = ProjectFiles::of(&config, &env).expect("reads").expect("decides something");
        // Between the check and the use.
        write("inventory/service/a.yaml", "description: evil\n");
        write("inventory/service/b.yaml", "description: new\n");
        write("cki.toml", "inventory = \"elsewhere\"\n");
        assert_eq!(descriptions(), ["good"]);
        let again = ProjectFiles::of(&config, &env).expect("reads").expect("decides something");
        assert_eq!(again.fingerprint(), project.fingerprint());
        // Another process sees the new content, and asks.
        let config = Config::load(&env, root.path(), []).expect("loads");
        write("elsewhere", "");
        let project = ProjectFiles::of(&config, &env).expect("reads").expect("decides something");
        assert_ne!(again.fingerprint(), project.fingerprint());
        // A file that was read before the check, and is gone then.
        write("cki.toml", "inventory = \"inventory\"\n");
        let config = Config::load(&env, root.path(), []).expect("loads");
        let early = inventory.join("service/.early.yaml");
        std::fs::write(&early, "").expect("writes");
        config.snapshot().read(&early, 9).expect("reads");
        let error = ProjectFiles::of(&config, &env).expect_err("is no file to trust").to_string();
        assert!(error.contains(".early.yaml` of the project"), "{error}");
    }

    #[test]
    fn trust_refuses_files_outside_project() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let templates = root.path().join("templates");
        std::fs::create_dir_all(templates.join("services")).expect("makes");
        std::fs::write(root.path().join("elsewhere"), "").expect("writes");
        std::fs::write(root.path().join("cki.toml"), "templates = \"templates\"\n").expect("writes");
        let env = Env::new([("HOME", "/nonexistent")]);
        let look = || {
            let config = Config::load(&env, root.path(), []).expect("loads");
            ProjectFiles::of(&config, &env)
        };
        assert!(look().expect("reads").is_some());
        let odd = templates.join("services/odd.yaml");
        std::os::unix::fs::symlink("../../elsewhere", &odd).expect("links");
        let error = look().expect_err("leads out").to_string();
        assert!(error.contains("odd.yaml`: it is a link that leads out of the directory"), "{error}");
        std::fs::remove_file(&odd).expect("removes");
        nix::unistd::mkfifo(&odd, nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let error = look().expect_err("is a pipe").to_string();
        assert!(error.contains("odd.yaml`: it is a pipe, not a file"), "{error}");
    }

    #[test]
    fn trust_is_not_needed_for_harmless_settings() {
        let root = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(root.path().join("cki.toml"), "output = \"json\"\ninventory = \"i\"\n")
            .expect("writes");
        let env = Env::new([("CKI_INVENTORY", "/mine"), ("HOME", "/nonexistent")]);
        let config = Config::load(&env, root.path(), []).expect("loads");
        assert!(ProjectFiles::of(&config, &env).expect("reads").is_none());
    }
}
