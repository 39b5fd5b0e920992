//! The cache of inventories: what a read of the sources gave, for as long as each file and directory is as it was then.
//! It may be deleted or broken at any time; `cki` reads the sources again. Its form is in `model::inventory`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{Read as _, Write as _};
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
use crate::model::inventory::{Component, Inventory, InventorySource, InventorySources};

/// Fewest components of a cached inventory: reading fewer files takes no time that anybody notices.
const LEAST: usize = 100;
/// Maximum number of cached inventories.
const MOST: usize = 8;
/// Maximum bytes of all of them.
const TOTAL: u64 = 512 << 20;
/// Age of a temporary file that no process writes any longer.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The form of the cache. Another program, even of the same version, has caches of its own.
const FORM: &[u8] = b"cki inventory cache 1";
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
        let (record, content) = self.parts()?;
        std::thread::scope(|scope| {
            let unchanged = scope.spawn(|| is_unchanged(record, &HashSet::new()));
            let inventory = self.stored(content);
            unchanged.join().unwrap_or(false).then_some(inventory).flatten()
        })
    }

    /// Returns the cached inventory for a command that shows the components of some names and no others: files of
    /// others are not looked at, so a change of these does not show. `None` if it has no component of such a name.
    pub(super) fn load_named(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Inventory> {
        let (record, content) = self.parts()?;
        let inventory = self.stored(content)?;
        let (wanted, others): (Vec<_>, Vec<_>) =
            inventory.components.iter().partition(|component| is_wanted(component.name()));
        let mut unneeded: HashSet<&OsStr> = others.into_iter().filter_map(file_name).collect();
        for name in wanted.iter().copied().filter_map(file_name) {
            unneeded.remove(name);
        }
        let holds = !wanted.is_empty() && is_unchanged(record, &unneeded);
        holds.then_some(inventory)
    }

    /// Reads the record of files, and the rest.
    fn parts(&self) -> Option<(&'static [u8], &'static [u8])> {
        // Texts of the inventory are parts of it, and the inventory lasts as long as the command.
        let content: &'static [u8] = read(&self.file)?.leak();
        let (length, rest) = content.split_first_chunk()?;
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
    }

    fn stored(&self, content: &'static [u8]) -> Option<Inventory> {
        let mut reader = PackedReader::open(content)?;
        if reader.bytes()? != self.key {
            return None;
        }
        Inventory::stored(&mut reader)
    }

    /// Writes an inventory, unless it is small, or something that was read may change without a trace. A failure is
    /// none: the next command reads the sources again.
    pub(super) fn store(&self, inventory: &Inventory, footprint: Footprint) {
        if inventory.components.len() < LEAST {
            return;
        }
        let Some(record) = footprint.store() else { return };
        let mut writer = PackedWriter::default();
        writer.bytes(&self.key);
        if !inventory.store(&mut writer) {
            return;
        }
        let content = writer.finish();
        // The record comes first and has a checksum of its own, so that the files are looked at before the rest is read.
        let length = (record.len() as u64).to_le_bytes();
        let parts = [&length[..], &record, &content];
        if parts.iter().map(|part| part.len() as u64).sum::<u64>() <= TOTAL {
            let _ = write(&self.file, &parts);
        }
    }
}

fn file_name(component: &Component) -> Option<&OsStr> {
    Path::new(component.source_map.file()).file_name()
}

/// Reads a file of the cache that this user alone can change.
fn read(path: &Path) -> Option<Vec<u8>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let facts = file.metadata().ok()?;
    let is_own = facts.uid() == nix::unistd::geteuid().as_raw() && facts.mode() & 0o077 == 0;
    if !facts.is_file() || !is_own || facts.len() > TOTAL {
        return None;
    }
    let mut content = Vec::with_capacity(usize::try_from(facts.len()).ok()? + 1);
    file.take(TOTAL).read_to_end(&mut content).ok()?;
    Some(content)
}

/// Writes a file of the cache, and removes the oldest others. The disk may lose it: a checksum shows that, so that
/// nothing waits for the disk.
fn write(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(directory)?;
    let mode = std::fs::Permissions::from_mode(0o600);
    let mut file = tempfile::Builder::new().prefix(".cki-").permissions(mode).tempfile_in(directory)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
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
