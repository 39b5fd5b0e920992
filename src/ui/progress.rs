//! One line for each task, redrawn in place: on a terminal only, after a quarter of a second, and removed
//! while something else is printed. Text of events is in `report`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress_terminal::ProgressTerminal;
use crate::base::text;
use crate::model::event::ProgressUnit;

/// Minimum duration of a task before it is drawn.
const DELAY: Duration = Duration::from_millis(250);
/// Maximum columns of a subject: a line that is wider than the terminal would tear.
const LONGEST_SUBJECT: usize = 40;
/// Interval of redrawing.
const TICK: Duration = Duration::from_millis(100);

/// The lines being drawn.
pub(super) struct Progress {
    state: Option<Arc<Mutex<Drawn>>>,
    bars: MultiProgress,
}

#[derive(Default)]
struct Drawn {
    works: BTreeMap<String, ProgressTask>,
    ticking: bool,
}

struct ProgressTask {
    began: Instant,
    doing: String,
    message: String,
    done: u64,
    total: Option<u64>,
    unit: ProgressUnit,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(draws: bool) -> Self {
        let target = match draws {
            true => ProgressDrawTarget::term_like_with_hz(Box::new(ProgressTerminal::stderr()), 10),
            false => ProgressDrawTarget::hidden(),
        };
        Self {
            state: draws.then(|| Arc::new(Mutex::new(Drawn::default()))),
            bars: MultiProgress::with_draw_target(target),
        }
    }

    pub(super) fn draws(&self) -> bool {
        self.state.is_some()
    }

    /// Removes the lines while something else is printed.
    pub(super) fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        if self.draws() { self.bars.suspend(print) } else { print() }
    }

    pub(super) fn start(&self, subject: &str, doing: &str) {
        self.with(|drawn| {
            drawn.works.insert(subject.to_owned(), ProgressTask::new(doing));
        });
        self.tick();
    }

    /// Updates the text of a subject's task, whether or not it has begun.
    pub(super) fn follow(&self, subject: &str, doing: &str) {
        self.with(|drawn| {
            let work = drawn.works.entry(subject.to_owned()).or_insert_with(|| ProgressTask::new(doing));
            doing.clone_into(&mut work.doing);
        });
        self.tick();
    }

    pub(super) fn progress(&self, subject: &str, done: u64, total: Option<u64>, unit: ProgressUnit) {
        self.with(|drawn| {
            if let Some(work) = drawn.works.get_mut(subject) {
                (work.done, work.total, work.unit) = (done, total, unit);
            }
        });
    }

    pub(super) fn detail(&self, subject: &str, line: &str) {
        self.with(|drawn| {
            if let Some(work) = drawn.works.get_mut(subject) {
                work.message = line.to_owned();
            }
        });
    }

    pub(super) fn finish(&self, subject: &str) {
        self.with(|drawn| {
            if let Some(bar) = drawn.works.remove(subject).and_then(|work| work.bar) {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        });
    }

    fn with(&self, change: impl FnOnce(&mut Drawn)) {
        if let Some(state) = &self.state {
            change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Redraws in the background, as long as there are tasks.
    fn tick(&self) {
        let Some(state) = &self.state else { return };
        let mut drawn = state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut drawn.ticking, true) {
            return;
        }
        drop(drawn);
        let (state, bars): (Weak<_>, _) = (Arc::downgrade(state), self.bars.clone());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                let Some(state) = state.upgrade() else { return };
                let mut drawn = state.lock().unwrap_or_else(PoisonError::into_inner);
                if drawn.works.is_empty() {
                    drawn.ticking = false;
                    return;
                }
                for (subject, work) in &mut drawn.works {
                    work.draw(subject, &bars);
                }
            }
        });
    }
}

/// Returns a text with spaces in place of tabs and line ends, whose width a terminal decides.
fn one_line(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

impl ProgressTask {
    fn new(doing: &str) -> Self {
        Self {
            began: Instant::now(),
            doing: doing.to_owned(),
            message: String::new(),
            done: 0,
            total: None,
            unit: ProgressUnit::Items,
            bar: None,
        }
    }

    fn draw(&mut self, subject: &str, bars: &MultiProgress) {
        let elapsed = self.began.elapsed();
        if elapsed < DELAY {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = bars.add(ProgressBar::no_length());
            // The template is constant; the default style would be an acceptable fallback.
            let style = ProgressStyle::with_template("  {spinner:.cyan} {prefix:.bold}  {wide_msg:.dim}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_prefix(text::truncate_middle(&one_line(subject), LONGEST_SUBJECT));
            bar
        });
        bar.tick();
        let count = |n: u64| if self.unit == ProgressUnit::Bytes { text::bytes(n) } else { n.to_string() };
        let mut parts = vec![self.doing.clone()];
        match self.total {
            Some(total) if total > 0 => parts.push(format!("{}/{}", count(self.done), count(total))),
            _ if self.done > 0 => parts.push(count(self.done)),
            _ => {}
        }
        if elapsed.as_secs() >= 2 {
            parts.push(text::duration(elapsed));
        }
        if !self.message.is_empty() {
            parts.push(self.message.clone());
        }
        bar.set_message(one_line(&parts.join(" · ")));
    }
}
