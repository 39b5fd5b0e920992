//! The arguments and the environment of this process as other processes see them (`ps`, `/proc/PID/environ`): where they
//! are in memory, and how values vanish from them. Their meaning is in `cli`.

use std::ops::Range;
use std::ptr::with_exposed_provenance_mut;

/// Replaces the characters of a hidden value.
const HIDDEN: u8 = b'*';

/// Addresses of the arguments and environment of this program, which `ps` and `/proc/PID/environ` show. They
/// are the same in a fork.
#[derive(Debug, Clone, Default)]
pub struct ProcessBlocks {
    /// The arguments, each with a final NUL.
    pub arguments: Range<usize>,
    /// The environment.
    pub environment: Range<usize>,
}

impl ProcessBlocks {
    /// Returns those of this process; both are empty if the kernel does not tell.
    #[must_use]
    pub fn of_this_process() -> Self {
        std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| Self::parse(&stat))
            .unwrap_or_default()
    }

    /// Parses the fields 48 to 51 of proc_pid_stat(5). The name of the program, which may contain blanks and
    /// parentheses, ends with the last `)`.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        // The first field after the name is number 3.
        let mut fields = fields.split_ascii_whitespace().skip(48 - 3).map(|field| field.parse().ok());
        let mut next = || fields.next().flatten();
        Some(Self { arguments: next()?..next()?, environment: next()?..next()? })
    }
}

/// Overwrites the values of `NAME=VALUE` pairs in the arguments of this process: `ps` shows arguments to all users of a
/// machine for as long as it runs. Call it once the arguments have been read.
pub fn hide_values(pairs: &[String]) {
    if pairs.is_empty() {
        return;
    }
    let Range { start, end } = ProcessBlocks::of_this_process().arguments;
    if start == 0 || end <= start {
        return;
    }
    #[expect(unsafe_code, reason = "the kernel offers no call that changes the arguments")]
    // SAFETY: the kernel names the arguments with which this program was started. They are writable, stay for its
    // whole life, and nothing reads them any more: `Host` holds a copy.
    let block =
        unsafe { std::slice::from_raw_parts_mut(with_exposed_provenance_mut::<u8>(start), end - start) };
    for word in block.split_mut(|byte| *byte == 0) {
        hide(word, pairs);
    }
}

/// Overwrites the value in a word that ends with one of the pairs.
fn hide(word: &mut [u8], pairs: &[String]) {
    for pair in pairs {
        if let Some((_, value)) = pair.split_once('=')
            && word.ends_with(pair.as_bytes())
        {
            let at = word.len() - value.len();
            word[at..].fill(HIDDEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hide_overwrites_values_in_any_spelling_of_the_option() {
        let pairs = ["A=secret".to_owned(), "B".to_owned(), "C=".to_owned()];
        for (word, shown) in [
            ("A=secret", "A=******"),
            ("-eA=secret", "-eA=******"),
            ("--env=A=secret", "--env=A=******"),
            ("A=other", "A=other"),
            ("B", "B"),
            ("C=", "C="),
            ("", ""),
        ] {
            let mut word = word.as_bytes().to_vec();
            hide(&mut word, &pairs);
            assert_eq!(String::from_utf8_lossy(&word), shown);
        }
    }

    #[test]
    fn blocks_parse_handles_any_process_name() {
        let fields: Vec<String> = (3..=52).map(|number| (number * 10).to_string()).collect();
        let stat = format!("7 (a ) b) {}\n", fields.join(" "));
        let blocks = ProcessBlocks::parse(&stat).expect("has all fields");
        assert_eq!((blocks.arguments, blocks.environment), (480..490, 500..510));
        assert!(ProcessBlocks::parse("7 (cki) S 1 2").is_none());
    }

    #[test]
    fn blocks_of_this_process_cover_its_arguments() {
        let blocks = ProcessBlocks::of_this_process();
        let arguments: usize = std::env::args_os().map(|argument| argument.len() + 1).sum();
        assert_eq!(blocks.arguments.len(), arguments);
    }
}
