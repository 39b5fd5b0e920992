//! Output of a build: splits the engine's text pieces into lines that are safe to show, and finds the steps
//! in it.

use std::collections::VecDeque;

use crate::base::text::{LineSplitter, safe_line};

/// Maximum bytes of a line; longer ones are split.
const LONGEST_LINE: usize = 4096;
/// Number of last lines to keep for the report of a failure.
const KEPT: usize = 20;

/// Step of a build, as an engine announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildStep {
    pub(super) number: u64,
    pub(super) of: u64,
    pub(super) instruction: String,
}

/// Splitter of build output into lines and steps.
pub(super) struct BuildLines {
    splitter: LineSplitter,
    pub(super) step: Option<BuildStep>,
    pub(super) last: VecDeque<String>,
    layers: NewLayers,
}

/// Collector of the ids of layers that a build has made, without those from the engine's cache.
#[derive(Default)]
struct NewLayers {
    /// The next layer to be named is the base image's or the cache's.
    is_old: bool,
    found: Vec<String>,
}

impl NewLayers {
    fn take(&mut self, line: &str, step: Option<&BuildStep>) {
        if let Some(step) = step {
            self.is_old = step.instruction.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("FROM"));
        }
        let Some(rest) = line.strip_prefix(" ---> ").or_else(|| line.strip_prefix("--> ")) else { return };
        if rest.starts_with("Using cache") {
            self.is_old = true;
        } else if !self.is_old && rest.len() >= 11 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.found.push(rest.to_owned());
        }
    }
}

impl BuildLines {
    pub(super) fn new() -> Self {
        Self {
            splitter: LineSplitter::new(LONGEST_LINE),
            step: None,
            last: VecDeque::new(),
            layers: NewLayers::default(),
        }
    }

    /// Returns the ids of the layers that the build has made since the last call.
    pub(super) fn new_layers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.layers.found)
    }

    /// Takes in a piece; passes on each complete line, with the step if it begins one.
    pub(super) fn push(&mut self, text: &str, mut line: impl FnMut(&str, Option<&BuildStep>)) {
        let (step, last, layers) = (&mut self.step, &mut self.last, &mut self.layers);
        let mut line = |text: &str, step: Option<&BuildStep>| {
            layers.take(text, step);
            line(text, step);
        };
        self.splitter.push(text.as_bytes(), |raw| take(raw, step, last, &mut line));
    }

    /// Passes on the rest at the end.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&str, Option<&BuildStep>)) {
        let (step, last) = (&mut self.step, &mut self.last);
        self.splitter.finish(|raw| take(raw, step, last, &mut line));
    }
}

fn take(
    raw: &str,
    step: &mut Option<BuildStep>,
    last: &mut VecDeque<String>,
    line: &mut impl FnMut(&str, Option<&BuildStep>),
) {
    // Of a line that a program redraws, the last state counts.
    let raw = raw.rsplit('\r').find(|part| !part.is_empty()).unwrap_or(raw);
    let text = safe_line(raw);
    if text.trim().is_empty() {
        return;
    }
    let begins = announced(&text);
    if let Some(next) = &begins {
        *step = Some(next.clone());
    } else if !is_bookkeeping(&text) {
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(text.clone().into_owned());
    }
    line(&text, begins.as_ref());
}

/// Returns whether a line is from the engine itself, not from the instruction.
fn is_bookkeeping(line: &str) -> bool {
    [" ---> ", "--> ", "Removing intermediate container "].iter().any(|start| line.starts_with(start))
}

/// Parses `Step 2/3 : RUN make` (Docker), `STEP 2/3: RUN make` (Podman).
fn announced(line: &str) -> Option<BuildStep> {
    let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
    let (count, instruction) = rest.split_once(':')?;
    let (number, of) = count.trim().split_once('/')?;
    Some(BuildStep {
        number: number.parse().ok()?,
        of: of.parse().ok()?,
        instruction: instruction.trim().to_owned(),
    })
}

impl std::fmt::Display for BuildStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "step {}/{}: {}", self.number, self.of, crate::base::text::truncate(&self.instruction, 200))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_lines_recognise_steps_of_both_engines() {
        let mut lines = BuildLines::new();
        let mut seen = Vec::new();
        for piece in [
            "Step 1/2 : FROM scratch",
            "\n",
            " ---> \n",
            "\x1b[91mwarn",
            "ing\x1b[0m\nSTEP 2/2: RUN a:b\n50%\r100%\r",
        ] {
            lines.push(piece, |line, step| seen.push((line.to_owned(), step.map(|s| s.number))));
        }
        lines.finish(|line, _| seen.push((line.to_owned(), None)));
        let expected = [
            ("Step 1/2 : FROM scratch", Some(1)),
            (" ---> ", None),
            ("warning", None),
            ("STEP 2/2: RUN a:b", Some(2)),
            ("100%", None),
        ];
        assert_eq!(seen, expected.map(|(line, step)| (line.to_owned(), step)));
        assert_eq!(lines.step.map(|step| step.to_string()).as_deref(), Some("step 2/2: RUN a:b"));
        assert_eq!(lines.last, ["warning", "100%"]);
    }

    #[test]
    fn new_layers_skips_cached_layers() {
        let docker = "Step 1/4 : FROM x\n ---> 0123456789ab\nStep 2/4 : RUN a\n ---> Using cache\n \
                      ---> 1123456789ab\nStep 3/4 : RUN b\n ---> Running in 2123456789ab\nRemoving \
                      intermediate container 2123456789ab\n ---> 3123456789ab\nStep 4/4 : RUN c\n";
        let podman = "STEP 1/3: FROM x\nSTEP 2/3: RUN a\n--> Using cache 1123456789ab\n--> 11234567890\n\
                      STEP 3/3: RUN b\n--> 31234567890\n";
        for (said, wanted) in [(docker, "3123456789ab"), (podman, "31234567890")] {
            let mut lines = BuildLines::new();
            lines.push(said, |_, _| ());
            assert_eq!(lines.new_layers(), [wanted]);
            assert!(lines.new_layers().is_empty());
        }
    }

    #[test]
    fn build_lines_keep_last_lines() {
        let mut lines = BuildLines::new();
        for number in 0..100 {
            lines.push(&format!("{number}\n"), |_, _| ());
        }
        assert_eq!(lines.last.len(), KEPT);
        assert_eq!(lines.last.back().map(String::as_str), Some("99"));
        assert_eq!(announced("Stepping 1/2: x"), None);
        assert_eq!(announced("STEP x/2: y"), None);
    }
}
