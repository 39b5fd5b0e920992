//! Reads of files that a directory listed, with as few system calls as possible. Lists and other reads are in
//! [`super::files`].

use std::path::Path;

use super::file_stamp::FileStamp;
use super::files::{self, FileError};

/// Reads a file of at most `limit` bytes, and returns the state that it had before.
///
/// # Errors
/// Fails as [`files::read`].
pub fn read(path: &Path, is_file: bool, limit: u64) -> Result<(Vec<u8>, FileStamp), FileError> {
    if !is_file {
        files::refuse_others(path)?;
    }
    let (file, facts) = files::open_checked(path)?;
    Ok((files::content(file, path, limit)?, FileStamp::of(&facts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_files_are_read_and_others_refused() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("b"), "text").expect("writes");
        std::os::unix::fs::symlink("b", at("c")).expect("links");
        nix::unistd::mkfifo(&at("a"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let names = files::names_in(directory.path()).expect("lists");
        let names: Vec<_> = names.iter().map(|one| (one.name.to_str(), one.is_file)).collect();
        assert_eq!(names, [(Some("a"), false), (Some("b"), true), (Some("c"), false)]);
        assert_eq!(files::names_in(&at("none")).expect("is empty"), []);
        for (name, is_file) in [("b", true), ("c", false)] {
            let (content, state) = read(&at(name), is_file, 9).expect("reads");
            assert_eq!(content, b"text");
            assert_eq!(state, FileStamp::of(&at("b").metadata().expect("is there")));
        }
        // A pipe that took the place of a file, and one that was listed as such.
        for is_file in [true, false] {
            let error = read(&at("a"), is_file, 9).expect_err("is a pipe").to_string();
            assert!(error.ends_with("it is a pipe, not a file"), "{error}");
        }
    }
}
