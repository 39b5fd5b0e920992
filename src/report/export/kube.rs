//! Pods of a plan, for `podman kube play`: one for each unit, so that ports do not conflict, connected by
//! their names on a network.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Exporter, Fragment};
use crate::base::yaml;
use crate::model::container::Limits;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::start::unit::Unit;

pub(super) fn text(draft: &Exporter<'_>) -> String {
    let name = &draft.name;
    let internal = if draft.is_closed() { " --internal" } else { "" };
    let fill = match draft.hidden().is_empty() {
        true => format!("podman kube play --network {name} FILE"),
        false => {
            let names: Vec<String> = draft.hidden().iter().map(|name| format!("${{{name}}}")).collect();
            format!("envsubst '{}' < FILE | podman kube play --network {name} -", names.join(" "))
        }
    };
    let comment = format!(
        "Run it with `podman network create{internal} {name}` and `{fill}`, and remove it with \
         `podman kube play --down FILE` and `podman network rm {name}`."
    );
    let mut limitations = vec![
        "A Pod does not wait for its dependencies; a container that fails without them is restarted."
            .to_owned(),
        "Kubernetes itself finds a Pod by name only if a Service of that name is added.".to_owned(),
    ];
    let processes = draft.plan.units().find_map(|unit| unit.limits.processes);
    limitations.extend(
        processes.map(|count| format!("A Pod cannot say that it may have {count} processes at most.")),
    );
    let mut pods = String::new();
    for unit in draft.plan.units() {
        if !unit.aliases.is_empty() {
            limitations.push(format!("Nothing finds {} as {}.", unit.name, unit.aliases.join(", ")));
        }
        if let Some(ReadinessProbe::Log(text)) = &unit.ready {
            limitations
                .push(format!("{} is ready when its log says `{text}`, which no probe asks.", unit.name));
        }
        for command in &unit.setup {
            let words: Vec<String> =
                command.iter().map(|word| super::shell_word(&draft.parts(word))).collect();
            let name = pod_name(unit);
            limitations
                .push(format!("When {name} is ready, run: podman exec {name}-main {}", words.join(" ")));
        }
        if !unit.files.is_empty() {
            pods.push_str("---\n");
            pods.push_str(&KubeTexts::default().written(config_map(draft, unit)));
        }
        pods.push_str("---\n");
        let mut texts = KubeTexts::default();
        let pod = pod(draft, unit, &mut texts);
        pods.push_str(&texts.written(pod));
    }
    if !draft.hidden().is_empty() {
        limitations.push(
            "A secret gets between double quotes: write `\\` before each `\"` and `\\` of it, and `\\n` for a line break."
                .to_owned(),
        );
    }
    limitations.extend(
        draft
            .builds()
            .map(|(unit, _)| format!("First: cki build {} --tag {}", unit.name, Exporter::image(unit))),
    );
    format!("{}{pods}", draft.head(&comment, &limitations))
}

fn pod_name(unit: &Unit) -> String {
    unit.name.to_lowercase().replace(['_', '.'], "-")
}

fn file_key(index: usize) -> String {
    format!("file-{index}")
}

/// Returns the ConfigMap with the files of a unit.
fn config_map(draft: &Exporter<'_>, unit: &Unit) -> Value {
    let files = unit.files.iter().enumerate();
    let data: Map<String, Value> = files
        .map(|(index, file)| (file_key(index), rendered(&draft.parts(file.content.expose())).into()))
        .collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": pod_name(unit)}, "data": data})
}

/// Strings in which Kubernetes expands `$(NAME)`, kept aside so that YAML quotes each of them as a string.
#[derive(Default)]
struct KubeTexts(Vec<String>);

impl KubeTexts {
    /// Keeps a string, and returns its mark, which stands for it until the document is written.
    fn keep(&mut self, parts: &[Fragment]) -> Value {
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            match part {
                Fragment::Plain(plain) => text.push_str(&escaped(plain, parts.get(index + 1).is_some())),
                Fragment::Secret(name) => text.push_str(&format!("${{{name}}}")),
            }
        }
        self.0.push(text);
        mark(self.0.len() - 1).into()
    }

    /// Writes a document.
    fn written(mut self, mut document: Value) -> String {
        self.keep_hard(&mut document);
        self.put_into(&yaml::to_string(&document))
    }

    /// Keeps the other strings that YAML alone would change.
    fn keep_hard(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains(is_hard) => {
                self.0.push(std::mem::take(text));
                *value = mark(self.0.len() - 1).into();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.keep_hard(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.keep_hard(member)),
            _ => {}
        }
    }

    /// Replaces the marks in the document by the strings, each in double quotes.
    fn put_into(&self, written: &str) -> String {
        let mut whole = String::new();
        for line in written.lines() {
            let (head, last) = line.rsplit_once(' ').unwrap_or(("", line));
            let index = last.strip_prefix(MARK).and_then(|index| index.parse::<usize>().ok());
            match index.and_then(|index| self.0.get(index)) {
                Some(text) => whole.push_str(&format!("{head} {}", quoted(text))),
                None => whole.push_str(line),
            }
            whole.push('\n');
        }
        whole
    }
}

/// Returns whether YAML takes a character for a line break or refuses it, though JSON writes it as it is.
fn is_hard(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Returns a string in double quotes that readers of YAML and of JSON read alike.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    if !json.contains(is_hard) {
        return json;
    }
    let escaped = json.chars().map(|one| match is_hard(one) {
        true => format!("\\u{:04x}", u32::from(one)),
        false => one.to_string(),
    });
    escaped.collect()
}

/// Prefix of the mark of a kept string; no other string of a Pod begins with it.
const MARK: &str = "cki-text-of-a-pod-";

fn mark(index: usize) -> String {
    format!("{MARK}{index}")
}

/// Escapes a text for Kubernetes, which reads `$$` as a dollar sign and `$(NAME)` as a variable. The text
/// after it may begin with either.
fn escaped(text: &str, is_followed: bool) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        let after = rest[at..].trim_start_matches('$');
        let count = rest.len() - at - after.len();
        let is_special = count > 1 || after.starts_with('(') || (after.is_empty() && is_followed);
        made.push_str(&"$".repeat(if is_special { 2 * count } else { count }));
        rest = after;
    }
    made.push_str(rest);
    made
}

fn pod(draft: &Exporter<'_>, unit: &Unit, texts: &mut KubeTexts) -> Value {
    let name = pod_name(unit);
    let labels: Map<String, Value> = Exporter::labels(unit)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.replace('/', ".").into()))
        .collect();
    let restart = match (unit.one_shot, draft.plan.is_needed(unit)) {
        (true, _) => "OnFailure",
        (false, _) => "Always",
    };
    let (volumes, mounts) = volumes(unit);
    let mut spec = json!({
        "restartPolicy": if unit.one_shot && unit.needs.is_empty() { "Never" } else { restart },
        "containers": [container(draft, unit, mounts, texts)],
    });
    if !volumes.is_empty() {
        spec["volumes"] = volumes.into();
    }
    // Kubernetes rejects names that end in a dot or are not ASCII.
    let is_plain = |name: &String| name.is_ascii() && !name.ends_with('.');
    let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, address) in draft.blocked().filter(|(name, address)| is_plain(name) && address.is_ipv4()) {
        aliases.entry(address.to_string()).or_default().push(name);
    }
    if !aliases.is_empty() {
        let aliases = aliases.iter().map(|(ip, names)| json!({"ip": ip, "hostnames": names}));
        spec["hostAliases"] = aliases.collect::<Vec<_>>().into();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})
}

fn container(draft: &Exporter<'_>, unit: &Unit, mounts: Vec<Value>, texts: &mut KubeTexts) -> Value {
    let mut container = Map::new();
    let mut put = |key: &str, value: Value| container.insert(key.to_owned(), value);
    put("name", "main".into());
    put("image", Exporter::image(unit).into());
    put("imagePullPolicy", "IfNotPresent".into());
    if let Some(command) = &unit.command {
        let words: Vec<Value> = command.iter().map(|word| texts.keep(&draft.parts(word))).collect();
        put(if unit.replaces_entrypoint() { "command" } else { "args" }, words.into());
    }
    if let Some(workdir) = &unit.workdir {
        put("workingDir", workdir.clone().into());
    }
    let environment: Vec<Value> = draft
        .environment(unit)
        .into_iter()
        .map(|(name, parts)| json!({"name": name, "value": texts.keep(&parts)}))
        .collect();
    if !environment.is_empty() {
        put("env", environment.into());
    }
    // Podman publishes every named port, on all addresses by default.
    let ports: Vec<Value> = draft
        .published(unit)
        .iter()
        .map(|(port, local)| json!({"containerPort": port, "hostPort": local, "hostIP": "127.0.0.1"}))
        .collect();
    if !ports.is_empty() {
        put("ports", ports.into());
    }
    if let Some(probe) = unit.ready.as_ref().and_then(|ready| probe(draft, ready)) {
        put("readinessProbe", probe);
    }
    let Limits { unprivileged, memory, keep, read_only, .. } = &unit.limits;
    if *unprivileged {
        let capabilities = match keep.as_slice() {
            [] => json!({"drop": ["ALL"]}),
            kept => json!({"drop": ["ALL"], "add": kept}),
        };
        put(
            "securityContext",
            json!({
                "allowPrivilegeEscalation": false,
                "capabilities": capabilities,
                "readOnlyRootFilesystem": read_only,
            }),
        );
    }
    if let Some(memory) = memory {
        put("resources", json!({"limits": {"memory": memory.to_string()}}));
    }
    if !mounts.is_empty() {
        put("volumeMounts", mounts.into());
    }
    container.into()
}

fn probe(draft: &Exporter<'_>, ready: &ReadinessProbe) -> Option<Value> {
    let mut probe = match ready {
        ReadinessProbe::Tcp(port) => json!({"tcpSocket": {"port": port}}),
        ReadinessProbe::Http { path, port } => json!({"httpGet": {"path": path, "port": port}}),
        ReadinessProbe::Exec(command) => {
            let words: Vec<String> = command.iter().map(|word| rendered(&draft.parts(word))).collect();
            json!({"exec": {"command": words}})
        }
        ReadinessProbe::Log(_) => return None,
    };
    probe["periodSeconds"] = 1.into();
    Some(probe)
}

/// Returns the volumes of a Pod, and their mounts.
fn volumes(unit: &Unit) -> (Vec<Value>, Vec<Value>) {
    let own = unit.volumes.iter().enumerate().map(|(index, path)| {
        let name = format!("own-{index}");
        (json!({"name": name, "emptyDir": {}}), json!({"name": name, "mountPath": path}))
    });
    let mounts = unit.dev.mounts.iter().enumerate().map(|(index, mount)| {
        let name = format!("mount-{index}");
        let kind = if mount.from.is_dir() { "Directory" } else { "File" };
        let volume =
            json!({"name": name, "hostPath": {"path": mount.from.display().to_string(), "type": kind}});
        (volume, json!({"name": name, "mountPath": mount.to, "readOnly": !mount.writable}))
    });
    let hidden = unit.dev.hidden().into_iter().enumerate().map(|(index, hidden)| {
        let name = format!("hidden-{index}");
        let volume = if hidden.is_directory {
            json!({"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "4Ki"}})
        } else {
            json!({"name": name, "hostPath": {"path": "/dev/null", "type": "CharDevice"}})
        };
        (volume, json!({"name": name, "mountPath": hidden.path, "readOnly": true}))
    });
    let temporary = ["/tmp", "/run", "/var/tmp"].into_iter().filter(|_| unit.limits.read_only);
    let temporary = temporary.enumerate().map(|(index, path)| {
        let name = format!("temporary-{index}");
        (json!({"name": name, "emptyDir": {"medium": "Memory"}}), json!({"name": name, "mountPath": path}))
    });
    let files = unit.files.iter().enumerate().map(|(index, file)| {
        let name = format!("file-{index}");
        let key = file_key(index);
        let items = json!([{"key": key, "path": key, "mode": file.mode}]);
        let volume = json!({"name": name, "configMap": {"name": pod_name(unit), "items": items}});
        (volume, json!({"name": name, "mountPath": file.path, "subPath": key, "readOnly": true}))
    });
    own.chain(mounts).chain(hidden).chain(temporary).chain(files).unzip()
}

/// Renders a text with the names of secrets in it, for `envsubst`.
fn rendered(parts: &[Fragment]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Fragment::Plain(text) => text.clone(),
            Fragment::Secret(name) => format!("${{{name}}}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::expansion::{pieces, render};
    use proptest::prelude::*;

    #[test]
    fn escaped_doubles_dollars_that_kubernetes_expands() {
        for (text, written) in
            [("$(A)", "$$(A)"), ("x$$y", "x$$$$y"), ("$A ${B}", "$A ${B}"), ("$$(A", "$$$$(A"), ("$", "$")]
        {
            assert_eq!(escaped(text, false), written, "{text}");
        }
        assert_eq!(escaped("$", true), "$$");
    }

    proptest! {
        #[test]
        fn escaped_text_round_trips(text in "[$()Aé \n\"'\\\\:#\u{7f}\u{85}\u{9f}\u{2028}\u{2029}\u{feff}\u{fffe}]{0,30}") {
            let read = render(&pieces(&escaped(&text, false), &|_| true), &|_| Some("expanded"));
            prop_assert_eq!(&read, &text);
            let wanted = escaped(&text, false);
            let mut texts = KubeTexts::default();
            let value = json!({"value": texts.keep(&[Fragment::Plain(text)])});
            let written = texts.written(value);
            prop_assert!(!written.contains(is_hard));
            let back = yaml::tree::documents("f", &written).expect("parses");
            prop_assert_eq!(back[0].text_of("value"), Some(wanted.as_str()));
        }
    }
}
