//! The stored secrets of a workspace: a random seed, and certificates with their keys. With them,
//! placeholder secrets are the same at every run and differ between workspaces. They are in a directory
//! of the workspace's own below the state directory, readable by nobody else.

use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::private_files::{first, is_there, make_private, narrow, read};
use crate::base::digest;
use crate::base::files::{self, FileError};
use crate::base::secret::Secret;
use crate::base::x509::{CertifiedKey, TestPki, X509Error};

const SEED: &str = "seed";
const CERTIFICATES: &str = "certificates.json";
/// Maximum bytes of either file.
const LONGEST: u64 = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Validity of certificates. It starts a little earlier, since clocks differ.
const VALID: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Remaining validity at which certificates are renewed, so that none expires during a run.
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The names in every server certificate.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Upper bound on names in the server certificate.
const MOST_NAMES: usize = 500;

/// An error of opening the stored secrets.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is no directory for them.
    #[error(
        "there is no directory for what placeholder secrets are made from: neither `XDG_STATE_HOME` nor `HOME` is set"
    )]
    NoDirectory,
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file has unexpected content.
    #[error("`{}` is not as `cki` has written it", .0.display())]
    Damaged(PathBuf),
    /// No certificate can be created.
    #[error(transparent)]
    X509(#[from] X509Error),
}

/// The stored secrets of a workspace.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The seed of its placeholder secrets.
    pub seed: String,
    /// Its certificates and keys.
    pub material: TestPki,
}

/// Returns the seed of a workspace, if it has one already.
///
/// # Errors
/// Fails when the seed exists and cannot be read.
pub fn seed(state: Option<&Path>, workspace: &Path) -> Result<Option<String>, KeepError> {
    let Some(state) = state else { return Ok(None) };
    let file = directory(state, workspace).join(SEED);
    Ok(if is_there(&file)? { Some(read(&file, LONGEST)?) } else { None })
}

/// Removes the stored secrets of a workspace.
///
/// # Errors
/// Fails when they cannot be removed.
pub fn forget(state: Option<&Path>, workspace: &Path) -> Result<(), FileError> {
    match state {
        Some(state) => files::remove_directory(&directory(state, workspace)),
        None => Ok(()),
    }
}

impl Keep {
    /// Opens the stored secrets of a workspace, and creates missing ones: the seed once and for ever, the
    /// certificates when they are not valid now or lack one of these names. Concurrent callers get the
    /// same secrets.
    ///
    /// # Errors
    /// Fails when the directory cannot be read or written, or has unexpected content.
    pub fn open(
        state: Option<&Path>,
        workspace: &Path,
        names: &[String],
        now: SystemTime,
    ) -> Result<Self, KeepError> {
        let directory = directory(state.ok_or(KeepError::NoDirectory)?, workspace);
        let seed = directory.join(SEED);
        if !is_there(&seed)? {
            make_private(&directory)?;
            first(&seed, digest::hex(&random()?).as_bytes())?;
        }
        narrow(&directory, 0o700)?;
        let file = directory.join(CERTIFICATES);
        let mut names: Vec<String> =
            LOCAL.into_iter().map(str::to_owned).chain(names.iter().cloned()).collect();
        let kept = match is_there(&file)? {
            true => Some(StoredCertificates::read(&file)?),
            false => None,
        };
        let kept = match kept {
            Some(kept) if kept.serves(&names, now) => kept,
            outdated => {
                // The names of other inventories of the same workspace stay, or each inventory would undo
                // the other's.
                names.extend(outdated.iter().flat_map(|kept| kept.names.iter().cloned()));
                names.sort();
                names.dedup();
                names.truncate(MOST_NAMES);
                let content = StoredCertificates::make(names, now)?.to_json(&file)?;
                if outdated.is_some() {
                    files::write_atomic(&file, &content, 0o600)?;
                } else {
                    first(&file, &content)?;
                }
                StoredCertificates::read(&file)?
            }
        };
        Ok(Self { seed: checked_seed(&seed, read(&seed, LONGEST)?)?, material: kept.material() })
    }

    /// Reads the stored secrets of a workspace, and writes nothing: missing ones are generated for this call
    /// alone.
    ///
    /// # Errors
    /// Fails when the directory cannot be read, or has unexpected content.
    pub fn preview(
        state: Option<&Path>,
        workspace: &Path,
        names: &[String],
        now: SystemTime,
    ) -> Result<Self, KeepError> {
        let directory = directory(state.ok_or(KeepError::NoDirectory)?, workspace);
        let (seed, file) = (directory.join(SEED), directory.join(CERTIFICATES));
        let seed = match is_there(&seed)? {
            true => checked_seed(&seed, files::read_text(&seed, LONGEST)?)?,
            false => digest::hex(&random()?),
        };
        let names: Vec<String> = LOCAL.into_iter().map(str::to_owned).chain(names.iter().cloned()).collect();
        let stored = match is_there(&file)? {
            true => Some(StoredCertificates::parse(&file, &files::read_text(&file, LONGEST)?)?),
            false => None,
        };
        let certificates = match stored.filter(|stored| stored.serves(&names, now)) {
            Some(stored) => stored,
            None => StoredCertificates::make(names, now)?,
        };
        Ok(Self { seed, material: certificates.material() })
    }
}

/// Returns a seed, unless it is not as this program writes it.
fn checked_seed(file: &Path, text: String) -> Result<String, KeepError> {
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text),
        false => Err(KeepError::Damaged(file.to_owned())),
    }
}

/// Returns the directory of a workspace. A path that does not exist yet gives the same directory as later
/// on.
fn directory(state: &Path, workspace: &Path) -> PathBuf {
    let there = workspace.ancestors().find_map(|path| Some((path, path.canonicalize().ok()?)));
    let real: PathBuf = match there {
        // Joining the parts again removes a `/` at the end.
        Some((path, real)) => {
            real.join(workspace.strip_prefix(path).unwrap_or(Path::new(""))).components().collect()
        }
        None => workspace.to_owned(),
    };
    let digest = digest::sha256_hex([real.as_os_str().as_bytes()]);
    state.join("workspaces").join(&digest[..32])
}

/// The certificates as stored.
#[derive(Serialize, Deserialize)]
struct StoredCertificates {
    from: u64,
    until: u64,
    names: Vec<String>,
    authority: String,
    server: (String, String),
    client: (String, String),
    signing_key: String,
}

impl StoredCertificates {
    fn make(names: Vec<String>, now: SystemTime) -> Result<Self, KeepError> {
        let (from, until) = (now.checked_sub(DAY).unwrap_or(now), now + VALID);
        let made = TestPki::new(&names, from, until)?;
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let parts = |pair: CertifiedKey| (pair.certificate, pair.key.expose().to_owned());
        Ok(Self {
            from: seconds(from),
            until: seconds(until),
            names,
            authority: made.authority,
            server: parts(made.server),
            client: parts(made.client),
            signing_key: made.signing_key.expose().to_owned(),
        })
    }

    fn read(file: &Path) -> Result<Self, KeepError> {
        Self::parse(file, &read(file, LONGEST)?)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, KeepError> {
        serde_json::from_str(text).map_err(|_| KeepError::Damaged(file.to_owned()))
    }

    fn to_json(&self, file: &Path) -> Result<Vec<u8>, FileError> {
        let json = serde_json::to_vec_pretty(self);
        json.map_err(|error| FileError::new("write", file, io::Error::other(error)))
    }

    fn serves(&self, names: &[String], now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let is_valid = self.from <= now && now.saturating_add(PAUSE_BETWEEN_TRIES.as_secs()) < self.until;
        is_valid && (self.names.len() >= MOST_NAMES || names.iter().all(|name| self.names.contains(name)))
    }

    fn material(self) -> TestPki {
        let pair = |(certificate, key): (String, String)| CertifiedKey { certificate, key: Secret::new(key) };
        TestPki {
            authority: self.authority,
            server: pair(self.server),
            client: pair(self.client),
            signing_key: Secret::new(self.signing_key),
        }
    }
}

fn random() -> Result<[u8; 32], FileError> {
    let path = "/dev/urandom";
    let mut bytes = [0; 32];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|source| FileError::new("read", path, source))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn open(state: &Path, workspace: &str, names: &[&str], now: SystemTime) -> Result<Keep, KeepError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Keep::open(Some(state), Path::new(workspace), &names, now)
    }

    #[test]
    fn preview_reads_stored_secrets_and_writes_nothing() {
        let state = tempfile::tempdir().expect("makes");
        let now = SystemTime::now();
        let preview = || Keep::preview(Some(state.path()), Path::new("/w"), &["db".to_owned()], now);
        let first = preview().expect("generates");
        assert_eq!(files::list_dir(state.path()).expect("lists").len(), 0);
        assert_ne!(first.seed, preview().expect("generates").seed, "nothing is remembered");
        let stored = open(state.path(), "/w", &["db"], now).expect("makes");
        let seen = preview().expect("reads");
        assert_eq!((seen.seed, seen.material.authority), (stored.seed, stored.material.authority));
        let directory = directory(state.path(), Path::new("/w"));
        std::fs::write(directory.join(SEED), "x").expect("writes");
        assert!(matches!(preview(), Err(KeepError::Damaged(_))));
    }

    fn modes(directory: &Path) -> Vec<u32> {
        let mut paths = vec![directory.to_owned()];
        paths.extend(files::list_dir(directory).expect("lists").iter().map(|name| directory.join(name)));
        paths.iter().map(|path| std::fs::metadata(path).expect("is there").mode() & 0o777).collect()
    }

    #[test]
    fn workspace_secrets_are_stable_and_private() {
        let state = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::now();
        let one = open(state.path(), "/none/a", &[], now).expect("makes");
        let again = open(state.path(), "/none/a", &[], now + DAY).expect("reads");
        assert_eq!((&one.seed, &one.material), (&again.seed, &again.material));
        let other = open(state.path(), "/none/b", &[], now).expect("makes");
        assert!(one.seed != other.seed && one.material != other.material);
        let elsewhere = tempfile::tempdir().expect("a temporary directory");
        assert_ne!(open(elsewhere.path(), "/none/a", &[], now).expect("makes").seed, one.seed);
        let directory = directory(state.path(), Path::new("/none/a"));
        assert_eq!(modes(&directory), [0o700, 0o600, 0o600]);
        for name in ["", SEED, CERTIFICATES] {
            let path = directory.join(name);
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("changes");
        }
        open(state.path(), "/none/a", &[], now).expect("reads");
        assert_eq!(modes(&directory), [0o700, 0o600, 0o600], "is narrowed again");
    }

    #[test]
    fn certificates_are_renewed_on_expiry_or_new_names() {
        let state = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::now();
        let first = open(state.path(), "/w", &["bus"], now).expect("makes");
        let open = |names: &[&str], now| open(state.path(), "/w", names, now).expect("opens");
        assert_eq!(open(&[], now).material, first.material, "fewer names are enough");
        let more = open(&["db"], now);
        assert_ne!(more.material, first.material);
        assert_eq!(open(&["bus"], now).material, more.material, "both are in it");
        let later = open(&["bus"], now + VALID - DAY);
        assert_ne!(later.material, more.material, "is about to expire");
        let earlier = open(&["bus"], now - 400 * DAY);
        assert_ne!(earlier.material, later.material, "is not valid yet, the clock having jumped");
        assert_eq!(earlier.seed, first.seed);
    }

    #[test]
    fn concurrent_opens_share_workspace_secrets() {
        let state = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::now();
        let found: Vec<(String, TestPki)> = std::thread::scope(|scope| {
            let open = || open(state.path(), "/w", &["bus"], now).map(|keep| (keep.seed, keep.material));
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            all.into_iter().map(|one| one.join().expect("ends").expect("opens")).collect()
        });
        assert!(found.iter().all(|one| *one == found[0]));
        let directory = directory(state.path(), Path::new("/w"));
        assert_eq!(files::list_dir(&directory).expect("lists"), [CERTIFICATES, SEED], "nothing is left");
    }

    #[test]
    fn secrets_directory_is_stable_before_workspace_exists() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (real, link) = (place.path().join("real"), place.path().join("link"));
        std::fs::create_dir(&real).expect("makes");
        std::os::unix::fs::symlink(&real, &link).expect("links");
        let state = Path::new("/s");
        let before = directory(state, &link.join("w"));
        std::fs::create_dir(real.join("w")).expect("makes");
        assert_eq!(before, directory(state, &real.join("w")));
        assert_eq!(before, directory(state, &link.join("w")));
    }

    #[test]
    fn workspace_secrets_name_damaged_files() {
        let state = tempfile::tempdir().expect("a temporary directory");
        let now = SystemTime::now();
        open(state.path(), "/w", &[], now).expect("makes");
        let directory = directory(state.path(), Path::new("/w"));
        std::fs::write(directory.join(CERTIFICATES), "{}").expect("writes");
        let error = open(state.path(), "/w", &[], now).expect_err("is damaged").to_string();
        assert!(error.contains("certificates.json` is not as `cki` has written it"), "{error}");
        std::fs::remove_file(directory.join(CERTIFICATES)).expect("removes");
        std::fs::write(directory.join(SEED), "x").expect("writes");
        let error = open(state.path(), "/w", &[], now).expect_err("is damaged").to_string();
        assert!(error.contains("seed` is not as"), "{error}");
        let error = open(Path::new("/proc/none"), "/w", &[], now).expect_err("cannot be written").to_string();
        assert!(error.starts_with("cannot create `/proc/none/"), "{error}");
        assert!(matches!(Keep::open(None, Path::new("/w"), &[], now), Err(KeepError::NoDirectory)));
    }
}
