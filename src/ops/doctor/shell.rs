//! The check of the user's shell: whether it completes `cki`.

use super::{Found, Lack, Patient, blocking};
use crate::host::programs;
use crate::systems::shell::{Shell, ShellError};

/// What is known of the shell.
enum Known {
    /// It is none that can be taught, or nobody says which it is.
    Nothing,
    /// It completes `cki`, by this file.
    Taught(Shell, std::path::PathBuf),
    /// It does not.
    Untaught(Shell),
}

/// Whether the user's shell completes `cki`.
pub(super) async fn completion(patient: &Patient) -> Found {
    let (env, assets) = (patient.env.clone(), patient.trusted_assets());
    let look = move || -> Result<Known, ShellError> {
        let Some(shell) = Shell::of_user(&env, &assets)? else { return Ok(Known::Nothing) };
        Ok(match shell.taught_by()? {
            Some(file) => Known::Taught(shell, file),
            None => Known::Untaught(shell),
        })
    };
    match blocking(look).await {
        Ok(Known::Nothing) => match patient.env.get("SHELL") {
            None => Found::not_needed("`SHELL` names no shell"),
            Some(shell) => Found::not_needed(format!("{shell} is none of those that can complete `cki`")),
        },
        Ok(Known::Taught(shell, file)) if programs::find(&patient.env, "cki").is_none() => {
            let found = format!("{} is set up by {}, but `cki` is not in PATH", shell.name, file.display());
            Found::warning(found)
        }
        Ok(Known::Taught(shell, file)) => Found::good(format!("{}, by {}", shell.name, file.display())),
        Ok(Known::Untaught(shell)) => {
            let found =
                format!("{} does not complete `cki`: {} does not say so", shell.name, shell.file.display());
            Found::warning(found).lacks(Lack::Completion)
        }
        Err(error) => Found::failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::tests::patient;
    use super::*;

    #[tokio::test]
    async fn a_shell_completes_or_does_not() {
        assert_eq!(completion(&patient(&[])).await.state, State::NotNeeded);
        assert_eq!(completion(&patient(&[("SHELL", "/bin/ksh")])).await.state, State::NotNeeded);
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = home.path().display().to_string();
        let it = || patient(&[("SHELL", "/bin/bash"), ("HOME", &folder), ("PATH", "/nonexistent")]);
        let found = completion(&it()).await;
        assert_eq!((found.state, found.lacks), (State::Warning, Some(Lack::Completion)));
        std::fs::write(home.path().join(".bashrc"), "source <(cki completions bash)\n").expect("writes");
        let found = completion(&it()).await;
        assert!(found.why.ends_with("`cki` is not in PATH"), "{}", found.why);
    }
}
