//! Tests of the guard: real credentials and harmless texts, placeholder secrets, and values that the
//! user may allow.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use proptest::prelude::*;

use super::*;
use crate::base::assets::embedded_text;
use crate::base::x509::TestPki;
use crate::model::environment::{GeneratorContext, LazySeed, SecretRules};
use crate::model::inventory::InventoryDocument;

/// Shared by all tests, since reading the rules takes longer than all checks.
static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let text = embedded_text("credentials.yaml").expect("is built in");
    let credentials = Credentials::read("credentials.yaml", text).expect("are valid");
    Guard::new(&inventory("production: {hosts: ['*.example.org', gitlab.com, 10.0.0.0/8]}"), credentials)
});
static RULES: LazyLock<SecretRules> = LazyLock::new(|| {
    let text = embedded_text("placeholder-secrets.yaml").expect("is built in");
    SecretRules::read("r", text).expect("are valid")
});

fn inventory(text: &'static str) -> Inventory {
    let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

static MATERIAL: LazyLock<Arc<TestPki>> = LazyLock::new(|| {
    let now = std::time::SystemTime::now();
    Arc::new(TestPki::new(&[], now, now + std::time::Duration::from_secs(60)).expect("makes"))
});

fn context(seed: &str) -> GeneratorContext {
    let hosts = Arc::new(["gitlab.test".to_owned()]);
    GeneratorContext {
        stored: LazySeed::of(seed, Some(MATERIAL.clone())),
        hosts,
        ..GeneratorContext::default()
    }
}

/// Returns real-looking credentials, built from parts so that this file contains none.
fn real() -> Vec<(&'static str, String)> {
    let letters =
        |count: usize| "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8".chars().cycle().take(count).collect::<String>();
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let jwt = [encode("{\"alg\":\"HS256\"}"), encode("{\"sub\":\"me and you\"}"), letters(43)].join(".");
    vec![
        ("private key", "-----BEGIN EC PRIVATE ".to_owned() + "KEY-----\nMHc\n-----END"),
        ("private key", "-----BEGIN ".to_owned() + "PRIVATE KEY-----\\nMHc\\n"),
        ("GitLab token", format!("glpat-{}", letters(20))),
        ("GitLab token", format!("gldt-{}", letters(20))),
        ("GitHub token", format!("ghp_{}", letters(36))),
        ("GitHub token", format!("github_pat_{}", letters(59))),
        ("Slack token", format!("xoxb-123456789012-{}", letters(24))),
        ("Slack webhook", format!("https://hooks.slack.com/services/T00000000/B00000000/{}", letters(24))),
        ("Slack token", format!("xapp-1-A0123456789-1234567890123-{}", letters(64).to_lowercase())),
        ("Slack token", format!("xoxe.xoxp-1-{}", letters(60))),
        ("Slack token", format!("xoxd-{}%2B{}%3D", letters(40), letters(20))),
        ("AWS access key", "AKIA".to_owned() + "I5QNDR7TE2MPLX4K"),
        ("Google API key", format!("AIza{}", letters(35))),
        ("Stripe key", format!("sk_live_{}", letters(24))),
        ("npm token", format!("npm_{}", letters(36))),
        ("Discord webhook", format!("https://discord.com/api/webhooks/123456789012345678/{}", letters(68))),
        ("Telegram token", format!("123456789:AA{}", letters(33))),
        ("Telegram token", format!("https://api.telegram.org/bot12345678:{}/getMe", letters(35))),
        ("Discord webhook", format!("https://discord.com/api/webhooks/123456789012345678/{}", letters(20))),
        (
            "Teams webhook",
            format!(
                "https://c.webhook.office.com/webhookb2/{0}@{0}/IncomingWebhook/{0}/x",
                "0a1b2c3d".repeat(4)
            ),
        ),
        ("Shopify token", format!("shpss_{}", "0a1b2c3d".repeat(4))),
        ("OpenAI or Anthropic key", "sk-proj-a1b2c3d4e5".to_owned()),
        ("address with a token", "nats://s3cr3t-of-nats@nats.company.com:4222".to_owned()),
        ("PyPI token", format!("pypi-{}", letters(60))),
        ("Vault token", format!("hvs.{}", letters(24))),
        ("JSON web token", jwt),
        ("Sentry DSN", format!("https://{}@o1.ingest.sentry.io/1", "0123456789abcdef".repeat(2))),
        ("authorization header", "Authorization: Bearer abcdef0123456789".to_owned()),
        ("authorization header", "{\"Authorization\": \"Basic dXNlcjpwYXNzd29yZA==\"}".to_owned()),
        ("bearer token", format!("Bearer {}", letters(20))),
        ("address with a password", "postgresql://cki:hunter2@db.company.com:5432/x".to_owned()),
        ("address with a password", "amqps://u:p%40ss@10.1.2.3/".to_owned()),
        ("address with a password", "redis://:hunter2@[2001:db8::1]:6379".to_owned()),
        ("bucket with its keys", "https://s3.company.com|key|secretsecret|bucket|prefix/".to_owned()),
    ]
}

#[test]
fn credentials_are_recognised_by_format() {
    let credentials = &GUARD.credentials;
    for (kind, text) in real() {
        assert_eq!(credentials.find(Some("X"), &text), Some(kind), "{kind}");
        let within = format!("a b={text} c");
        if kind != "bearer token" {
            assert!(credentials.find(Some("X"), &within).is_some(), "{kind}");
        }
        let wrapped = base64::engine::general_purpose::STANDARD.encode(&text);
        assert_eq!(credentials.find(None, &wrapped), Some(kind), "{kind}");
    }
    let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYq4mWz8Tn2K";
    assert_eq!(credentials.find(Some("AWS_SECRET_ACCESS_KEY"), key), Some("AWS secret access key"));
    assert_eq!(credentials.find(Some("COMMIT"), key), None);
}

#[test]
fn credentials_ignore_ordinary_values() {
    let credentials = &GUARD.credentials;
    for text in [
        "",
        "false",
        "development",
        "https://gitlab.com/cki-project/cki-tools",
        "postgresql://cki:hunter2@postgres:5432/cki",
        "amqp://guest:guest@localhost:5672/",
        "redis://:pass@127.0.0.1:6379",
        "http://user:${PASSWORD}@db.company.com/",
        "http://user:<password>@db.company.com/",
        "http://localhost:9000|cki_temporary|cki_temporary|software|prefix/",
        "git@gitlab.com:cki-project/cki-tools.git",
        "3f2c1a9d4e5b6c7d8e9f0a1b2c3d4e5f60718293",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "{\"gitlab.com\": \"COM_GITLAB_TOKEN\"}",
        "authorization: optional",
        "basic auth",
        "npm_config_cache",
        "xapp-deployment-name",
        "xoxo-deployment-main",
        "pypi-internal-mirror-cache",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wss://me@chat.company.com",
        "2026-11-22T18:00:00Z",
    ] {
        assert_eq!(credentials.find(Some("AWS_REGION"), text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn placeholder_secrets_pass_the_guard(
        seed in "[0-9a-f]{1,16}",
        name in "[A-Z][A-Z_]{2,16}|(MY_)?(GITLAB|GITHUB|SLACK|NPM|AWS|SENTRY|DB|BUCKET|GOOGLE)_[A-Z_]{1,20}|SENTRY_DSN|BUCKET_SOFTWARE|DATABASE_URL|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)|TWINE_PASSWORD|GH_TOKEN|SLACK_WEBHOOK_URL|JWT|RABBITMQ_(CA|CERT|KEY)FILE|GITLAB_(TOKENS|DEPLOY_TOKEN)",
        kind in prop::sample::select(vec![None, Some("url"), Some("json"), Some("yaml"), Some("path"), Some("int"), Some("string")]),
    ) {
        let made = RULES.make(&name, kind, &context(&seed)).expect("makes one");
        let (value, rule) = (made.value, made.rule);
        prop_assert_eq!(GUARD.reasons(Some(&name), value.expose()), vec![], "{} by {}", name, rule);
        if let Some(made) = RULES.make_public(&name, kind, &context(&seed)).expect("makes one") {
            prop_assert_eq!(GUARD.reasons(Some(&name), made.value.expose()), vec![], "{}", made.rule);
        }
    }

    #[test]
    fn credentials_find_never_panics(text in "\\PC{0,100}") {
        let _ = GUARD.credentials.find(Some("X"), &text);
    }
}

fn finding(name: &str, locked: bool) -> GuardFinding {
    GuardFinding {
        component: "app".into(),
        name: name.into(),
        source: "--env".into(),
        locked,
        reasons: vec![Reason::Credential { kind: "GitLab token".into(), place: "c.yaml".into() }],
    }
}

#[test]
fn enforce_allows_only_listed_names() {
    let inventory = inventory("production:\n  environment: {PROD: 'no'}\n");
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    enforce(&[], &[], &inventory).expect("nothing is wrong");
    let both = [finding("A", false), finding("B", false)];
    let refusal = enforce(&both, &names(&["C"]), &inventory).expect_err("nothing is allowed");
    assert_eq!(
        refusal.to_string(),
        "`A` of `app` (--env) looks like a real credential: GitLab token (c.yaml)"
    );
    let PolicyViolation::Values { next, names: wanted, .. } = refusal else { panic!("is about values") };
    assert!(next.expect("is there").to_string().starts_with("`B` of"));
    assert_eq!(*wanted, ["A", "B"]);
    assert!(enforce(&both, &names(&["A"]), &inventory).expect_err("B is not").to_string().starts_with("`B`"));
    enforce(&both, &names(&["A", "B", "C"]), &inventory).expect("are allowed");
    let said = allow_warnings(&both, &names(&["A", "B", "C"]));
    assert_eq!(said.len(), 3);
    assert!(said[0].starts_with("Allowed by `--allow A`: `A` of `app`"));
    assert_eq!(said[2], "`--allow C` allows nothing: nothing is wrong with it.");
    assert!(enforce(&[finding("A", true)], &names(&["A"]), &inventory).is_err());
    let refusal = enforce(&[], &names(&["PROD"]), &inventory).expect_err("is locked").to_string();
    assert_eq!(
        refusal,
        "`PROD` cannot be allowed: the inventory fixes its value in every local run (i.yaml:2)"
    );
    assert!(matches!(enforce(&[], &names(&["A B"]), &inventory), Err(PolicyViolation::Name(_))));
    assert!(enforce(&[finding(COMMAND, false)], &names(&[COMMAND]), &inventory).is_ok());
}

#[test]
fn guard_findings_never_show_values() {
    for (kind, text) in real() {
        let found = GUARD.command("app", &[text.clone(), "http://a.example.org".into()], "after `--`");
        let shown = found.expect("is found").to_string();
        assert!(shown.contains(kind) && shown.contains("`a.example.org`"), "{shown}");
        assert!(!shown.contains(&text) && !shown.contains("hunter2"), "{shown}");
    }
}
