//! The check of the completions in the user's shell.

use shell_words::quote;

use super::{CheckResult, DoctorContext, blocking};
use crate::host::programs;
use crate::systems::shell::{CompletionState, Shell, ShellError, name_of_user};

/// Checks that the user's shell completes `cki`.
pub(super) async fn completion(patient: &DoctorContext) -> CheckResult {
    let Some(name) = name_of_user(&patient.env) else {
        return CheckResult::not_needed("`SHELL` names no shell");
    };
    let (env, assets, of) = (patient.env.clone(), patient.trusted_assets(), name.clone());
    let look = move || -> Result<Option<(Shell, CompletionState)>, ShellError> {
        let Some(shell) = Shell::named(&of, &env, &assets)? else { return Ok(None) };
        let standing = shell.standing()?;
        Ok(Some((shell, standing)))
    };
    match blocking(look).await {
        Ok(None) => CheckResult::not_needed(format!("`cki` has no completions for {name}")),
        Ok(Some((_, CompletionState::Completes(file)))) => {
            let found = format!("{name}, by {}", file.display());
            match programs::find(&patient.env, "cki") {
                Some(_) => CheckResult::good(found),
                None => CheckResult::warning(format!("{found}; but `cki` is not in PATH")),
            }
        }
        Ok(Some((Shell { start: Some((start, line)), .. }, CompletionState::NotLoaded))) => {
            CheckResult::warning(format!(
                "{name} does not complete `cki`: {} lacks the line that loads the script",
                start.display()
            ))
            .fix(format!("echo {} >> {}", quote(&line), quote(&start.display().to_string())))
        }
        Ok(Some(_)) => {
            CheckResult::warning(format!("{name} does not complete `cki`")).fix("cki completions --install")
        }
        Err(error) => CheckResult::failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::super::tests::patient;
    use super::*;

    #[tokio::test]
    async fn completion_check_reports_state_of_shell() {
        assert_eq!(completion(&patient(&[])).await.state, CheckState::NotNeeded);
        assert_eq!(completion(&patient(&[("SHELL", "/bin/ksh")])).await.state, CheckState::NotNeeded);
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = home.path().display().to_string();
        let it = || patient(&[("SHELL", "/bin/bash"), ("HOME", &directory), ("PATH", "/nonexistent")]);
        let found = completion(&it()).await;
        assert_eq!(
            (found.state, found.fix.as_deref()),
            (CheckState::Warning, Some("cki completions --install"))
        );
        std::fs::write(home.path().join(".bashrc"), "source <(cki completions bash)\n").expect("writes");
        let found = completion(&it()).await;
        assert!(found.why.ends_with("`cki` is not in PATH"), "{}", found.why);
    }
}
