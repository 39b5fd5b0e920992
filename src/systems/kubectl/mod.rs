//! Kubernetes and OpenShift through the user's own `kubectl` or `oc`, so that their logins, plugins and proxies work
//! ([why](../../../docs/decisions/0075-kubectl.md)). Arguments and standard input only, never a shell; context and
//! namespace are always given. Objects are plain JSON here; what they mean is up to `model::staging::kubernetes`.

mod config;
mod error;
mod leash;
mod run;
mod target;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::redact::without_tokens;
use crate::host::{Env, programs};
pub use config::{ClientConfig, ClusterServer};
pub use error::{FieldConflict, KubectlError};
use run::Finished;
pub use target::ClusterTarget;
pub use watch::{ObjectChanges, Watched};

/// Programs that are tried without a setting.
const PROGRAMS: [&str; 2] = ["kubectl", "oc"];
/// Name by which a cluster knows the fields that `cki` sets.
pub const FIELD_MANAGER: &str = "cki";
/// Maximum time of one request of the program, and of the whole call with its login plugins.
const REQUEST: &str = "--request-timeout=30s";
const CALL: Duration = Duration::from_secs(90);
/// Maximum number of bytes of a log to ask for.
const LOG_BYTES: &str = "--limit-bytes=1048576";
/// Lines of a log to read before those that are asked for: a private key that begins there must be known as one.
const KEY_LINES: usize = 100;

/// An event of a cluster about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEvent {
    /// The time of its last occurrence.
    pub at: Option<jiff::Timestamp>,
    /// Kind and name of the object.
    pub object: String,
    /// Marks a warning.
    pub is_warning: bool,
    /// Reason in Kubernetes' terms.
    pub reason: String,
    /// Message.
    pub message: String,
}

/// The program, for one namespace.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    env: Env,
    target: ClusterTarget,
}

impl Kubectl {
    /// Finds the program: the one in the settings, else `kubectl`, else `oc`. Runs nothing.
    ///
    /// # Errors
    /// Fails if there is none in `PATH`.
    pub fn find(env: &Env, setting: Option<&str>, target: ClusterTarget) -> Result<Self, KubectlError> {
        let names = setting.map_or_else(|| PROGRAMS.to_vec(), |name| vec![name]);
        let program = names.iter().find_map(|name| programs::find(env, name));
        let program = program
            .ok_or_else(|| KubectlError::Missing(names.iter().map(|one| (*one).to_owned()).collect()))?;
        Ok(Self { program, env: env.clone(), target })
    }

    /// Returns the cluster and the namespace.
    #[must_use]
    pub fn target(&self) -> &ClusterTarget {
        &self.target
    }

    /// Checks that the program knows the context. Connects to nothing.
    ///
    /// # Errors
    /// Fails if it does not, or its configuration cannot be read.
    pub async fn check_context(&self) -> Result<(), KubectlError> {
        let listed = self.finish(
            run::run((&self.program, &self.env), &["config", "get-contexts", "--output=name"], None, CALL)
                .await?,
        )?;
        let known: Vec<String> = listed.lines().map(|line| line.trim().to_owned()).collect();
        if known.contains(&self.target.context) {
            return Ok(());
        }
        Err(KubectlError::NoContext { context: self.target.context.clone(), known })
    }

    /// Reads the contexts of the program's configuration, without logins. Connects to nothing.
    ///
    /// # Errors
    /// Fails if the configuration cannot be read.
    pub async fn config(&self) -> Result<ClientConfig, KubectlError> {
        let arguments = ["config", "view", "--output=json"];
        ClientConfig::read(&self.finish(run::run((&self.program, &self.env), &arguments, None, CALL).await?)?)
    }

    /// Returns the objects of some kinds, joined by commas, with labels.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn list(&self, kinds: &str, selector: &str) -> Result<Vec<Value>, KubectlError> {
        let selector = format!("--selector={selector}");
        self.objects(&["get", kinds, &selector, "--output=json"], None).await
    }

    /// Returns all objects of some kinds, joined by commas.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses one of the kinds.
    pub async fn all(&self, kinds: &str) -> Result<Vec<Value>, KubectlError> {
        self.objects(&["get", kinds, "--output=json"], None).await
    }

    /// Returns an object, if it exists.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn find_object(&self, kind: &str, name: &str) -> Result<Option<Value>, KubectlError> {
        let found = self.objects(&["get", kind, name, "--ignore-not-found", "--output=json"], None).await?;
        Ok(found.into_iter().next())
    }

    /// Returns those of some objects, by kind and name, that exist.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn find_objects(&self, names: &[(&str, &str)]) -> Result<Vec<Value>, KubectlError> {
        let names = paths(names);
        let mut arguments = vec!["get", "--ignore-not-found", "--output=json"];
        arguments.extend(names.iter().map(String::as_str));
        self.objects(&arguments, None).await
    }

    /// Returns those of some names of objects, by kind and name, that exist. The contents of the objects are not printed, and
    /// so not read: they may be Secrets.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn find_names(&self, names: &[(&str, &str)]) -> Result<Vec<String>, KubectlError> {
        let names = paths(names);
        let mut arguments = vec!["get", "--ignore-not-found", "--output=name"];
        arguments.extend(names.iter().map(String::as_str));
        let found = self.call(&arguments, None).await?;
        Ok(found.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }

    /// Applies objects on the server, which refuses fields that somebody else set. A dry run stores nothing.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, refuses, or knows another owner of a field.
    pub async fn apply(&self, objects: &[Value], is_dry_run: bool) -> Result<Vec<Value>, KubectlError> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let mut arguments = vec!["apply", "--server-side", &manager, "--filename=-", "--output=json"];
        if is_dry_run {
            arguments.push("--dry-run=server");
        }
        self.objects(&arguments, Some(list.as_bytes())).await
    }

    /// Patches an object by kind and name. The patch should hold the `resourceVersion` that it is made for, so that the
    /// server refuses it once the object has changed. A dry run stores nothing.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, refuses, or knows a newer version of the object.
    pub async fn patch(
        &self,
        (kind, name): (&str, &str),
        patch_type: &str,
        patch: &Value,
        is_dry_run: bool,
    ) -> Result<(), KubectlError> {
        let (patch_type, patch) = (format!("--type={patch_type}"), format!("--patch={patch}"));
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let mut arguments = vec!["patch", kind, name, &patch_type, &patch, &manager, "--output=name"];
        if is_dry_run {
            arguments.push("--dry-run=server");
        }
        self.call(&arguments, None).await.map(drop)
    }

    /// Removes objects, by kind and name, and lets the cluster remove what they own. An absent object counts as
    /// removed.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn delete(&self, names: &[(&str, &str)]) -> Result<(), KubectlError> {
        let names = paths(names);
        let mut arguments = vec!["delete", "--ignore-not-found", "--wait=false", "--output=name"];
        arguments.extend(names.iter().map(String::as_str));
        self.call(&arguments, None).await.map(drop)
    }

    /// Returns the events about an object, the oldest first.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, or refuses.
    pub async fn events(&self, name: &str) -> Result<Vec<ClusterEvent>, KubectlError> {
        let field = format!("--field-selector=involvedObject.name={name}");
        let found = self.objects(&["get", "events", &field, "--output=json"], None).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let at = |one: &Value| {
            let times = [&one["lastTimestamp"], &one["eventTime"], &one["metadata"]["creationTimestamp"]];
            times.into_iter().find_map(|time| time.as_str()?.parse().ok())
        };
        let event = |one: &Value| ClusterEvent {
            at: at(one),
            object: format!(
                "{} {}",
                text(&one["involvedObject"]["kind"]),
                text(&one["involvedObject"]["name"])
            ),
            is_warning: one["type"] == "Warning",
            reason: text(&one["reason"]),
            message: text(&one["message"]),
        };
        Ok(found.iter().map(event).collect())
    }

    /// Returns the last lines of a container's log, with tokens and private keys masked; of its run before, if it is asked
    /// for.
    ///
    /// # Errors
    /// Fails if the cluster does not answer, refuses, or has no log.
    pub async fn log_tail(
        &self,
        pod: &str,
        container: &str,
        is_previous: bool,
        lines: usize,
    ) -> Result<Vec<String>, KubectlError> {
        let (container, tail) = (format!("--container={container}"), format!("--tail={}", lines + KEY_LINES));
        let mut arguments = vec!["logs", pod, &container, &tail, LOG_BYTES];
        if is_previous {
            arguments.push("--previous");
        }
        let text = self.call(&arguments, None).await?;
        Ok(last_lines(&text, lines))
    }

    /// Calls the program for the namespace.
    async fn call(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String, KubectlError> {
        let context = format!("--context={}", self.target.context);
        let namespace = format!("--namespace={}", self.target.namespace);
        let mut all = vec![context.as_str(), &namespace, REQUEST];
        all.extend(arguments);
        self.finish(run::run((&self.program, &self.env), &all, input, CALL).await?)
    }

    fn finish(&self, finished: Finished) -> Result<String, KubectlError> {
        if finished.status.success() {
            Ok(finished.output)
        } else if finished.errors.trim().is_empty() {
            Err(KubectlError::Silent(finished.status))
        } else if finished.output.starts_with("Please enter ") {
            // Without credentials, the program asks for them, and there is nobody to answer.
            Err(error::read(&format!("{}{}", finished.output, finished.errors), &self.target))
        } else {
            Err(error::read(&finished.errors, &self.target))
        }
    }

    async fn objects(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Vec<Value>, KubectlError> {
        objects_of(&self.call(arguments, input).await?)
    }
}

/// Returns kinds and names as arguments.
fn paths(names: &[(&str, &str)]) -> Vec<String> {
    names.iter().map(|(kind, name)| format!("{}/{name}", kind.to_lowercase())).collect()
}

/// Returns the last lines of a log. It is masked as a whole, since a private key spans several lines.
fn last_lines(log: &str, lines: usize) -> Vec<String> {
    let log = without_tokens(log);
    let all: Vec<&str> = log.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Parses objects that are printed one after the other, or in lists.
fn objects_of(text: &str) -> Result<Vec<Value>, KubectlError> {
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let mut value = value.map_err(|error| KubectlError::Output(error.to_string()))?;
        if !value.is_object() {
            return Err(KubectlError::Output("it is no object".to_owned()));
        }
        match value["items"].take() {
            Value::Array(items) if value["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
                all.extend(items);
            }
            items => {
                if !items.is_null() {
                    value["items"] = items;
                } else if let Some(fields) = value.as_object_mut() {
                    fields.shift_remove("items");
                }
                all.push(value);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::MASK;

    #[test]
    fn find_takes_the_setting_else_kubectl_else_oc() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let env = Env::new([("PATH", directory.path().to_str().expect("is text"))]);
        let target = ClusterTarget { context: "c".to_owned(), namespace: "n".to_owned() };
        let found = |setting: Option<&str>| {
            let found = Kubectl::find(&env, setting, target.clone()).ok()?;
            found.program.file_name().map(|name| name.to_string_lossy().into_owned())
        };
        assert_eq!(found(None), None);
        for (name, expected) in [("oc", "oc"), ("mine", "oc"), ("kubectl", "kubectl")] {
            let file = directory.path().join(name);
            std::fs::write(&file, "#!/bin/sh\n").expect("writes");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("sets");
            assert_eq!(found(None).as_deref(), Some(expected));
        }
        assert_eq!(found(Some("mine")).as_deref(), Some("mine"));
        assert_eq!(found(Some("other")), None);
    }

    #[test]
    fn last_lines_hide_keys_of_several_lines() {
        let key =
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nAQEAxVZ0123\n-----END RSA PRIVATE KEY-----\n";
        let log = format!("begins\n{key}then glpat-0123456789abcdefghij\nends\n");
        let masked = ["begins".to_owned(), MASK.to_owned(), format!("then {MASK}"), "ends".to_owned()];
        assert_eq!(last_lines(&log, 9), masked);
        // The tail begins within the key.
        assert_eq!(last_lines(&log, 3), masked[1..]);
        assert_eq!(last_lines("", 3), Vec::<String>::new());
    }

    #[test]
    fn objects_of_reads_lists_and_sequences() {
        let text = "{\"kind\":\"List\",\"items\":[{\"kind\":\"A\"}]}\n{\"kind\":\"B\"}\n";
        let kinds: Vec<String> = objects_of(text).expect("parses").iter().map(ToString::to_string).collect();
        assert_eq!(kinds, [r#"{"kind":"A"}"#, r#"{"kind":"B"}"#]);
        assert_eq!(objects_of("").expect("is empty"), Vec::<Value>::new());
        for wrong in ["No resources found", "1", "[]", "null", "{} x"] {
            assert!(objects_of(wrong).is_err(), "{wrong}");
        }
    }
}
