//! Files of this program: the executable, its mapped libraries, and its loader. Together they run on any
//! machine with the same kind of processor and kernel, even in an empty image. Copying them is up to the
//! caller.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::files::FileError;

/// Path of the program in the image.
pub const PROGRAM: &str = "/usr/bin/cki";

/// Reason why the program cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program is not an ELF file.
    #[error("`{}` is no 64-bit little-endian ELF program", .0.display())]
    Kind(PathBuf),
}

/// Returns the files, by their path in the image: the program, its mapped libraries, and the loader under
/// the name by which the program refers to it. The program must be the running one.
///
/// # Errors
/// Fails if the program is not an ELF file, or cannot be read.
pub fn runtime_closure(program: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, ProgramError> {
    let maps = std::fs::read_to_string("/proc/self/maps")
        .map_err(|source| FileError::new("read", "/proc/self/maps", source))?;
    let mut found = BTreeMap::from([(PathBuf::from(PROGRAM), program.to_path_buf())]);
    for line in maps.lines() {
        let Some(start) = line.find('/') else { continue };
        let path = PathBuf::from(&line[start..]);
        let is_library = path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"));
        if is_library && path.is_file() {
            // The loader searches these directories by default.
            if let Some(name) = path.file_name() {
                found.insert(Path::new("/lib").join(name), path.clone());
            }
            found.insert(path.clone(), path);
        }
    }
    if let Some(loader) = interpreter(program)? {
        let real = loader.canonicalize().map_err(|source| FileError::new("find", &loader, source))?;
        found.insert(loader, real);
    }
    Ok(found)
}

/// Returns the loader that an ELF program names (System V ABI, program header `PT_INTERP`); `None` for a
/// static program.
fn interpreter(program: &Path) -> Result<Option<PathBuf>, ProgramError> {
    use std::io::Read as _;
    const PT_INTERP: u32 = 3;
    let mut head = Vec::new();
    let file = std::fs::File::open(program).map_err(|source| FileError::new("read", program, source))?;
    file.take(64 << 10).read_to_end(&mut head).map_err(|source| FileError::new("read", program, source))?;
    let is_elf64 = head.starts_with(b"\x7fELF\x02\x01");
    let malformed = || ProgramError::Kind(program.to_path_buf());
    if !is_elf64 {
        return Err(malformed());
    }
    let bytes = |at: usize, count: usize| {
        let end = at.checked_add(count).ok_or_else(malformed)?;
        head.get(at..end).ok_or_else(malformed)
    };
    let number = |at: usize, count: usize| -> Result<usize, ProgramError> {
        let value = bytes(at, count)?.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).map_err(|_| malformed())
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let entry = table.saturating_add(index * size);
        if u32::try_from(number(entry, 4)?).is_ok_and(|kind| kind == PT_INTERP) {
            let text = bytes(number(entry.saturating_add(8), 8)?, number(entry.saturating_add(32), 8)?)?;
            let text = String::from_utf8_lossy(text);
            return Ok(Some(PathBuf::from(text.trim_end_matches('\0'))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_closure_includes_program_and_loader() {
        let program = std::path::absolute("/proc/self/exe").expect("is absolute");
        let files = runtime_closure(&program).expect("finds");
        let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
        assert!(names.contains(&PROGRAM.to_owned()));
        if let Some(loader) = interpreter(&program).expect("is ELF") {
            assert!(names.contains(&loader.display().to_string()), "{names:?}");
        }
        assert!(files.values().all(|source| source.exists()));
    }
}
