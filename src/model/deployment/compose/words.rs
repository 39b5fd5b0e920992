//! Commands in one line, split like `github.com/mattn/go-shellwords`, which Compose uses. A shell
//! operator ends the command: Compose starts no shell.

/// Splits a line into words; returns `None` if Compose refuses it.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut splitter = Splitter::default();
    let is_done = line.chars().try_for_each(|c| splitter.take(c));
    match is_done {
        Err(WordEnd::Refused) => None,
        Ok(()) | Err(WordEnd::Operator) => splitter.finish(),
    }
}

/// Reason for stopping in a line.
enum WordEnd {
    Operator,
    Refused,
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    has_word: bool,
    is_escaped: bool,
    single: bool,
    double: bool,
    back: bool,
    dollar: bool,
}

impl Splitter {
    fn take(&mut self, c: char) -> Result<(), WordEnd> {
        if self.is_escaped {
            self.is_escaped = false;
            self.push(c);
            return Ok(());
        }
        match c {
            '\\' if self.single => self.word.push(c),
            '\\' => self.is_escaped = true,
            ' ' | '\t' | '\r' | '\n' if self.single || self.double || self.back || self.dollar => {
                self.word.push(c);
            }
            ' ' | '\t' | '\r' | '\n' => self.end_word(),
            '"' if !self.single && !self.dollar => {
                self.has_word |= self.double;
                self.double = !self.double;
            }
            '\'' if !self.double && !self.dollar => {
                self.has_word |= self.single;
                self.single = !self.single;
            }
            ';' | '&' | '|' | '<' | '>' if !(self.single || self.double || self.back || self.dollar) => {
                // The number before a redirection is not a word.
                self.has_word &= !(c == '>' && self.word.starts_with(|c: char| c.is_ascii_digit()));
                return Err(WordEnd::Operator);
            }
            _ => self.substitution(c)?,
        }
        Ok(())
    }

    /// Handles any other character; some begin or end a command substitution.
    fn substitution(&mut self, c: char) -> Result<(), WordEnd> {
        match c {
            '`' if !self.single && !self.double && !self.dollar => self.back = !self.back,
            ')' if !self.single && !self.double && !self.back => self.dollar = !self.dollar,
            '(' if !self.single && !self.double && !self.back => {
                if self.dollar || !self.word.ends_with('$') {
                    return Err(WordEnd::Refused);
                }
                self.dollar = true;
                self.word.push(c);
                return Ok(());
            }
            _ => {}
        }
        self.push(c);
        Ok(())
    }

    fn push(&mut self, c: char) {
        self.word.push(c);
        self.has_word = true;
    }

    fn end_word(&mut self) {
        if self.has_word {
            self.words.push(std::mem::take(&mut self.word));
            self.has_word = false;
        }
    }

    fn finish(mut self) -> Option<Vec<String>> {
        self.end_word();
        let is_open = self.is_escaped || self.single || self.double || self.back || self.dollar;
        (!is_open).then_some(self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_matches_compose() {
        for (line, words) in [
            ("sh -c echo a && b", &["sh", "-c", "echo", "a"][..]),
            ("a 'b c' \"d e\" f\\\\ g", &["a", "b c", "d e", "f\\", "g"]),
            ("a #b", &["a", "#b"]),
            ("x 2>&1", &["x"]),
            ("a=\" \"b ''", &["a= b", ""]),
            ("$(x y) z", &["$(x y)", "z"]),
            ("", &[]),
        ] {
            assert_eq!(split(line).expect(line), words, "{line}");
        }
        for wrong in ["(x)", "'open", "a\\", "$(x"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
