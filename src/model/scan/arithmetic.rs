//! Variables in arithmetic of a shell, which names them without `$`: `$((X + 1))`, `let`, subscripts of arrays.
//! The reads of these variables belong in `names`.

/// A variable in an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ArithmeticName<'a> {
    pub(super) name: &'a str,
    /// Byte offset in the expression.
    pub(super) at: usize,
    /// The expression only sets the variable.
    pub(super) is_set: bool,
}

/// Returns the variables in an expression, without expansions that begin with `$`.
pub(super) fn names_in(text: &str) -> Vec<ArithmeticName<'_>> {
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_expansion = *byte == b'$';
        let start = at + usize::from(is_expansion);
        let length = bytes[start..].iter().take_while(|byte| is_word(byte)).count();
        let end = start + length;
        if length == 0 {
            at = match (is_expansion, bytes.get(start)) {
                // Arithmetic within arithmetic.
                (true, Some(b'(')) if bytes.get(start + 1) == Some(&b'(') => start + 2,
                (true, Some(b'{' | b'(')) => start + enclosed(&bytes[start..]),
                _ => at + 1,
            };
            continue;
        }
        at = end;
        if is_expansion {
            continue;
        }
        if byte.is_ascii_digit() {
            // `16#ff` is a number, too.
            at += bytes[end..].iter().take_while(|byte| is_word(byte) || b"#@".contains(byte)).count();
            continue;
        }
        let rest = text[end..].trim_start();
        let is_set = rest.starts_with('=') && !rest.starts_with("==");
        found.push(ArithmeticName { name: &text[start..end], at: start, is_set });
    }
    found
}

/// Returns the length of a text in parentheses or braces.
fn enclosed(bytes: &[u8]) -> usize {
    let mut open = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' | b'(' => open += 1,
            b'}' | b')' if open <= 1 => return at + 1,
            b'}' | b')' => open -= 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_finds_variables_without_dollar_signs() {
        for (text, wanted) in [
            ("$((A + b1*0x1F - 16#ff))", "A b1"),
            ("((A = B, C == D, E+=1))", "A= B C D E"),
            ("x[$I] + ${J:-K} + $(cat L) + M++", "x M"),
            ("(${A[B]} + C)", "C"),
            ("é + A ? B : 1", "A B"),
            ("${", ""),
        ] {
            let found: Vec<String> = names_in(text)
                .iter()
                .map(|one| format!("{}{}", one.name, if one.is_set { "=" } else { "" }))
                .collect();
            assert_eq!(found.join(" "), wanted, "{text}");
        }
    }
}
