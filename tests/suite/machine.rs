//! Whether `tests/run` has set up what the other tests build upon: each engine with the images,
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
async fn docker_has_the_images() {
    match support::docker() {
        Some(address) => has_the_images(&address).await,
        None => support::skip("the images in Docker", "CKI_TEST_DOCKER is not set"),
    }
}

#[tokio::test]
async fn podman_has_the_images() {
    match support::podman() {
        Some(address) => has_the_images(&address).await,
        None => support::skip("the images in Podman", "CKI_TEST_PODMAN is not set"),
    }
}

#[test]
fn a_podman_program_sees_what_its_service_sees() {
    let Some(environment) = support::podman_environment() else {
        return support::skip("the storage of a `podman` program", "CKI_TEST_CONTAINERS_CONF is not set");
    };
    let output = Command::new("podman")
        .args(["images", "--format", "{{.Repository}}:{{.Tag}}"])
        .envs(environment)
        .output()
        .expect("runs podman");
    let names = String::from_utf8_lossy(&output.stdout);
    for image in images() {
        assert!(names.lines().any(|name| name == image), "{image} is not in: {names}");
    }
}

#[test]
fn python_has_the_independent_clients() {
    let Some(python) = support::python() else {
        return support::skip("the independent clients", "CKI_TEST_PYTHON is not set");
    };
    let status = Command::new(python).args(["-c", "import gitlab, pika"]).status().expect("runs Python");
    assert!(status.success());
}
