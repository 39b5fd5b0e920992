//! Life of a container, from creation to removal. `spec` translates its specification; `wait` reports its
//! end, `output` and `follow` its output, `api_types` its state.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;

use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, KillContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};

use super::error::{EngineError, ResourceKind};
use super::reference::ImageReference;
use super::{AddressKind, ContainerEngine, READ_TIMEOUT, WRITE_TIMEOUT, files, podman_limits, spec};
use crate::model::container::{ContainerFile, ContainerInspect, ContainerSpec, CopyIn};
use crate::model::guard::GatePass;

/// Timeout for a concurrent removal of a container.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(20);

impl ContainerEngine {
    /// Creates a container with its files and returns its id. Does not start it. The engine does not remove
    /// it at its end: the caller removes it, or prunes.
    ///
    /// # Errors
    /// Fails if the image is missing, the name is taken, or the specification cannot be met.
    pub async fn create(&self, spec: &ContainerSpec) -> Result<String, EngineError> {
        ImageReference::parse(&spec.image)?;
        let body = spec::body(spec, self.ulimits().await)?;
        let mut archives = files::archives(&spec.files, &spec::volumes(spec))?;
        if !spec.copies.is_empty() {
            let copies = spec.copies.clone();
            let packed = tokio::task::block_in_place(|| files::sources(&copies, |_| true))?;
            archives.insert(0, ("/".to_owned(), packed.into()));
        }
        let (name, image) = (spec.name.clone(), spec.image.clone());
        let engine = self.clone();
        self.shielded(async move {
            let id = engine.create_empty(&name, &image, body).await?;
            for (place, archive) in archives {
                if let Err(error) = engine.upload(&id, &name, &place, archive).await {
                    // The first error is the one to report.
                    let _ = engine.remove(&id).await;
                    return Err(error);
                }
            }
            Ok(id)
        })
        .await
    }

    pub(super) async fn create_empty(
        &self,
        name: &str,
        image: &str,
        body: bollard::models::ContainerCreateBody,
    ) -> Result<String, EngineError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let doing = format!("create container `{name}`");
        let create = || self.docker.create_container(Some(options.clone()), body.clone());
        let ask = || self.call(&doing, WRITE_TIMEOUT, create());
        match self.retry(ask, EngineError::is_lost_image).await {
            Ok(answer) => Ok(answer.id),
            Err(error) if error.says(&["already in use"]) => {
                Err(EngineError::NameTaken { kind: ResourceKind::Container, name: name.to_owned() })
            }
            Err(error) => Err(error.or_not_found(ResourceKind::Image, image)),
        }
    }

    /// Copies sources into a container, running or not; `files` that no longer exist are left out.
    ///
    /// # Errors
    /// Fails if the container does not take them.
    pub async fn copy_in(&self, id: &str, copies: &[CopyIn], files: &[PathBuf]) -> Result<(), EngineError> {
        let archive = tokio::task::block_in_place(|| {
            files::sources(copies, |path| files.iter().any(|file| file == path))
        })?;
        self.upload(id, short(id), "/", archive.into()).await
    }

    async fn upload(
        &self,
        id: &str,
        name: &str,
        place: &str,
        archive: bytes::Bytes,
    ) -> Result<(), EngineError> {
        let options = UploadToContainerOptionsBuilder::new().path(place).build();
        let doing = format!("put files into container `{name}`");
        let upload = self.docker.upload_to_container(id, Some(options), bollard::body_full(archive));
        self.call(&doing, WRITE_TIMEOUT, upload).await
    }

    /// Returns the text files in a directory of a container; empty if the directory is missing.
    ///
    /// # Errors
    /// Fails if the container is gone, or the engine does not answer.
    pub async fn files(&self, id: &str, directory: &str) -> Result<Vec<ContainerFile>, EngineError> {
        let options = DownloadFromContainerOptionsBuilder::new().path(directory).build();
        let doing = format!("read `{directory}` in container `{}`", short(id));
        let mut pieces = self.docker.download_from_container(id, Some(options));
        let mut archive = Vec::new();
        let read = async {
            while archive.len() < files::MOST_READ
                && let Some(piece) = pieces.next().await
            {
                archive.extend_from_slice(&piece?);
            }
            Ok(())
        };
        match self.call(&doing, WRITE_TIMEOUT, read).await {
            Err(error) if error.status() == Some(404) => Ok(Vec::new()),
            Err(error) => Err(error),
            Ok(()) => Ok(files::texts(directory, &archive)),
        }
    }

    pub(super) async fn ulimits(&self) -> Option<podman_limits::PodmanLimits> {
        if self.kind() == AddressKind::Docker {
            return None;
        }
        *self.shared.ulimits.get_or_init(|| podman_limits::needed(&self.shared.address)).await
    }

    /// Starts a container that has passed the gate with the engine's view of it. Succeeds if it already runs.
    ///
    /// # Errors
    /// Fails if its program is missing or not executable, if a port is in use, or the engine refuses for
    /// another reason. The container then still exists, as created.
    pub async fn start(&self, container: &GatePass<ContainerInspect>) -> Result<(), EngineError> {
        let (engine, id) = (self.clone(), container.id.clone());
        self.shielded(async move {
            let doing = format!("start container `{}`", short(&id));
            let start = engine.docker.start_container(&id, None::<StartContainerOptions>);
            engine.call(&doing, WRITE_TIMEOUT, start).await.map_err(|error| start_error(&id, error))
        })
        .await
    }

    /// Sends a container its stop signal, and kills it after `grace`. Succeeds if it does not run or does not
    /// exist.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn stop(&self, id: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let doing = format!("stop container `{}`", short(id));
        let stop = self.docker.stop_container(id, Some(options));
        match self.call(&doing, grace + WRITE_TIMEOUT, stop).await {
            Err(error) if error.is_absence() => Ok(()),
            other => other,
        }
    }

    /// Kills a container. Succeeds if it does not run or does not exist.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn kill(&self, id: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let doing = format!("kill container `{}`", short(id));
        match self.call(&doing, READ_TIMEOUT, self.docker.kill_container(id, Some(options))).await {
            Err(error) if error.is_absence() || error.status() == Some(409) => Ok(()),
            Err(error) if error.says(&["not running", "can only kill running", "state improper"]) => Ok(()),
            other => other,
        }
    }

    /// Removes a container, running or not, with its processes and its anonymous volumes. On return it is
    /// gone, even if a concurrent removal was under way or done.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        // Podman before 4.4 removes a container that it is about to stop, and lets its processes live
        // (https://github.com/containers/podman/commit/4cf06fe7e0). Its answer to a kill comes when they are dead.
        if self.kind() == AddressKind::Podman {
            self.kill(id).await?;
        }
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let doing = format!("remove container `{}`", short(id));
        match self.call(&doing, WRITE_TIMEOUT, self.docker.remove_container(id, Some(options))).await {
            Err(error) if error.is_absence() => Ok(()),
            Err(error) if error.says(&["already in progress"]) => self.until_gone(id, error).await,
            other => other,
        }
    }

    async fn until_gone(&self, id: &str, error: EngineError) -> Result<(), EngineError> {
        let gone = async {
            loop {
                match self.inspect(id).await {
                    Err(error) if error.is_not_found() => return Ok(()),
                    Err(error) if error.is_engine_gone() => return Err(error),
                    // A concurrent removal is under way; the engine reports its end, not its progress.
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::time::timeout(REMOVAL_TIMEOUT, gone).await.unwrap_or(Err(error))
    }
}

/// Returns an id in short form.
pub(super) fn short(id: &str) -> &str {
    let hexadecimal = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal { &id[..12] } else { id }
}

/// Finds the reason in the runtime's message for a container that did not start.
pub(super) fn start_error(id: &str, error: EngineError) -> EngineError {
    let container = short(id).to_owned();
    let EngineError::Refused { message, .. } = &error else { return error };
    if error.says(&["no such container"]) {
        return EngineError::NotFound { kind: ResourceKind::Container, name: container };
    }
    if error.says(&["address already in use", "port is already allocated"]) {
        return EngineError::PortTaken { container, port: taken_port(message) };
    }
    let message = message.clone();
    if error.says(&["executable file not found", "executable file `", "stat /", "no such file or directory"])
        && error.says(&["exec", "start container process", "entrypoint"])
    {
        return EngineError::NoProgram { container, message };
    }
    if error.says(&["permission denied", "exec format error"]) && error.says(&["exec"]) {
        return EngineError::NotExecutable { container, message };
    }
    error
}

/// Returns the port in `… 127.0.0.1:8080: bind: address already in use`.
fn taken_port(message: &str) -> Option<u16> {
    message.match_indices("127.0.0.1:").find_map(|(at, prefix)| {
        let rest = &message[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, message: &str) -> EngineError {
        EngineError::Refused { doing: "start it".into(), status, message: message.into() }
    }

    #[test]
    fn start_error_classifies_runtime_messages() {
        let kind = |status, message: &str| start_error("c", refused(status, message));
        for text in [
            "driver failed programming external connectivity on endpoint c: Bind for 127.0.0.1:8080 failed: port is already allocated",
            "cannot listen on the TCP port: listen tcp4 127.0.0.1:8080: bind: address already in use",
        ] {
            assert!(matches!(kind(500, text), EngineError::PortTaken { port: Some(8080), .. }), "{text}");
        }
        for text in [
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown",
            "runc: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found",
            "crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found",
        ] {
            assert!(matches!(kind(400, text), EngineError::NoProgram { .. }), "{text}");
        }
        let text =
            "OCI runtime create failed: unable to start container process: exec: \"/etc\": permission denied";
        assert!(matches!(kind(400, text), EngineError::NotExecutable { .. }));
        assert!(matches!(kind(404, "No such container: c"), EngineError::NotFound { .. }));
        assert!(matches!(kind(500, "rlimit type 7"), EngineError::Refused { .. }));
    }

    #[test]
    fn short_truncates_ids_but_not_names() {
        assert_eq!(short(&"a".repeat(64)), "aaaaaaaaaaaa");
        assert_eq!(short("cki-1-service-over-twelve-letters"), "cki-1-service-over-twelve-letters");
    }
}
