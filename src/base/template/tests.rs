//! Tests of templates: the language, what it refuses, and the bounds of its work.

use minijinja::context;
use proptest::prelude::*;

use super::*;
use crate::base::allocated;

/// Maximum bytes that one template allocates: several times those that its fuel pays for.
const ALLOCATED: usize = 64 << 20;

fn render(source: &str) -> Result<String, String> {
    let needs = [context! { name => "a" }, context! { name => "b" }];
    let context = context! { host => "bus", text => "\\".repeat(100), needs => needs };
    Templates::new(&WorkBudget::default()).render(source, context).map_err(|error| error.to_string())
}

fn evaluate(expression: &str) -> Result<Value, String> {
    let context = context! { host => "bus" };
    Templates::new(&WorkBudget::default()).evaluate(expression, context).map_err(|error| error.to_string())
}

#[test]
fn template_has_loops_conditions_and_filters() {
    for (source, text) in [
        ("{{ host }}:{{ 1 + 2 }}\n", "bus:3"),
        ("{% for one in needs %}{{ ',' if not loop.first }}{{ one.name | upper }}{% endfor %}", "A,B"),
        ("{% for one in needs if one.name == 'c' %}{% else %}none{% endfor %}", "none"),
        (
            "{% if host is startingwith('b') %}{{ needs | map(attribute='name') | join('-') }}{% endif %}",
            "a-b",
        ),
        ("{{ nothing | default({'a': [1, 'x', none]}) | tojson }}", r#"{"a": [1, "x", null]}"#),
        ("{{ 'x' in ['x', 'y'] }} {{ host[0:2] }} {{ (needs[1]).name }}", "True bu b"),
        ("{# a note #}{% raw %}{{ raw }}{% endraw %}", "{{ raw }}"),
    ] {
        let expected = text.replace("True", &Value::from(true).to_string());
        assert_eq!(render(source).expect(source), expected, "{source}");
    }
    assert_eq!(evaluate("host != 'x'").expect("is valid"), Value::from(true));
    assert_eq!(evaluate("[1, 2]").expect("is valid").len(), Some(2));
}

#[test]
fn refused_templates_name_their_line_and_the_alternative() {
    for (source, why) in [
        (
            "\n\n{% set a = host %}",
            "line 3: `{% set %}` is not available: `if` and `for` are the only statements",
        ),
        ("{% filter upper %}x{% endfilter %}", "`{% filter %}` is not available"),
        ("{% for a in needs recursive %}{% endfor %}", "`recursive` is not available"),
        ("{{ 'x' * 1000000000 }}", "`*` is not available"),
        ("{{ host | join(*needs) }}", "`*` is not available"),
        ("{% for a in [host, host] %}{% endfor %}", "a list or mapping may hold constants only"),
        ("{{ {'a': host} }}", "a list or mapping may hold constants only"),
        ("{% for a in (host, host) %}{% endfor %}", "a list in parentheses is not available"),
        ("{{ host | indent(2000000000) }}", "there are default, first, int, join"),
        ("{{ host | tojson(indent=2000000000) }}", "too many"),
        ("{{ '%1000000000s' | format(1) }}", "there are default"),
        ("{{ needs | batch(1000000000, 'x') }}", "there are default"),
        ("{{ host is divisibleby 3 }}", "there are boolean, defined"),
        ("{% for a in range(100000) %}{% endfor %}", "unknown"),
        ("{{ namespace(a=1) }}", "unknown"),
        ("{{ hots }}", "undefined"),
        ("{{ host", "unexpected end"),
    ] {
        let error = render(source).expect_err(source);
        assert!(error.contains(why), "{source}: {error}");
    }
    assert!(evaluate("host }} {{ host").expect_err("ends").contains("`}}` ends an expression"));
    assert!(render(&"x".repeat(LONGEST_SOURCE + 1)).expect_err("is long").contains("262145 bytes"));
}

#[test]
fn deep_templates_are_refused_before_they_are_parsed() {
    let many = 20_000;
    for (piece, end) in [
        ("(", "host"),
        ("[", ""),
        ("{'a':", "1"),
        ("host[", "0"),
        ("host(", "0"),
        ("not ", "host"),
        ("-", "host"),
        ("host if host else ", "host"),
        ("host ~ ", "host"),
        ("host.a.", "b"),
        ("host | upper | ", "lower"),
        ("host is eq ", "host"),
    ] {
        let expression = piece.repeat(many).chars().take(200_000).collect::<String>() + end;
        let error = evaluate(&expression).expect_err(piece);
        assert!(
            error.contains("nested more than 16 deep") || error.contains("more than 128 words"),
            "{error}"
        );
        let error = render(&format!("{{{{ {expression} }}}}")).expect_err(piece);
        assert!(
            error.contains("nested more than 16 deep") || error.contains("more than 128 words"),
            "{error}"
        );
        assert!(render(&format!("{{% for {expression} in needs %}}{{% endfor %}}")).is_err(), "{piece}");
    }
    for piece in ["{% if host %}", "{% for a in needs %}", "{% if host %}{% for a in needs %}"] {
        let error = render(&piece.repeat(2000)).expect_err(piece);
        assert!(error.contains("statements are nested more than 16 deep"), "{error}");
    }
    let chain = format!("{{% if host %}}{}{{% endif %}}", "{% elif host %}".repeat(2000));
    assert!(render(&chain).expect_err("is long").contains("nested more than 16 deep"));
    let flat = "{% if host %}{% elif host %}{% endif %}".repeat(2000);
    assert_eq!(render(&flat).expect("is flat"), "");
}

#[test]
fn growing_templates_run_out_of_work() {
    let letters = "{% for a in text | list %}".repeat(8) + "{{ host }}" + &"{% endfor %}".repeat(8);
    let doubled = |filter: &str| format!("{{{{ text{} | length }}}}", filter.repeat(40));
    let grown = doubled(" | replace('', text)");
    let nested = (0..8).fold("text".to_owned(), |inner, _| format!("({inner}) | join(text)"));
    for source in [letters, grown, doubled(" | tojson"), format!("{{{{ {nested} }}}}")] {
        let (error, bytes) = allocated::during(|| render(&source).expect_err("does not end"));
        assert!(error.contains("too much work") || error.contains("more than"), "{source}: {error}");
        assert!(bytes < ALLOCATED, "{source}: {bytes}");
    }
}

#[test]
fn templates_of_a_command_share_their_work() {
    let budget = WorkBudget::default();
    let templates = Templates::new(&budget);
    let source = "{% for a in text | list %}{% for b in text | list %}{{ b }}{% endfor %}{% endfor %}";
    let context = context! { text => "x".repeat(100) };
    let done =
        (0..10_000).map(|_| templates.render(source, context.clone())).take_while(Result::is_ok).count();
    assert!((50..1000).contains(&done), "{done}");
    let error = templates.render(source, context).expect_err("is used up").to_string();
    assert!(error.contains("together"), "{error}");
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{ ",
        " }}",
        "{% if host %}",
        "{% elif text %}",
        "{% else %}",
        "{% endif %}",
        "{% for a in needs %}",
        "{% for b in text | list %}",
        "{% for a in a | split('') %}",
        "{% endfor %}",
        "{{ text | tojson | tojson }}",
        "{{ a | replace('', a) }}",
        "{{ text | replace('', text) | replace('', text) }}",
        "host",
        "text",
        "a",
        "needs",
        " ~ ",
        " + ",
        " in ",
        " == ",
        " | list",
        " | join(text)",
        " | tojson",
        " | map('upper')",
        " | unique",
        "not ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'x'",
        "1",
        ".name",
        " if ",
        " else ",
        "{#",
        "#}",
        "\n",
        "{% set a = a ~ a %}",
        "{% raw %}",
        "{% endraw %}",
        "{% for a in [a, a] %}",
        "*",
        "-",
        "é",
        "{{ a ~ a ~ a ~ a }}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Wraps text in loops that end, so that most samples do work.
fn nested() -> impl Strategy<Value = String> {
    let body = prop::sample::select(vec![
        "{{ a ~ b ~ text }}",
        "{{ text | replace('', a) | tojson }}",
        "{{ needs }}",
        "{{ b in text }}",
        "x",
        "{{ needs | map(attribute='name') | join(text) }}",
        "{{ needs == text | list }}",
        "{{ text | sort | unique | join(a) }}",
    ]);
    let bodies = prop::collection::vec(body, 1..6);
    (1..8usize, bodies).prop_map(|(depth, bodies)| {
        let loops = ["{% for a in text | list %}", "{% for b in text | split('') %}"];
        let open: String = (0..depth + 1).map(|level| loops[level % 2]).collect();
        open + &bodies.concat() + &"{% endfor %}".repeat(depth + 1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_template_ends_within_its_bounds(source in prop_oneof![pieces(), nested()]) {
        let budget = WorkBudget::default();
        let needs = [context! { name => "a" }, context! { name => "b" }];
        let context = context! { host => "bus", text => "\\é".repeat(20), a => "a", b => "b", needs => needs };
        let work = || Templates::new(&budget).render(&source, context.clone());
        let (result, bytes) = allocated::during(work);
        prop_assert!(bytes < ALLOCATED, "{bytes} bytes");
        prop_assert!(budget.spent() <= WORK + EACH, "{}", budget.spent());
        if let Ok(text) = result {
            prop_assert!(text.len() <= LONGEST_OUTPUT);
        }
        let (_, bytes) = allocated::during(|| Templates::new(&budget).evaluate(&source, context.clone()));
        prop_assert!(bytes < ALLOCATED, "{bytes} bytes");
    }
}
