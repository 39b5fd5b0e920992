//! Files that a program consists of: the executable, its libraries, and its loader. Together they run on any
//! machine with the same kind of processor and kernel, even in an empty image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::base::files::{self, FileError};

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
    /// The loader does not find what the program needs.
    #[error("the loader does not find the libraries of `{}`", .0.display())]
    Libraries(PathBuf),
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
            add_library(&mut found, path)?;
        }
    }
    if let Some(loader) = interpreter(program)? {
        add_file(&mut found, loader)?;
    }
    Ok(found)
}

/// Returns the libraries and the loader of a program of this machine, by their path in the image; none for a
/// static program. The loader lists them without starting the program (`--list`, which glibc and musl know).
///
/// # Errors
/// Fails if the program is not an ELF file, or needs a library that is missing.
pub fn libraries(program: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, ProgramError> {
    let mut found = BTreeMap::new();
    let Some(loader) = interpreter(program)? else { return Ok(found) };
    let mut list = Command::new(&loader);
    list.arg("--list").arg(program).env_clear().stdin(Stdio::null());
    let output = list.output().map_err(|source| FileError::new("run", &loader, source))?;
    let listed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || listed.contains("not found") {
        return Err(ProgramError::Libraries(program.to_path_buf()));
    }
    for path in listed.lines().filter_map(listed_path) {
        add_library(&mut found, path)?;
    }
    add_file(&mut found, loader)?;
    Ok(found)
}

/// Copies files to their paths below a directory, which becomes the root of an image. A file that is there
/// stays.
///
/// # Errors
/// Fails when a file cannot be read or written.
pub fn copy_below(root: &Path, files: &BTreeMap<PathBuf, PathBuf>) -> Result<(), FileError> {
    for (target, source) in files {
        let target = root.join(target.strip_prefix("/").unwrap_or(target));
        if target.exists() {
            continue;
        }
        files::make_directory(target.parent().unwrap_or(root))?;
        // A hard link takes no space; between file systems, a copy is made.
        std::fs::hard_link(source, &target)
            .or_else(|_| std::fs::copy(source, &target).map(|_| ()))
            .map_err(|error| FileError::new("copy", source, error))?;
    }
    Ok(())
}

/// Returns the file in a line of a loader's list: `name => /path (address)` or `/path (address)`.
fn listed_path(line: &str) -> Option<PathBuf> {
    let (line, _address) = line.trim().rsplit_once(" (")?;
    let path = line.rsplit_once(" => ").map_or(line, |(_, path)| path);
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// Adds a library at its path, and in a directory that the loader searches by default.
fn add_library(found: &mut BTreeMap<PathBuf, PathBuf>, path: PathBuf) -> Result<(), FileError> {
    if let Some(name) = path.file_name() {
        found.insert(Path::new("/lib").join(name), real(&path)?);
    }
    add_file(found, path)
}

fn add_file(found: &mut BTreeMap<PathBuf, PathBuf>, path: PathBuf) -> Result<(), FileError> {
    let real = real(&path)?;
    found.insert(path, real);
    Ok(())
}

/// Returns a file without links, of which a hard link would be a link.
fn real(path: &Path) -> Result<PathBuf, FileError> {
    path.canonicalize().map_err(|source| FileError::new("find", path, source))
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

    #[test]
    fn libraries_of_a_program_include_its_loader() {
        let shell = Path::new("/bin/sh");
        let files = libraries(shell).expect("lists");
        match interpreter(shell).expect("is ELF") {
            Some(loader) => assert!(files.contains_key(&loader), "{files:?}"),
            None => assert_eq!(files, BTreeMap::new()),
        }
        assert!(files.values().all(|source| source.is_file() && !source.is_symlink()), "{files:?}");
        let script = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(&script, "#!/bin/sh\n").expect("writes");
        assert!(matches!(libraries(script.path()), Err(ProgramError::Kind(_))));
    }

    #[test]
    fn listed_path_reads_the_lists_of_glibc_and_musl() {
        let listed: Vec<_> = [
            "\tlinux-vdso.so.1 (0x00007ffc)",
            "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8e)",
            "\t/lib64/ld-linux-x86-64.so.2 (0x00007f8e)",
            "\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f8e)",
            "\tstatically linked",
        ]
        .into_iter()
        .filter_map(listed_path)
        .map(|path| path.display().to_string())
        .collect();
        let (libc, glibc, musl) =
            ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1");
        assert_eq!(listed, [libc, glibc, musl]);
    }
}
