//! Tests with variables from deployments of public projects, each with its expected treatment: `R` a
//! placeholder for the whole value, `P` for a part of it, `H` masked but unchanged, `O` open.

use super::placeholder_secret::{GeneratorContext, SecretRules};
use super::replace::{Local, Placeholders};
use super::secret_detection::holds_password;
use super::secret_name::SecretNames;
use crate::base::assets::embedded_text;
use crate::model::deployment::expansion::Segment;
use crate::model::deployment::{EnvEntry, EnvVarSource};

const TABLE: &str = include_str!("real_names.txt");

fn rules() -> SecretRules {
    let text = |name: &str| embedded_text(name).expect("is built in");
    let names = SecretNames::read("n", text("secret-names.yaml")).expect("are valid");
    SecretRules::read("r", text("placeholder-secrets.yaml")).expect("are valid").with_names(names)
}

fn given(name: &str, value: &str) -> EnvEntry {
    EnvEntry {
        name: name.to_owned(),
        place: "compose.yaml:1".to_owned(),
        value: EnvVarSource::Text(vec![Segment::Text(value.to_owned())]),
        parts: Vec::new(),
        draft: None,
    }
}

#[test]
fn secret_detection_matches_labelled_variables() {
    let (rules, context) = (rules(), GeneratorContext::of("w"));
    let mut wrong = Vec::new();
    let lines: Vec<&str> = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for line in &lines {
        let (expected, pair) = line.split_once(' ').expect("has a judgement");
        let (name, value) = pair.split_once('=').expect("is an assignment");
        let value = value.replace("\\n", "\n");
        let local = Placeholders { rules: &rules, context: &context }.of(&given(name, &value), Some(&value));
        let hides = rules.names().judge(name, &value).hide || holds_password(&value, rules.names());
        let judged = match local.expect("works") {
            Local::Whole(_) => "R",
            Local::Parts(..) => "P",
            Local::Same if hides => "H",
            Local::Same => "O",
        };
        if judged != expected {
            wrong.push(format!("{judged} instead of {line}"));
        }
    }
    assert!(lines.len() >= 300, "there are {}", lines.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}
