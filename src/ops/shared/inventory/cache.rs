//! The cache of inventories: what a read of the sources gave, for as long as each file and directory is as it was then.
//! It may be deleted or broken at any time; `cki` reads the sources again. Its form is in `model::inventory`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::footprint::{Footprint, is_unchanged};
use super::repository::CopyRecord;
use crate::base::digest;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::file_stamp::FileStamp;
use crate::base::packed::{PackedReader, PackedWriter};
use crate::model::inventory::{ComponentName, Inventory, InventorySource, InventorySources, stored_names};

/// Fewest components of a cached inventory: reading fewer files takes no time that anybody notices.
const LEAST: usize = 100;
/// Maximum number of cached inventories.
const MOST: usize = 8;
/// Maximum bytes of all of them.
const TOTAL: u64 = 512 << 20;
/// Age of a temporary file that no process writes any longer.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The form of the cache. Another program, even of the same version, has caches of its own.
const FORM: &[u8] = b"cki inventory cache 2";
/// The running program.
const PROGRAM: &str = "/proc/self/exe";

/// Place in the cache of the inventory of some sources.
pub(super) struct CachePlace {
    file: PathBuf,
    key: Vec<u8>,
}

impl CachePlace {
    /// Returns the place for sources, with the copies of those that are repositories; `None` if they are not cached:
    /// the cache knows the files of the disk, and a snapshot may have others, such as those that a check of trust read.
    pub(super) fn of(
        sources: &InventorySources,
        copies: &[Option<CopyRecord>],
        files: &FileSnapshot,
    ) -> Option<Self> {
        let directory = sources.cache.as_ref()?;
        let is_read = |source: &InventorySource| !matches!(source, InventorySource::BuiltIn);
        if !sources.list.iter().any(is_read) {
            return None;
        }
        let program = FileStamp::of(&Path::new(PROGRAM).metadata().ok()?);
        let mut key = PackedWriter::default();
        key.bytes(FORM);
        program.store(&mut key);
        for (source, copy) in sources.list.iter().zip(copies) {
            match source {
                InventorySource::BuiltIn => key.byte(0),
                InventorySource::Path(path) if files.keeps_some_of(path) => return None,
                InventorySource::Path(path) => {
                    key.byte(1);
                    key.bytes(path.as_os_str().as_bytes());
                }
                InventorySource::Git(source) => {
                    let record = sources.copies.as_ref()?.join(source.copy_record());
                    if files.keeps_some_of(&record) {
                        return None;
                    }
                    key.byte(2);
                    key.text(&source.to_string());
                    key.optional(copy.as_ref().map(|copy| copy.commit.to_string()).as_deref());
                }
            }
        }
        let key = key.finish();
        let file = directory.join(digest::sha256_hex([&key]));
        Some(Self { file, key })
    }

    /// Returns the cached inventory, if nothing changed since it was read. The files are looked at while its content is
    /// checked and taken apart.
    pub(super) fn load(&self) -> Option<Inventory> {
        let mut parts = CacheParts::open(&self.file)?;
        let record = parts.next()?;
        parts.skip()?;
        let content = parts.next()?;
        std::thread::scope(|scope| {
            let unchanged = scope.spawn(|| is_unchanged(record, |_| true));
            let inventory = self.reader(content).and_then(|mut reader| Inventory::stored(&mut reader));
            unchanged.join().unwrap_or(false).then_some(inventory).flatten()
        })
    }

    /// Returns the cached names of the components that are wanted, for a command that shows no others: files of others
    /// are not looked at, so a change of these does not show. `also_wanted` are names that do not count if they are
    /// alone. `None` if no component has a wanted name.
    pub(super) fn names(
        &self,
        is_wanted: impl Fn(&ComponentName) -> bool,
        also_wanted: impl Fn(&ComponentName) -> bool,
    ) -> Option<Vec<ComponentName>> {
        let mut parts = CacheParts::open(&self.file)?;
        let (record, names) = (parts.next()?, parts.next()?);
        let Some(mut reader) = self.reader(names) else {
            // No other command reads this part, so that none would mend it.
            let _ = std::fs::remove_file(&self.file);
            return None;
        };
        let (mut found, mut numbers) = (Vec::new(), Vec::new());
        let mut is_alone = true;
        stored_names(&mut reader, |number, name| {
            let is_wanted = is_wanted(&name);
            is_alone &= !is_wanted;
            if is_wanted || also_wanted(&name) {
                found.push(name);
                numbers.push(number);
            }
        })?;
        let is_needed = |number: usize| numbers.binary_search(&number).is_ok();
        (!is_alone && is_unchanged(record, is_needed)).then_some(found)
    }

    /// Opens a part that has the key, if it is the part of this place.
    fn reader(&self, part: &'static [u8]) -> Option<PackedReader<'static>> {
        let mut reader = PackedReader::open(part)?;
        (reader.bytes()? == self.key).then_some(reader)
    }

    /// Writes an inventory, unless it is small, or something that was read may change without a trace. A failure is
    /// none: the next command reads the sources again.
    pub(super) fn store(&self, inventory: &Inventory, footprint: Footprint) {
        if inventory.components.len() < LEAST {
            return;
        }
        let components = components_by_file(inventory);
        let component_of = |file: &OsStr| components.get(file).copied().flatten();
        let Some(record) = footprint.store(component_of) else { return };
        let with_key = || {
            let mut writer = PackedWriter::default();
            writer.bytes(&self.key);
            writer
        };
        let mut content = with_key();
        if !inventory.store(&mut content) {
            return;
        }
        let mut names = with_key();
        inventory.store_names(&mut names);
        // Each part has a checksum of its own: the files are looked at before the rest is read, and completion reads no
        // more than names.
        let parts = [record, names.finish(), content.finish()];
        if parts.iter().map(|part| part.len() as u64 + LENGTH).sum::<u64>() <= TOTAL {
            let _ = write(&self.file, &parts);
        }
    }
}

/// Returns the number of the component that files of a name tell of; `None` for a file of several names.
fn components_by_file(inventory: &Inventory) -> HashMap<&OsStr, Option<usize>> {
    let mut all: HashMap<&OsStr, Option<usize>> = HashMap::with_capacity(inventory.components.len());
    for (number, component) in inventory.components.iter().enumerate() {
        let Some(file) = Path::new(component.source_map.file()).file_name() else { continue };
        let number = (!component.source_map.is_shared()).then_some(number);
        let known = all.entry(file).or_insert(number);
        let is_same = |at: usize| inventory.components[at].name() == component.name();
        *known = known.filter(|at| number.is_some() && is_same(*at));
    }
    all
}

/// Bytes of the length of a part.
const LENGTH: u64 = 8;

/// Parts of a file of the cache, each after its length. They are leaked: texts of the inventory are parts of them, and
/// it lasts as long as the command.
struct CacheParts {
    file: File,
    /// Bytes that are not read yet.
    rest: u64,
}

impl CacheParts {
    /// Opens a file of the cache that this user alone can change.
    fn open(path: &Path) -> Option<Self> {
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
        let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
        let facts = file.metadata().ok()?;
        let is_own = facts.uid() == nix::unistd::geteuid().as_raw() && facts.mode() & 0o077 == 0;
        (facts.is_file() && is_own && facts.len() <= TOTAL).then_some(Self { file, rest: facts.len() })
    }

    fn length(&mut self) -> Option<u64> {
        self.rest = self.rest.checked_sub(LENGTH)?;
        let mut length = [0; LENGTH as usize];
        self.file.read_exact(&mut length).ok()?;
        let length = u64::from_le_bytes(length);
        self.rest = self.rest.checked_sub(length)?;
        Some(length)
    }

    fn next(&mut self) -> Option<&'static [u8]> {
        let length = self.length()?;
        let mut part = Vec::with_capacity(usize::try_from(length).ok()?);
        let read = (&self.file).take(length).read_to_end(&mut part).ok()?;
        (read as u64 == length).then(|| &*part.leak())
    }

    fn skip(&mut self) -> Option<()> {
        let length = i64::try_from(self.length()?).ok()?;
        self.file.seek_relative(length).ok()
    }
}

/// Writes a file of the cache, and removes the oldest others. The disk may lose it: a checksum shows that, so that
/// nothing waits for the disk.
fn write(path: &Path, parts: &[Vec<u8>]) -> std::io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(directory)?;
    let mode = std::fs::Permissions::from_mode(0o600);
    let mut file = tempfile::Builder::new().prefix(".cki-").permissions(mode).tempfile_in(directory)?;
    for part in parts {
        file.write_all(&(part.len() as u64).to_le_bytes())?;
        file.write_all(part)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    tidy(directory, path);
    Ok(())
}

/// Removes the oldest files beyond the limits, and temporary files of processes that were killed.
fn tidy(directory: &Path, newest: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let file = |entry: std::fs::DirEntry| {
        let facts = entry.metadata().ok().filter(Metadata::is_file)?;
        Some((facts.modified().ok()?, facts.len(), entry.path()))
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries.flatten().filter_map(file).collect();
    files.sort_unstable_by_key(|(modified, _, path)| std::cmp::Reverse((path == newest, *modified)));
    let (mut count, mut total) = (0, 0);
    for (modified, length, path) in files {
        let is_temporary = path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."));
        let is_left = if is_temporary {
            SystemTime::now().duration_since(modified).is_ok_and(|age| age > ABANDONED)
        } else {
            count += 1;
            total += length;
            count > MOST || total > TOTAL
        };
        if is_left {
            // Another process may remove it, too.
            let _ = std::fs::remove_file(path);
        }
    }
}
