//! `cki doctor`: checks everything that the other commands build upon. A check is a function from the
//! [`DoctorContext`] to [`CheckResult`]. Checks run at the same time, do not know each other, change nothing, and are
//! cut off if they hang. A check does not fix anything: a finding has the command to type.

mod check;
mod clones;
mod context;
mod engine;
mod files;
mod gitlab;
mod network;
mod programs;
mod shell;

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};

use crate::base::text::{duration, safe_line};
use crate::model::event::Events;
pub use check::{Check, CheckResult, CheckState, is_healthy};
pub use context::DoctorContext;
use context::blocking;

/// Timeout of a check.
const PATIENCE: Duration = Duration::from_secs(6);

type CheckFuture<'a> = BoxFuture<'a, CheckResult>;

/// Returns all checks, in the order of the output.
fn checks(patient: &DoctorContext) -> Vec<(&'static str, CheckFuture<'_>)> {
    vec![
        ("configuration", files::configuration(patient).boxed()),
        ("inventory", files::inventory(patient).boxed()),
        ("workspace", files::workspace(patient).boxed()),
        ("clones", clones::clones(patient).boxed()),
        ("engine", engine::engine(patient).boxed()),
        ("native engine", engine::native(patient).boxed()),
        ("network", network::between_containers(patient).boxed()),
        ("leftovers", engine::leftovers(patient).boxed()),
        ("git", programs::git(patient).boxed()),
        ("cpp", programs::cpp(patient).boxed()),
        ("certificates", programs::certificates(patient).boxed()),
        ("gitlab", gitlab::server(patient).boxed()),
        ("token", gitlab::token(patient).boxed()),
        ("completion", shell::completion(patient).boxed()),
    ]
}

/// Runs all checks.
pub async fn doctor(patient: &DoctorContext, events: &Events) -> Vec<Check> {
    let task = events.start("doctor", "looking at this machine");
    let looking = checks(patient).into_iter().map(|(name, looking)| limited(name, PATIENCE, looking));
    let checks = join_all(looking).await;
    task.dismiss();
    checks
}

async fn limited(name: &'static str, patience: Duration, looking: CheckFuture<'_>) -> Check {
    let cut_off = |_| CheckResult::failed(format!("there is no answer within {}", duration(patience)));
    let mut found = tokio::time::timeout(patience, looking).await.unwrap_or_else(cut_off);
    found.why = safe_line(&found.why).into_owned();
    for detail in &mut found.details {
        *detail = safe_line(detail).into_owned();
    }
    Check { name, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};
    use crate::host::Env;
    use std::path::Path;

    /// Returns a machine without anything: no engine is looked for, and nothing is connected to.
    pub(super) fn patient(pairs: &[(&str, &str)]) -> DoctorContext {
        let nothing = [("CKI_ENGINE", "native"), ("CKI_OFFLINE", "true"), ("HOME", "/nonexistent")];
        let env = Env::new(nothing.into_iter().chain(pairs.iter().copied()));
        let config = Config::load(&env, Path::new("/"), []).expect("loads");
        let settings = Settings::resolve(&config, &env).expect("resolves");
        DoctorContext::new(&env, "/".into(), Ok(config), settings)
    }

    #[tokio::test]
    async fn hanging_check_times_out_with_message() {
        let check = limited("x", Duration::from_millis(10), std::future::pending().boxed()).await;
        assert_eq!(check.found.state, CheckState::Failed);
        assert_eq!(check.found.why, "there is no answer within 0.0 s");
        let check = limited("x", PATIENCE, async { CheckResult::good("\x1b[31mred") }.boxed()).await;
        assert_eq!((check.found.state, check.found.why.as_str()), (CheckState::Good, "red"));
    }

    #[tokio::test]
    async fn every_check_gives_a_reason() {
        let checks = doctor(&patient(&[]), &Events::silent()).await;
        assert_eq!(checks.len(), 14);
        for Check { name, found } in checks {
            assert!(!found.why.is_empty() && !found.why.ends_with('.'), "{name}: {}", found.why);
        }
    }

    #[test]
    fn doctor_ignores_untrusted_project_templates() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        crate::base::files::write_atomic(&directory.path().join("t/packages.yaml"), b"mine", 0o644)
            .expect("writes");
        crate::base::files::write_atomic(&directory.path().join("cki.toml"), b"templates = 't'", 0o644)
            .expect("writes");
        let text = |env: &Env, cwd: &Path| {
            let config = Config::load(env, cwd, []).expect("loads");
            let settings = Settings::resolve(&config, env).expect("resolves");
            let patient = DoctorContext::new(env, cwd.to_path_buf(), Ok(config), settings);
            patient.trusted_assets().text("packages.yaml").expect("reads").expect("is there").text
        };
        assert_ne!(text(&Env::new([("HOME", "/nonexistent")]), directory.path()), "mine");
        let own = directory.path().join("t").display().to_string();
        let env = Env::new([("HOME", "/nonexistent"), ("CKI_TEMPLATES", own.as_str())]);
        assert_eq!(text(&env, Path::new("/")), "mine");
    }
}
