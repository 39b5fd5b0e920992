//! Protects this program from a component: its forks, the supervisor and `init`, hold a copy of its memory,
//! environment and arguments, and are processes of the same user. Their memory cannot be read
//! (`PR_SET_DUMPABLE`), environment and arguments are wiped, and the component has no capability that would
//! lift this for root. The component's view of the machine is otherwise limited in `namespaces`.

use std::ops::Range;

use nix::sys::prctl;

use super::kernel;

/// Addresses of the arguments and environment of this program, which `ps` and `/proc/PID/environ` show. They
/// are the same in a fork.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    arguments: Range<usize>,
    environment: Range<usize>,
}

impl Blocks {
    /// Returns those of this process; both are empty if the kernel does not tell.
    pub(super) fn of_this_process() -> Self {
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

    /// Wipes both; for use in a fork.
    pub(super) fn wipe(&self) {
        kernel::wipe(&self.arguments);
        kernel::wipe(&self.environment);
    }
}

/// Keeps other processes of this user from reading the memory of this one and of its forks, until they exec.
/// No debugger can attach to it, and it leaves no core dump.
pub(super) fn close_memory() {
    // The call fails only for invalid values.
    let _ = prctl::set_dumpable(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_parse_handles_any_process_name() {
        let fields: Vec<String> = (3..=52).map(|number| (number * 10).to_string()).collect();
        let stat = format!("7 (a ) b) {}\n", fields.join(" "));
        let blocks = Blocks::parse(&stat).expect("has all fields");
        assert_eq!((blocks.arguments, blocks.environment), (480..490, 500..510));
        assert!(Blocks::parse("7 (cki) S 1 2").is_none());
    }

    #[test]
    fn blocks_of_this_process_cover_its_arguments() {
        let blocks = Blocks::of_this_process();
        let arguments: usize = std::env::args_os().map(|argument| argument.len() + 1).sum();
        assert_eq!(blocks.arguments.len(), arguments);
    }
}
