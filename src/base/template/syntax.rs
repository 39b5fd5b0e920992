//! The language of templates: a part of Jinja in which no text can grow from itself and nothing nests
//! deeply. The check reads the engine's own tokens, in one pass without recursion, before anything parses
//! them. Limits on work belong in `template`.

use minijinja::machinery::{Span, Token, tokenize};

use super::error::TemplateError;

/// Maximum number of tokens in one tag. The engine's parser calls itself for some of them (`not not x`).
const TOKENS: usize = 128;
/// Maximum nesting of brackets in a tag, and of statements.
const DEEPEST: usize = 16;
/// Statements that a template may use.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];
/// Words after which a bracket is not a subscript or a call.
const KEYWORDS: &[&str] = &["and", "elif", "else", "for", "if", "in", "is", "not", "or"];
/// Words that are constants.
const CONSTANTS: &[&str] = &["true", "false", "none", "True", "False", "None"];

/// An open bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// Arguments of a function, filter or test.
    Arguments,
    /// A subscript, or an expression in parentheses.
    Single,
    /// A list or mapping as a constant.
    Constant,
}

/// State of the check.
#[derive(Default)]
struct SyntaxCheck {
    /// Tokens of the current tag.
    tokens: usize,
    brackets: Vec<Bracket>,
    /// Parts (`if`, `elif`) of each open statement.
    statements: Vec<usize>,
    /// The previous token is a value, so that a bracket after it is a subscript or a call.
    after_value: bool,
    /// The next token is the name of a statement.
    at_name: bool,
}

/// Refuses a template that uses more than the language has.
pub(super) fn check(source: &str, is_expression: bool) -> Result<(), TemplateError> {
    let mut check = SyntaxCheck::default();
    for token in tokenize(source, is_expression, minijinja::syntax::SyntaxConfig::default()) {
        let (token, span) = token?;
        let refused = match &token {
            Token::TemplateData(_) => None,
            Token::VariableEnd if is_expression => Some("`}}` ends an expression".to_owned()),
            token => check.read(token),
        };
        if let Some(what) = refused {
            return Err(TemplateError::Refused { line: line_of(source, span), what });
        }
    }
    Ok(())
}

fn line_of(source: &str, span: Span) -> usize {
    let before = source.as_bytes().iter().take(span.start_offset as usize);
    before.filter(|byte| **byte == b'\n').count() + 1
}

impl SyntaxCheck {
    /// Reads one token, and returns the reason to refuse it.
    fn read(&mut self, token: &Token<'_>) -> Option<String> {
        match token {
            Token::VariableStart | Token::BlockStart => {
                let statements = std::mem::take(&mut self.statements);
                *self = Self { statements, at_name: matches!(token, Token::BlockStart), ..Self::default() };
                return None;
            }
            Token::VariableEnd | Token::BlockEnd => return None,
            _ => self.tokens += 1,
        }
        if self.tokens > TOKENS {
            return Some(format!("a tag has more than {TOKENS} words and signs"));
        }
        if std::mem::take(&mut self.at_name) {
            self.after_value = false;
            return self.statement(token);
        }
        let refused = self.sign(token).or_else(|| self.bracket(token)).or_else(|| self.constant(token));
        self.after_value = match token {
            Token::Ident(word) => !KEYWORDS.contains(word),
            Token::Str(_) | Token::String(_) => true,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => true,
            _ => false,
        };
        refused
    }

    fn statement(&mut self, token: &Token<'_>) -> Option<String> {
        let name = match token {
            Token::Ident(name) if STATEMENTS.contains(name) => *name,
            Token::Ident(name) => {
                let known = "`if` and `for` are the only statements";
                return Some(format!(
                    "`{{% {} %}}` is not available: {known}",
                    crate::base::text::safe_line(name)
                ));
            }
            _ => return None,
        };
        match name {
            "if" | "for" => self.statements.push(1),
            "elif" => {
                if let Some(parts) = self.statements.last_mut() {
                    *parts += 1;
                }
            }
            "endif" | "endfor" => drop(self.statements.pop()),
            _ => {}
        }
        let is_deep = self.statements.iter().sum::<usize>() > DEEPEST;
        is_deep.then(|| format!("statements are nested more than {DEEPEST} deep"))
    }

    fn sign(&self, token: &Token<'_>) -> Option<String> {
        match token {
            Token::Mul | Token::Pow => Some("`*` is not available".to_owned()),
            Token::Ident("recursive") => Some("`recursive` is not available".to_owned()),
            Token::Comma if self.brackets.last() == Some(&Bracket::Single) => {
                Some("a list in parentheses is not available".to_owned())
            }
            _ => None,
        }
    }

    fn bracket(&mut self, token: &Token<'_>) -> Option<String> {
        match (token, self.after_value) {
            (Token::ParenOpen, true) => self.brackets.push(Bracket::Arguments),
            (Token::ParenOpen, false) | (Token::BracketOpen, true) => self.brackets.push(Bracket::Single),
            (Token::BracketOpen, false) | (Token::BraceOpen, _) => self.brackets.push(Bracket::Constant),
            (Token::ParenClose | Token::BracketClose | Token::BraceClose, _) => drop(self.brackets.pop()),
            _ => {}
        }
        let is_deep = self.brackets.len() > DEEPEST;
        is_deep.then(|| format!("brackets are nested more than {DEEPEST} deep"))
    }

    /// Refuses variables in a list or mapping: loops over such lists can double a value with each level.
    fn constant(&self, token: &Token<'_>) -> Option<String> {
        if self.brackets.last() != Some(&Bracket::Constant) {
            return None;
        }
        let is_constant = match token {
            Token::Ident(word) => CONSTANTS.contains(word),
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => true,
            Token::Minus | Token::Comma | Token::Colon => true,
            Token::BracketOpen | Token::BracketClose | Token::BraceOpen | Token::BraceClose => true,
            _ => false,
        };
        (!is_constant).then(|| "a list or mapping may hold constants only".to_owned())
    }
}
