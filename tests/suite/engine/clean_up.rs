//! Tests of cleanup on a real engine: it removes all labelled resources of `cki`, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions,
};
use cki::model::identity::RunId;
use cki::systems::engine::AddressKind;

use super::lab::{BOX, Lab};
use super::on_both;

on_both!(
    prune_removes_labelled_resources_only,
    prune_applies_its_predicate,
    prune_removes_leftovers_of_cancelled_calls,
    remove_deletes_anonymous_volumes,
);

async fn prune_removes_labelled_resources_only(lab: Arc<Lab>) {
    // Somebody else's, with no label, and with one that looks like ours but is not.
    let other = Docker::connect_with_host(lab.engine.address()).expect("connects");
    let name = format!("foreign-{}", lab.run);
    for (suffix, labels) in
        [("a", HashMap::new()), ("b", HashMap::from([("cki.run".to_owned(), lab.run.to_string())]))]
    {
        let options = CreateContainerOptionsBuilder::new().name(&format!("{name}-{suffix}")).build();
        let body = ContainerCreateBody {
            image: Some(BOX.to_owned()),
            cmd: Some(vec!["true".to_owned()]),
            labels: Some(labels.clone()),
            ..Default::default()
        };
        other.create_container(Some(options), body).await.expect("creates");
        let network = NetworkCreateRequest {
            name: format!("{name}-{suffix}"),
            labels: Some(labels.clone()),
            ..Default::default()
        };
        other.create_network(network).await.expect("creates");
        let volume = VolumeCreateRequest {
            name: Some(format!("{name}-{suffix}")),
            labels: Some(labels),
            ..Default::default()
        };
        other.create_volume(volume).await.expect("creates");
    }
    // With labels of ours, as of an image that has them.
    let body = ContainerCreateBody {
        image: Some(BOX.to_owned()),
        labels: Some(lab.labels().into_iter().collect()),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&format!("{name}-c")).build();
    other.create_container(Some(options), body).await.expect("creates");
    let network = lab.engine.create_network(&lab.name(), lab.labels(), false).await.expect("creates");
    for _ in 0..3 {
        let mut spec = lab.shell("sleep 1000");
        spec.network = Some((network.clone(), Vec::new()));
        spec.volumes = vec!["/data".to_owned()];
        lab.create_and_start(&spec).await;
    }
    lab.engine.create(&lab.shell("true")).await.expect("creates");
    let report = lab.prune().await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!((report.containers.len(), report.networks.len()), (4, 1));
    let again = lab.prune().await;
    assert_eq!((again.containers.len(), again.networks.len(), again.volumes.len()), (0, 0, 0));
    assert!(again.errors.is_empty(), "{:?}", again.errors);
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    other.remove_container(&format!("{name}-c"), Some(force)).await.expect("survives");
    for suffix in ["a", "b"] {
        let name = format!("{name}-{suffix}");
        other.inspect_container(&name, None::<InspectContainerOptions>).await.expect("survives");
        other.inspect_network(&name, None::<InspectNetworkOptions>).await.expect("survives");
        other.inspect_volume(&name).await.expect("survives");
        let force = RemoveContainerOptionsBuilder::new().force(true).build();
        other.remove_container(&name, Some(force)).await.expect("removes");
        other.remove_network(&name).await.expect("removes");
        other.remove_volume(&name, None::<RemoveVolumeOptions>).await.expect("removes");
    }
}

async fn prune_applies_its_predicate(lab: Arc<Lab>) {
    let mut other = lab.identity();
    other.run = RunId::new(lab.run.as_str().as_bytes());
    let mut spec = lab.shell("sleep 1000");
    spec.labels = other.to_labels();
    spec.name = format!("cki-{}-theirs", other.run);
    let theirs = lab.engine.create(&spec).await.expect("creates");
    let ours = lab.engine.create(&lab.shell("sleep 1000")).await.expect("creates");
    assert_eq!(lab.prune().await.containers.len(), 1);
    assert!(lab.engine.inside(&ours).await.is_err_and(|error| error.is_not_found()));
    lab.engine.inside(&theirs).await.expect("is still there");
    let run = other.run.clone();
    assert_eq!(lab.engine.list(Some(&run)).await.expect("lists").len(), 1);
    let report = lab.engine.prune(|who| who.run == run).await.expect("prunes");
    assert_eq!(report.containers.len(), 1);
}

async fn prune_removes_leftovers_of_cancelled_calls(lab: Arc<Lab>) {
    let mut made = 0;
    for millis in [1, 3, 5, 10, 20, 40, 80, 120, 160, 200, 250, 300, 400, 600] {
        let whole = async {
            let network = lab.engine.create_network(&lab.name(), lab.labels(), false).await?;
            let mut spec = lab.shell("sleep 1000");
            spec.network = Some((network, Vec::new()));
            spec.volumes = vec!["/data".to_owned()];
            let id = lab.engine.create(&spec).await?;
            let output = lab.engine.attach(&id).await?;
            lab.start(&id).await?;
            Ok::<_, cki::systems::engine::EngineError>(output)
        };
        let _ = tokio::time::timeout(Duration::from_millis(millis), whole).await;
        let report = lab.prune().await;
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        made += report.networks.len() + report.containers.len();
        lab.assert_nothing_left().await;
    }
    assert!(made > 0);
}

async fn remove_deletes_anonymous_volumes(lab: Arc<Lab>) {
    let other = Docker::connect_with_host(lab.engine.address()).expect("connects");
    let mine = async |id: &str| -> Option<String> {
        let facts = other.inspect_container(id, None::<InspectContainerOptions>).await.ok()?;
        facts.mounts?.into_iter().find_map(|mount| mount.name)
    };
    let mut spec = lab.shell("echo kept > /data/x");
    spec.volumes = vec!["/data".to_owned()];
    let id = lab.engine.create(&spec).await.expect("creates");
    let volume = mine(&id).await.expect("has a volume");
    lab.start(&id).await.expect("starts");
    lab.engine.wait(&id).await.expect("ends");
    other.inspect_volume(&volume).await.expect("is there");
    lab.engine.remove(&id).await.expect("removes");
    other.inspect_volume(&volume).await.expect_err("is gone");
    // Podman does not label anonymous volumes.
    if lab.engine.kind() == AddressKind::Docker {
        spec.name = lab.name();
        let id = lab.engine.create(&spec).await.expect("creates");
        let volume = mine(&id).await.expect("has a volume");
        // By somebody who does not think of volumes.
        let force = RemoveContainerOptionsBuilder::new().force(true).build();
        other.remove_container(&id, Some(force)).await.expect("removes");
        other.inspect_volume(&volume).await.expect("was left");
        assert_eq!(lab.prune().await.volumes, [volume]);
    }
}
