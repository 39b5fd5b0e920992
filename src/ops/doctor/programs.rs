//! Checks of other software: programs that some repositories need, and certificates.

use super::{CheckResult, DoctorContext, blocking};
use crate::base::http::HttpError;
use crate::base::text::{plural, plural_of};
use crate::config;
use crate::host::programs;
use crate::model::inventory::Inventory;
use crate::systems::git::{GitUrl, Scheme};
use crate::systems::preprocessor;

/// Checks the `git` program: only it reaches repositories behind SSH.
pub(super) async fn git(patient: &DoctorContext) -> CheckResult {
    if let Some(file) = programs::find(&patient.env, "git") {
        return CheckResult::good(file.display().to_string());
    }
    let behind_ssh = patient.inventory().await.map_or(0, behind_ssh);
    match behind_ssh {
        0 => CheckResult::not_needed("not installed; no repository of the inventory is behind SSH"),
        count => {
            let them = plural_of(count, "repository", "repositories");
            CheckResult::failed(format!("not installed, and needed for {them} behind SSH"))
                .fix_or_detail(patient.install_command("git"))
        }
    }
}

fn behind_ssh(inventory: &Inventory) -> usize {
    let is_ssh = |url: &&String| GitUrl::parse(url).is_ok_and(|url| url.scheme() == Scheme::Ssh);
    inventory.repos.values().filter(is_ssh).count()
}

/// Checks the C preprocessor: build files that end in `.in` go through it.
pub(super) async fn cpp(patient: &DoctorContext) -> CheckResult {
    if let Some(file) = programs::find(&patient.env, "cpp") {
        return CheckResult::good(file.display().to_string());
    }
    let wanting = patient.inventory().await.map_or(0, wanting_cpp);
    let them = plural(wanting, "component");
    if wanting == 0 {
        return CheckResult::not_needed("not installed; no build file of the inventory ends in `.in`");
    }
    let builds = patient.discovery().await.is_some_and(|discovery| {
        discovery.engine.is_some() || patient.settings.engine != config::Engine::Auto
    });
    let found = if builds { CheckResult::failed } else { CheckResult::warning };
    found(&format!("not installed, and needed to build {them}")).fix_or_detail(patient.install_command("cpp"))
}

fn wanting_cpp(inventory: &Inventory) -> usize {
    let file = |component: &crate::model::inventory::Component| component.build.as_ref()?.file.clone();
    inventory
        .components
        .iter()
        .filter_map(file)
        .filter(|file| preprocessor::is_meant_for(file.as_ref()))
        .count()
}

/// Checks for certificates of authorities: without any, no connection to a server is possible.
pub(super) async fn certificates(patient: &DoctorContext) -> CheckResult {
    let http = patient.http.clone();
    let ca_file = patient.settings.ca_file.as_ref().map(|file| format!(", and {}", file.path.display()));
    match blocking(move || http.check()).await {
        Ok(()) => CheckResult::good(format!("system certificates{}", ca_file.unwrap_or_default())),
        Err(error @ (HttpError::CaFile(_) | HttpError::CaContent { .. })) => {
            CheckResult::failed(format!("`ca_file` cannot be used: {error}"))
        }
        Err(HttpError::Client(error)) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            CheckResult::failed("none of the system can be used, so no server can be trusted")
                .details(source.into_iter().collect())
                .fix_or_detail(patient.install_command("certificates"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::super::tests::patient;
    use super::*;

    fn with(inventory: &str, path: &str) -> (tempfile::TempDir, DoctorContext) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("one.yaml");
        std::fs::write(&file, inventory).expect("writes");
        let patient = patient(&[("CKI_INVENTORY", &file.display().to_string()), ("PATH", path)]);
        (directory, patient)
    }

    #[tokio::test]
    async fn program_checks_fail_only_when_needed() {
        let (_directory, none) =
            with("repos: {a: 'https://x.example/a'}\ncomponents: [{name: a, category: x}]", "/none");
        assert_eq!(git(&none).await.state, CheckState::NotNeeded);
        assert_eq!(cpp(&none).await.state, CheckState::NotNeeded);
        let needy = "repos: {a: 'git@x.example:a'}\ncomponents: [{name: a, category: x, build: {repo: a, file: b.in}}]";
        let (_directory, needy) = with(needy, "/none");
        let found = git(&needy).await;
        assert_eq!((found.state, found.fix), (CheckState::Failed, None));
        assert!(found.details[0].starts_with("none of these package managers is in PATH: apt-get"));
        assert!(found.why.contains("for 1 repository behind"), "{}", found.why);
        // The native engine does not build images.
        let found = cpp(&needy).await;
        assert_eq!(found.state, CheckState::Warning);
        let (_directory, there) = with("", "/usr/bin:/bin");
        assert_eq!(git(&there).await.state, CheckState::Good);
    }

    #[tokio::test]
    async fn certificates_check_requires_certificates_in_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("ca.pem");
        let name = file.display().to_string();
        let found = certificates(&patient(&[("CKI_CA_FILE", &name)])).await;
        assert_eq!((found.state, found.fix), (CheckState::Failed, None));
        std::fs::write(&file, "no certificate").expect("writes");
        let found = certificates(&patient(&[("CKI_CA_FILE", &name)])).await;
        assert!(found.why.contains("does not hold certificates"), "{}", found.why);
    }
}
