//! The container engines, for real: `CKI_TEST_DOCKER` and `CKI_TEST_PODMAN` name those to use, as
//! `unix:///run/docker.sock`. Every scenario runs on each. The image is made from the static
//! busybox of this machine, so nothing is pulled.

mod clean_up;
mod containers;
mod discovery;
mod images;
mod inside;
mod lab;
mod output;

pub(crate) use discovery::hold_podman_service;

/// One test of each scenario for each engine.
macro_rules! on_both {
    ($($scenario:ident),* $(,)?) => {
        mod docker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
            async fn $scenario() {
                $crate::engine::lab::run(&$crate::support::docker(), super::$scenario).await;
            })*
        }
        mod podman {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
            async fn $scenario() {
                $crate::engine::lab::run(&$crate::support::podman(), super::$scenario).await;
            })*
        }
    };
}
use on_both;
