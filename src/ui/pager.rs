//! Long results in the user's pager. Starting it is up to `systems`.

use super::Ui;

impl Ui {
    /// Gives long results on a terminal to a pager, which returns false if it showed nothing.
    pub fn page_with(&self, pager: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _ = self.0.pager.set(Box::new(pager));
    }

    /// Prints lines of data that may be more than a screen: on a terminal, through the pager.
    pub fn pages<T: AsRef<str>>(&self, lines: impl IntoIterator<Item = T>) {
        let pager = self.0.pager.get().filter(|_| self.0.terminal.stdout && !self.0.terminal.dumb);
        let Some(pager) = pager else { return self.lines(lines) };
        let lines: Vec<T> = lines.into_iter().collect();
        let text: String = lines.iter().map(|line| self.fitted(line.as_ref()) + "\n").collect();
        if !pager(&text) {
            self.lines(lines);
        }
    }
}
