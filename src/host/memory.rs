//! What this program takes of the machine's memory.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::{NonNull, with_exposed_provenance_mut};

use nix::sys::mman::{MmapAdvise, madvise};

/// Gives back what the start has mapped of this program's code. For each page that is touched the
/// kernel maps sixteen, and they stay; whoever follows a log for hours needs few of them, which come
/// back from its cache when they are touched again. Nothing happens where the system does not tell what
/// is mapped.
pub fn give_back_code() {
    let (Ok(maps), Ok(program)) =
        (std::fs::read_to_string("/proc/self/maps"), std::fs::read_link("/proc/self/exe"))
    else {
        return;
    };
    for (start, length) in code(&maps, &program) {
        let Some(start) = NonNull::new(with_exposed_provenance_mut::<c_void>(start)) else { continue };
        #[expect(unsafe_code, reason = "code is never written, so that each page is again what the file has")]
        // What cannot be given back stays.
        let _ = unsafe { madvise(start, length, MmapAdvise::MADV_DONTNEED) };
    }
}

/// Where the code of a program is mapped, from proc_pid_maps(5): each start and length. Only what can be
/// executed: the rest of the file has been changed when it was loaded.
fn code(maps: &str, program: &Path) -> Vec<(usize, usize)> {
    let ranges = maps.lines().filter_map(|line| {
        let mut fields = line.splitn(6, ' ').map(str::trim);
        let (range, permissions) = (fields.next()?, fields.next()?);
        let path = fields.nth(3)?;
        if permissions != "r-xp" || Path::new(path) != program {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        Some((start, end.checked_sub(start)?))
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_the_program_itself() {
        let maps = "\
1000-3000 r--p 00000000 fe:00 7                          /usr/bin/a program
3000-7000 r-xp 00002000 fe:00 7                          /usr/bin/a program
7000-8000 r--p 00006000 fe:00 7                          /usr/bin/a program
9000-a000 r-xp 00000000 fe:00 8                          /usr/lib/libc.so.6
b000-c000 rw-p 00000000 00:00 0
d000-e000 r-xp 00000000 00:00 0                          [vdso]
";
        assert_eq!(code(maps, Path::new("/usr/bin/a program")), [(0x3000, 0x4000)]);
    }

    /// The kilobytes of this program's code that are in memory, from proc_pid_smaps(5).
    fn resident_code() -> u64 {
        let program = std::fs::read_link("/proc/self/exe").expect("is there");
        let all = std::fs::read_to_string("/proc/self/smaps").expect("is there");
        let mut is_code = false;
        let sizes = all.lines().filter_map(|line| {
            // Names of values begin with a capital letter, addresses do not.
            if !line.starts_with(|first: char| first.is_ascii_uppercase()) {
                is_code = !code(line, &program).is_empty();
            }
            line.strip_prefix("Rss:").filter(|_| is_code)
        });
        sizes.map(|size| size.trim().trim_end_matches(" kB").parse::<u64>().expect("is a number")).sum()
    }

    #[test]
    fn what_is_given_back_is_gone_and_comes_back_when_it_is_needed() {
        let before = resident_code();
        assert!(before > 0);
        // Other tests run meanwhile, and have parts of it back at once.
        let less = (0..100).any(|_| {
            give_back_code();
            resident_code() < before
        });
        assert!(less, "{before} kB are there as before");
        assert_eq!(code("1000-3000 r-xp 00002000 fe:00 7 /x", Path::new("/x")), [(0x1000, 0x2000)]);
    }
}
