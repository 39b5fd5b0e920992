//! The script of a plan, for bash and the `podman` command.

use super::{Draft, shell_word as rendered};
use crate::model::container::Limits;
use crate::model::inventory::BuildNetwork;
use crate::model::probe::Ready;
use crate::ops::run_local::unit::Unit;

/// What every script does: it ends with nothing left, and can ask whether something is ready.
const TOOLS: &str = r#"set -euo pipefail
containers=()
cleanup() {
    trap - EXIT INT TERM
    [ "${#containers[@]}" = 0 ] || podman rm --force --time 5 --volumes "${containers[@]}" > /dev/null 2>&1 || :
    podman network rm --force "$network" > /dev/null 2>&1 || :
    rm -rf "$files"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# until_ready NAME COMMAND...: asks for a minute.
until_ready() {
    local name=$1 tries=0
    shift
    until "$@"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 300 ] || [ "$(podman inspect --format '{{.State.Running}}' "$name")" != true ]; then
            podman logs --tail 12 "$name" >&2
            echo "$name is not ready" >&2
            exit 1
        fi
        sleep 0.2
    done
}
# inside SCRIPT ARGS...: runs it where the networks of containers are in reach.
inside() {
    if [ "$(id -u)" = 0 ]; then bash -c "$@"; else podman unshare --rootless-netns bash -c "$@"; fi
}
address() {
    podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"
}
answers_tcp() {
    inside ': < "/dev/tcp/$1/$2"' ask "$(address "$1")" "$2" 2> /dev/null
}
answers_http() {
    inside 'exec 3<> "/dev/tcp/$1/$2" && printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$3" >&3 &&
        read -r _ code _ <&3 && [ "$code" -lt 400 ]' ask "$(address "$1")" "$2" "$3" 2> /dev/null
}
answers_log() {
    podman logs "$1" 2>&1 | grep -qF -- "$2"
}
"#;

pub(super) fn text(draft: &Draft<'_>) -> String {
    let how = "Run it with bash; it needs nothing but Podman, and leaves nothing behind.";
    let mut script = format!("#!/usr/bin/env bash\n{}{TOOLS}\n", draft.head(how, &[]));
    // Two runs at the same time do not get into each other's way.
    script.push_str(&format!("run={}-$$\nnetwork=$run\nfiles=$(mktemp -d)\n", draft.name));
    for (unit, build) in draft.builds() {
        let mut words = vec!["podman".to_owned(), "build".to_owned(), "--tag".to_owned(), Draft::image(unit)];
        if let Some(file) = &build.file {
            words.extend(["--file".to_owned(), build.context.join(file).display().to_string()]);
        }
        words.extend(
            build.args.iter().flat_map(|(key, value)| ["--build-arg".to_owned(), format!("{key}={value}")]),
        );
        words.extend(build.target.iter().flat_map(|target| ["--target".to_owned(), target.clone()]));
        if build.network == BuildNetwork::None {
            words.push("--network=none".to_owned());
        }
        words.extend(
            draft.blocked_in_build(build).map(|(name, address)| format!("--add-host={name}:{address}")),
        );
        words.push(build.context.display().to_string());
        script.push_str(&format!("{}\n", shell_words::join(words)));
    }
    let internal = if draft.is_closed() { " --internal" } else { "" };
    script.push_str(&format!("podman network create{internal} \"$network\" > /dev/null\n"));
    for unit in draft.plan.units() {
        for (index, file) in unit.files.iter().enumerate() {
            let place = format!("\"$files/{}-{index}\"", unit.name);
            let content = rendered(&draft.parts(file.content.expose()));
            script.push_str(&format!("printf %s {content} > {place}\nchmod {:o} {place}\n", file.mode));
        }
    }
    let (needed, last): (Vec<&Unit>, Vec<&Unit>) =
        draft.plan.units().partition(|unit| draft.plan.is_needed(unit) || !unit.wanted);
    for unit in needed {
        script.push_str(&format!("\n# {}\n{}\n", unit.name, command(draft, unit, true)));
        script.push_str(&until_ready(draft, unit));
        for command in &unit.setup {
            let words: Vec<String> = command.iter().map(|word| rendered(&draft.parts(word))).collect();
            script.push_str(&format!("podman exec \"$run-{}\" {}\n", unit.name, words.join(" ")));
        }
    }
    match last.as_slice() {
        [one] => {
            script.push_str(&format!("\n# {}\n{}\n", one.name, command(draft, one, false)));
        }
        several => {
            script.push_str("\n# Whoever fails ends the others.\n");
            for one in several {
                let prefix = shell_words::quote(&format!("s/^/{} | /", one.name)).into_owned();
                let command = command(draft, one, false);
                script.push_str(&format!("{command} 2>&1 | sed -u {prefix} &\n"));
            }
            script.push_str(&format!("for _ in {{1..{}}}; do wait -n; done\n", several.len()));
        }
    }
    script
}

/// The command that runs a unit: on its own if it is `needed`, else until it ends.
fn command(draft: &Draft<'_>, unit: &Unit, needed: bool) -> String {
    let full = format!("\"$run-{}\"", unit.name);
    let mut words: Vec<String> = vec!["podman run".into()];
    let mut flag = |name: &str, value: String| words.push(format!("{name} {value}"));
    if needed {
        flag("--detach", String::new());
    }
    flag("--name", full.clone());
    flag("--network", "\"$network\"".into());
    flag("--network-alias", quoted(&unit.name));
    for (name, address) in draft.blocked() {
        flag("--add-host", quoted(&format!("{name}:{address}")));
    }
    flag("--init", String::new());
    for (key, value) in Draft::labels(unit) {
        flag("--label", quoted(&format!("{key}={value}")));
    }
    for (name, parts) in draft.environment(unit) {
        flag("--env", format!("{name}={}", rendered(&parts)));
    }
    if let Some(workdir) = &unit.workdir {
        flag("--workdir", quoted(workdir));
    }
    for (port, local) in Draft::published(unit) {
        flag("--publish", format!("127.0.0.1:{local}:{port}"));
    }
    for path in &unit.volumes {
        flag("--volume", quoted(path));
    }
    for mount in &unit.work.mounts {
        let access = if mount.writable { "rw" } else { "ro" };
        let (from, to) = (mount.from.display(), &mount.to);
        flag("--mount", quoted(&format!("type=bind,src={from},dst={to},{access}")));
    }
    for hidden in unit.work.hidden() {
        let kind = if hidden.is_directory { "type=volume" } else { "type=bind,ro,src=/dev/null" };
        flag("--mount", quoted(&format!("{kind},dst={}", hidden.path)));
    }
    let Limits { unprivileged, memory, processes, keep, read_only } = &unit.limits;
    if *unprivileged {
        flag("--cap-drop", "ALL".into());
        for capability in keep {
            flag("--cap-add", capability.clone());
        }
        flag("--security-opt", "no-new-privileges".into());
    }
    if *read_only {
        flag("--read-only", String::new());
    }
    for (index, file) in unit.files.iter().enumerate() {
        flag("--volume", format!("\"$files/{}-{index}\":{}:ro", unit.name, quoted(&file.path)));
    }
    if let Some(memory) = memory {
        flag("--memory", memory.to_string());
        // As much as memory: no swap.
        flag("--memory-swap", memory.to_string());
    }
    if let Some(processes) = processes {
        flag("--pids-limit", processes.to_string());
    }
    if unit.command.is_some() && unit.replaces_entrypoint() {
        flag("--entrypoint", "''".into());
    }
    words.push(quoted(&Draft::image(unit)));
    words.extend(unit.command.iter().flatten().map(|word| rendered(&draft.parts(word))));
    let words: Vec<&str> = words.iter().map(|word| word.trim_end()).collect();
    let quiet = if needed { " > /dev/null" } else { "" };
    format!("containers+=({full})\n{}{quiet}", words.join(" \\\n    "))
}

/// Waits until a unit can be used.
fn until_ready(draft: &Draft<'_>, unit: &Unit) -> String {
    let name = format!("\"$run-{}\"", unit.name);
    if unit.once {
        return format!("[ \"$(podman wait {name})\" = 0 ]\n");
    }
    match &unit.ready {
        None => String::new(),
        Some(Ready::Tcp(port)) => format!("until_ready {name} answers_tcp {name} {port}\n"),
        Some(Ready::Http { path, port }) => {
            format!("until_ready {name} answers_http {name} {port} {}\n", quoted(path))
        }
        Some(Ready::Log(text)) => format!("until_ready {name} answers_log {name} {}\n", quoted(text)),
        Some(Ready::Exec(command)) => {
            let words: Vec<String> = command.iter().map(|word| rendered(&draft.parts(word))).collect();
            format!("until_ready {name} podman exec {name} {} > /dev/null 2>&1\n", words.join(" "))
        }
    }
}

fn quoted(text: &str) -> String {
    shell_words::quote(text).into_owned()
}
