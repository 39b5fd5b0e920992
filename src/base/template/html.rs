//! Templates of web pages: each value that a template writes is made safe to show and escaped, unless the program has
//! marked it as markup. The pages and their values are up to the callers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::{AutoEscape, Error, Output, State, Value};
use serde::{Serialize, Serializer};

use super::{Environment, TemplateError, add_filters, add_tests, check_length, empty, syntax};
use crate::base::text::{is_invisible, safe_line};

/// Work that each page may do at least, in fuel.
const LEAST: u64 = 1_000_000;
/// Work that a page may do for each thing that it may list.
const PER_ITEM: u64 = 2_000;

/// Function that hides secrets in a text.
pub type MaskFn = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Makes text from outside safe to show in a page: masked, and without characters that cannot be seen. The result is
/// text, not markup.
#[derive(Clone)]
pub struct TextCleaner(MaskFn);

impl fmt::Debug for TextCleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextCleaner")
    }
}

impl TextCleaner {
    /// Creates a cleaner with a function that hides secrets.
    #[must_use]
    pub fn new(mask: MaskFn) -> Self {
        Self(mask)
    }

    /// Returns a text masked and without invisible characters. Keeps the ends of its lines.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        visible(&(self.0)(text))
    }

    /// Returns a text clean, and escaped for the content of an element or for an attribute in quotes.
    #[must_use]
    pub fn escaped(&self, text: &str) -> String {
        escape_markup(&self.clean(text))
    }
}

/// Markup that the program has made, in which every text is escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(pub String);

impl Serialize for Markup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from_safe_string(self.0.clone()).serialize(serializer)
    }
}

/// Returns a text as the content of an element, or of an attribute in quotes, of HTML and XML.
#[must_use]
pub fn escape_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 16);
    for character in text.chars() {
        match character {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Returns a text with its invisible characters written out, as [`safe_line`] does it line by line.
fn visible(text: &str) -> String {
    if !text.contains(|c: char| {
        (c.is_control() && c != '\n') || is_invisible(c) || ('\u{2028}'..='\u{2029}').contains(&c)
    }) {
        return text.to_owned();
    }
    let lines: Vec<_> =
        text.split('\n').map(|line| safe_line(line.strip_suffix('\r').unwrap_or(line))).collect();
    lines.join("\n")
}

/// Evaluator of the templates of web pages.
#[derive(Debug)]
pub struct HtmlTemplates<'s> {
    environment: Environment<'s>,
}

impl<'s> HtmlTemplates<'s> {
    /// Reads templates by name. `items` is the number of things that a page may list.
    ///
    /// # Errors
    /// Fails with the name of a template that is invalid, or uses what the language does not have.
    pub fn new(
        sources: BTreeMap<&'s str, &'s str>,
        cleaner: &TextCleaner,
        items: usize,
    ) -> Result<Self, (&'s str, TemplateError)> {
        let mut environment = empty();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        let cleaner = cleaner.clone();
        environment.set_formatter(move |out, _: &mut State<'_, '_>, value| write_value(out, value, &cleaner));
        add_filters(&mut environment);
        add_tests(&mut environment);
        environment.set_fuel(Some(LEAST + PER_ITEM * items as u64));
        for (name, source) in sources {
            let checked = check_length(source).and_then(|()| syntax::check(source, false));
            checked.map_err(|error| (name, error))?;
            environment.add_template(name, source).map_err(|error| (name, error.into()))?;
        }
        Ok(Self { environment })
    }

    /// Renders a page.
    ///
    /// # Errors
    /// Fails if there is no such template, a value is missing, or the template takes too much work.
    pub fn render(&self, name: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        let page = self.environment.get_template(name)?.render(Value::from(minijinja::value::Serde(context)));
        page.map_err(|error| match error.kind() {
            minijinja::ErrorKind::OutOfFuel => TemplateError::Work,
            _ => error.into(),
        })
    }
}

/// Writes a value: markup of the program as it is, anything else cleaned and escaped.
fn write_value(out: &mut Output<'_>, value: &Value, cleaner: &TextCleaner) -> Result<(), Error> {
    let written = match value.as_str() {
        Some(markup) if value.is_safe() => out.write_str(markup),
        Some(text) => out.write_str(&cleaner.escaped(text)),
        None if value.is_none() => Ok(()),
        None => out.write_str(&cleaner.escaped(&value.to_string())),
    };
    written.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;
    use proptest::prelude::*;

    fn rendered(template: &str, context: &impl Serialize) -> String {
        let sources = BTreeMap::from([("page", template)]);
        let cleaner = TextCleaner::new(Arc::new(|text| text.replace("hunter2", "***")));
        let templates = HtmlTemplates::new(sources, &cleaner, 1).expect("is valid");
        templates.render("page", context).expect("renders")
    }

    #[test]
    fn html_templates_escape_clean_and_mask_values() {
        let text = "</style><script>\"'&\u{202e}\rhunter2\r\nx";
        let safe = "&lt;/style&gt;&lt;script&gt;&quot;&#39;&amp;&lt;U+202E&gt;^M***\nx";
        assert_eq!(
            rendered("<b title=\"{{ x }}\">{{ x }}</b>", &context!(x => text)),
            format!("<b title=\"{safe}\">{safe}</b>")
        );
        // Values inside of others, and what filters make of them.
        assert_eq!(
            rendered("{{ x }}", &context!(x => ["<", "\u{202e}"])),
            "[&#39;&lt;&#39;, &#39;&lt;U+202E&gt;&#39;]"
        );
        assert_eq!(rendered("{{ x|lower }}", &context!(x => "<B>")), "&lt;b&gt;");
        assert_eq!(
            rendered(
                "{{ x }}{{ y }}",
                &context!(x => minijinja::value::Serde(Markup("<p>".to_owned())), y => 7)
            ),
            "<p>7"
        );
    }

    #[test]
    fn html_templates_name_a_wrong_template() {
        let cleaner = TextCleaner::new(Arc::new(str::to_owned));
        for (wrong, why) in [("{% include 'x' %}", "not available"), ("{{ x", "unexpected")] {
            let sources = BTreeMap::from([("a.html", wrong)]);
            let (name, error) = HtmlTemplates::new(sources, &cleaner, 0).expect_err(wrong);
            assert!(name == "a.html" && error.to_string().contains(why), "{error}");
        }
        let sources =
            BTreeMap::from([("a", "{% for i in x %}{% for j in x %}-{% endfor %}{% endfor %}{{ y }}")]);
        let templates = HtmlTemplates::new(sources, &cleaner, 0).expect("is valid");
        let many: Vec<usize> = (0..2000).collect();
        assert!(matches!(templates.render("a", &context!(x => many, y => 1)), Err(TemplateError::Work)));
        assert!(templates.render("a", &context!(x => [1])).is_err(), "a value is missing");
    }

    proptest! {
        #[test]
        fn html_templates_write_no_markup_of_values(text in "[<>&\"'/a-z\\PC\u{202e}\u{0}\n]*") {
            let page = rendered("{{ x }}", &context!(x => text));
            prop_assert!(!page.contains(['<', '>', '"', '\'']), "{page}");
            prop_assert!(!page.contains(|c: char| is_invisible(c) || (c.is_control() && c != '\n')), "{page:?}");
        }
    }
}
