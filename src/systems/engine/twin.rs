//! A container like one that has ended, for a shell in it. With a terminal, `terminal` starts it; without one, it gets
//! its input from anywhere.

use std::collections::BTreeMap;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::AttachContainerOptionsBuilder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::container::{short, start_error};
use super::error::EngineError;
use super::exec::feed;
use super::exec_request::Input;
use super::output::OutputStream;
use super::podman_limits::PodmanLimits;
use super::spec::{NOBODY, resources, sysctls};
use super::{ContainerEngine, WRITE_TIMEOUT};
use crate::model::container::ContainerInspect;
use crate::model::guard::GatePass;
use crate::model::identity::container_labels;

/// A running container that exists only for its command. It is removed if this is dropped before
/// [`CopyExec::wait`] has returned.
#[derive(Debug)]
pub struct CopyExec {
    /// Its output. Read it to the end, or the command blocks.
    pub output: OutputStream,
    engine: ContainerEngine,
    id: Option<String>,
}

impl ContainerEngine {
    /// Creates a container like one that has ended: with its image, environment, volumes, network and limits,
    /// and without its files. Returns its id.
    ///
    /// # Errors
    /// Fails if the image is missing.
    pub async fn create_twin(&self, id: &str, twin: DebugCopy<'_>) -> Result<String, EngineError> {
        let original = self.described(id).await?;
        let body = twin_body(&original, id, &twin, self.ulimits().await);
        let (engine, name) = (self.clone(), twin.name.to_owned());
        let image = original["Config"]["Image"].as_str().unwrap_or_default().to_owned();
        self.shielded(async move { engine.create_empty(&name, &image, body).await }).await
    }

    /// Starts a container that has no terminal, and passes it some input.
    ///
    /// # Errors
    /// Fails if its program is missing, or the engine refuses for another reason. The container then still exists.
    pub async fn start_with_input(
        &self,
        container: &GatePass<ContainerInspect>,
        stdin: Input,
    ) -> Result<CopyExec, EngineError> {
        let id = container.id.clone();
        let doing = format!("attach to container `{}`", short(&id));
        let options =
            AttachContainerOptionsBuilder::new().stdin(true).stdout(true).stderr(true).stream(true).build();
        let attached = self.docker.attach_container(&id, Some(options));
        let attached = self.call(&doing, WRITE_TIMEOUT, attached).await;
        // Podman prepares the start here already.
        let attached = attached.map_err(|error| start_error(&id, error))?;
        self.start(container).await?;
        // The task ends with the input or the command, whichever ends first.
        tokio::spawn(feed(stdin, attached.input));
        let output = self.completed(&id, OutputStream::watched(self, doing, attached.output));
        Ok(CopyExec { output, engine: self.clone(), id: Some(id) })
    }
}

impl CopyExec {
    /// Reads the rest of the output, removes the container, and returns the exit code.
    ///
    /// # Errors
    /// Fails if the engine does not report it.
    pub async fn wait(mut self) -> Result<i64, EngineError> {
        while let Some(chunk) = self.output.next().await {
            chunk?;
        }
        let Some(id) = self.id.clone() else { return Ok(-1) };
        let ended = self.engine.wait_for_end(&id).await;
        self.end().await?;
        ended
    }

    /// Ends the command and removes the container.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn end(mut self) -> Result<(), EngineError> {
        match self.id.take() {
            Some(id) => self.engine.remove(&id).await,
            None => Ok(()),
        }
    }
}

impl Drop for CopyExec {
    /// Removes an abandoned container in a separate task, if there is still a runtime for that.
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let engine = self.engine.clone();
            runtime.spawn(async move { engine.remove(&id).await });
        }
    }
}

/// Container modelled on another one.
#[derive(Debug, Clone)]
pub struct DebugCopy<'a> {
    /// Name.
    pub name: &'a str,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Command, program first.
    pub command: Vec<String>,
    /// Working directory, if not that of the other container.
    pub workdir: Option<String>,
    /// It has a terminal.
    pub terminal: bool,
    /// Terminal type (`TERM`), if it has a terminal of a known type.
    pub term: Option<&'a str>,
}

/// Returns the body of the creating request, from an engine's description of the other container. Missing or
/// unreadable fields are left to the engine.
fn twin_body(
    original: &Value,
    id: &str,
    twin: &DebugCopy<'_>,
    ulimits: Option<PodmanLimits>,
) -> ContainerCreateBody {
    fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
        serde_json::from_value(value.clone()).ok()
    }
    let (config, host) = (&original["Config"], &original["HostConfig"]);
    let mut environment: Vec<String> = read(&config["Env"]).unwrap_or_default();
    environment.retain(|pair| !twin.terminal || !pair.starts_with("TERM="));
    environment.extend(twin.term.map(|term| format!("TERM={term}")));
    // Podman does not report the sysctls of a container. These follow from its other fields.
    let kept: Vec<String> = read(&host["CapAdd"]).unwrap_or_default();
    let is_closed = read::<Vec<String>>(&host["Dns"]).is_some_and(|dns| dns == [NOBODY]);
    let network = original["NetworkSettings"]["Networks"].as_object().and_then(|all| all.keys().next());
    ContainerCreateBody {
        image: read(&config["Image"]),
        entrypoint: Some(Vec::new()),
        cmd: Some(twin.command.clone()),
        env: Some(environment),
        user: read(&config["User"]),
        working_dir: twin.workdir.clone().or_else(|| read(&config["WorkingDir"])),
        labels: Some(container_labels(&twin.labels).into_iter().collect()),
        tty: Some(twin.terminal),
        open_stdin: Some(true),
        stdin_once: Some(true),
        attach_stdin: Some(true),
        host_config: Some(HostConfig {
            init: Some(true),
            network_mode: network.cloned().or_else(|| read(&host["NetworkMode"])),
            volumes_from: Some(vec![id.to_owned()]),
            cap_add: read(&host["CapAdd"]),
            cap_drop: read(&host["CapDrop"]),
            security_opt: read(&host["SecurityOpt"]),
            readonly_rootfs: read(&host["ReadonlyRootfs"]),
            tmpfs: read(&host["Tmpfs"]),
            extra_hosts: read(&host["ExtraHosts"]),
            dns: read(&host["Dns"]),
            dns_options: read(&host["DnsOptions"]),
            dns_search: read(&host["DnsSearch"]),
            sysctls: sysctls(is_closed, &kept),
            pids_limit: read(&host["PidsLimit"]),
            memory: read(&host["Memory"]),
            memory_swap: read(&host["MemorySwap"]),
            ulimits: ulimits.map(resources),
            ..Default::default()
        }),
        ..Default::default()
    }
}
