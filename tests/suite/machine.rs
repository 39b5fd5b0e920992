//! Checks of the work of `tests/run`, on which the other tests build: each engine with the images,
//! names that containers on a network of their own resolve, the independent clients. What `cki`
//! makes of them is tested elsewhere.

use std::process::Command;

use bollard::Docker;

use crate::support;
use crate::support::cli::{BUSYBOX, POSTGRES, PYTHON, RABBITMQ, VALKEY};

/// The names of the images.
fn images() -> [&'static str; 5] {
    [BUSYBOX, PYTHON, RABBITMQ, POSTGRES, VALKEY]
}

async fn has_the_images(address: &str) {
    let engine = Docker::connect_with_unix(address, 10, bollard::API_DEFAULT_VERSION).expect("an address");
    for image in images() {
        engine.inspect_image(image).await.unwrap_or_else(|error| panic!("{image} at {address}: {error}"));
    }
}

#[tokio::test]
#[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
async fn docker_has_the_images() {
    has_the_images(&support::docker()).await;
}

#[tokio::test]
#[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
async fn podman_has_the_images() {
    has_the_images(&support::podman()).await;
}

#[test]
#[ignore = "needs CKI_TEST_CONTAINERS_CONF (bash tests/run)"]
fn podman_program_lists_the_images_of_its_service() {
    let output = Command::new("podman")
        .args(["images", "--format", "{{.Repository}}:{{.Tag}}"])
        .envs(support::podman_environment())
        .output()
        .expect("runs podman");
    let names = String::from_utf8_lossy(&output.stdout);
    for image in images() {
        assert!(names.lines().any(|name| name == image), "{image} is not in: {names}");
    }
}

#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn python_has_the_independent_clients() {
    let python = support::python();
    let status = Command::new(python).args(["-c", "import gitlab, pika"]).status().expect("runs Python");
    assert!(status.success());
}
