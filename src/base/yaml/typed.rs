//! Typed values from the tokens of a document. A scalar that a type could read in several ways, or rejects,
//! ends the deserialisation: the full parser then decides, and reports errors.

use std::fmt;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::simple::is_null;
use super::tape::YamlToken;

/// The full parser has to decide.
#[derive(Debug)]
pub(super) struct Doubt;

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is for the whole parser")
    }
}

impl std::error::Error for Doubt {}

impl serde::de::Error for Doubt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        // The message would be discarded.
        Self
    }
}

/// Tokens that are not read yet.
pub(super) struct Tokens<'t, 'a> {
    rest: std::slice::Iter<'t, YamlToken<'a>>,
    /// Skip tokens that the type does not read.
    is_skipping: bool,
}

impl<'t, 'a> Tokens<'t, 'a> {
    pub(super) fn new(tokens: &'t [YamlToken<'a>]) -> Self {
        Self { rest: tokens.iter(), is_skipping: false }
    }

    /// Creates a reader that skips tokens which the type does not read.
    pub(super) fn skipping(tokens: &'t [YamlToken<'a>]) -> Self {
        Self { rest: tokens.iter(), is_skipping: true }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.len() == 0
    }

    fn next(&mut self) -> Result<&'t YamlToken<'a>, Doubt> {
        self.rest.next().ok_or(Doubt)
    }

    fn peek(&self) -> Option<&'t YamlToken<'a>> {
        self.rest.as_slice().first()
    }

    fn plain(&mut self) -> Result<&'t str, Doubt> {
        match self.next()? {
            YamlToken::Plain(text) => Ok(text),
            _ => Err(Doubt),
        }
    }

    /// Reads a whole number in the one form that all YAML versions share.
    fn number(&mut self) -> Result<u64, Doubt> {
        number(self.plain()?).ok_or(Doubt)
    }

    fn end(&mut self) -> Result<(), Doubt> {
        matches!(self.next()?, YamlToken::End).then_some(()).ok_or(Doubt)
    }
}

fn number(text: &str) -> Option<u64> {
    let is_one = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_one && text.len() <= 15)
}

/// Returns whether a scalar without quotes is a string to every reader.
fn is_text(text: &str) -> bool {
    const OTHERS: [&str; 11] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !OTHERS.iter().any(|other| other.eq_ignore_ascii_case(text))
}

/// Returns whether a scalar without quotes has one meaning for a reader of any type.
fn is_any(text: &str) -> bool {
    is_text(text) || is_null(text) || number(text).is_some() || matches!(text, "true" | "false")
}

impl<'de> Deserializer<'de> for &mut Tokens<'_, '_> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.peek().ok_or(Doubt)? {
            YamlToken::List(_) => self.deserialize_seq(visitor),
            YamlToken::Map => self.deserialize_map(visitor),
            YamlToken::Quoted(_) => self.deserialize_str(visitor),
            YamlToken::Plain(text) if is_text(text) => self.deserialize_str(visitor),
            YamlToken::Plain(text) if number(text).is_some() => visitor.visit_u64(self.number()?),
            YamlToken::Plain(text) if matches!(&**text, "true" | "false") => self.deserialize_bool(visitor),
            YamlToken::Plain(text) if is_null(text) => {
                self.next()?;
                visitor.visit_unit()
            }
            _ => Err(Doubt),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.next()? {
            YamlToken::Quoted(text) => visitor.visit_str(text),
            YamlToken::Plain(text) if !is_null(text) => visitor.visit_str(text),
            _ => Err(Doubt),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.plain()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Doubt),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.peek() {
            Some(YamlToken::Plain(text)) if is_null(text) => {
                self.next()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        let YamlToken::List(count) = self.next()? else { return Err(Doubt) };
        let value = visitor.visit_seq(Members { tokens: self, count: *count })?;
        self.end()?;
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        matches!(self.next()?, YamlToken::Map).then_some(()).ok_or(Doubt)?;
        let value = visitor.visit_map(Members { tokens: self, count: None })?;
        self.end()?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        self.deserialize_map(visitor)
    }

    /// Reads an enum of words; any other form of one is left to the full parser.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        match self.next()? {
            YamlToken::Quoted(text) => visitor.visit_enum(StrDeserializer::new(text)),
            YamlToken::Plain(text) if !is_null(text) => visitor.visit_enum(StrDeserializer::new(text)),
            _ => Err(Doubt),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if !self.is_skipping {
            return Err(Doubt);
        }
        let mut open = 0_usize;
        loop {
            match self.next()? {
                YamlToken::List(_) | YamlToken::Map => open += 1,
                YamlToken::End => open = open.checked_sub(1).ok_or(Doubt)?,
                YamlToken::Quoted(_) => {}
                YamlToken::Plain(text) => is_any(text).then_some(()).ok_or(Doubt)?,
            }
            if open == 0 {
                return visitor.visit_unit();
            }
        }
    }

    // Rare types are left to the full parser.

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Doubt> {
        Err(Doubt)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit_struct tuple tuple_struct
    }
}

/// Members of a collection.
struct Members<'m, 't, 'a> {
    tokens: &'m mut Tokens<'t, 'a>,
    /// Number of items, so that a list allocates its exact size.
    count: Option<usize>,
}

impl<'de> SeqAccess<'de> for Members<'_, '_, '_> {
    type Error = Doubt;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Doubt> {
        match self.tokens.peek() {
            Some(YamlToken::End) => Ok(None),
            _ => seed.deserialize(&mut *self.tokens).map(Some),
        }
    }
    fn size_hint(&self) -> Option<usize> {
        self.count
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_, '_> {
    type Error = Doubt;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Doubt> {
        match self.tokens.peek() {
            Some(YamlToken::End) => Ok(None),
            _ => seed.deserialize(&mut *self.tokens).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Doubt> {
        seed.deserialize(&mut *self.tokens)
    }
}
