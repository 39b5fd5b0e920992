//! Secrets among the values of `--set`: no output shows them, and no comment publishes them.

use crate::base::secret::Secret;
use crate::cli::context::Context;
use crate::model::environment::is_secret;
use crate::model::guard::Reason;
use crate::model::inventory::Inventory;
use crate::model::staging::{StagingError, StagingParameter};
use crate::ops::shared::run_policy::{guard, masking_guard, secret_names};

/// Masks the values that are secrets by their name or form in all later output. Without rules, each value counts.
pub(super) fn hide(set: &[String], inventory: &Inventory, context: &Context) {
    let pairs: Vec<(&str, &str)> = set.iter().filter_map(|text| text.split_once('=')).collect();
    if pairs.is_empty() {
        return;
    }
    let guard = masking_guard(&context.assets, inventory).ok();
    for (key, value) in pairs {
        if guard.as_ref().is_none_or(|guard| guard.is_secret(key.trim(), value)) {
            context.host.hide(&Secret::new(value));
        }
    }
}

/// Refuses a parameter of a comment whose value is a secret.
pub(super) fn refuse(
    parameter: &StagingParameter,
    inventory: &Inventory,
    context: &Context,
) -> anyhow::Result<()> {
    let (key, value) = (parameter.key(), parameter.value());
    let reasons = guard(&context.assets, inventory)?.reasons(Some(key), value);
    let credential = reasons.iter().find(|reason| matches!(reason, Reason::Credential { .. }));
    let by_rule = || {
        let names = secret_names(&context.assets)?;
        let judged = names.judge(key, value);
        match judged.rule.filter(|_| judged.replace.is_some()) {
            Some(rule) => Some(format!("is a secret by its name ({rule})")),
            // The name plays no part here.
            None => is_secret("", value, &names).then(|| "holds a secret".to_owned()),
        }
    };
    let why = credential.map(|reason| format!("is refused: {reason}")).or_else(by_rule);
    why.map_or(Ok(()), |why| Err(StagingError::Secret { key: key.to_owned(), why }.into()))
}
