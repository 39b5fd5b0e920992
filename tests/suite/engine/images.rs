//! Building, looking at and removing images.

use std::sync::Arc;

use cki::model::event::Events;
use cki::systems::engine::context::{Dockerfile, PackedContext, pack};
use cki::systems::engine::{BuildRequest, EngineError, PullCause};

use super::lab::{BOX, Heard, Lab, packed};
use super::on_both;
use crate::support::directory_with;

on_both!(
    build_applies_dockerignore,
    build_excludes_a_generated_dockerfile,
    build_reports_the_failing_step_with_its_last_lines,
    build_reports_an_invalid_dockerfile,
    build_passes_args_target_and_labels,
    build_makes_no_image_when_dropped,
    images_can_be_tagged_inspected_and_removed,
    image_lookup_survives_concurrent_removals,
    pull_names_an_image_that_is_unreachable,
);

async fn build(lab: &Lab, tag: &str, context: &PackedContext) -> (Result<String, EngineError>, Heard) {
    let request = BuildRequest { tag: tag.to_owned(), ..Default::default() };
    let heard = Heard::default();
    let events = Events::new(heard.clone());
    let task = events.start("image", "building");
    (lab.engine.build(&request, context, &task, &events).await, heard)
}

fn tag(lab: &Lab) -> String {
    format!("cki-test/{}:1", lab.run)
}

async fn files_in(lab: &Lab, image: &str, directory: &str) -> Vec<String> {
    let mut spec = lab.shell(&format!("cd {directory} && find . -type f -o -type l | sort"));
    spec.image = image.to_owned();
    let (code, out, err) = lab.run_to_exit(&spec).await;
    assert_eq!((code, err.as_str()), (0, ""));
    out.lines().map(str::to_owned).collect()
}

async fn build_applies_dockerignore(lab: Arc<Lab>) {
    let directory = directory_with(&[
        ("Dockerfile", &format!("FROM {BOX}\nCOPY . /ctx/\nRUN echo to-stdout; echo to-stderr >&2\n")),
        (".dockerignore", "**/*.log\n!keep.log\nsecret\nDockerfile\n"),
        ("a", ""),
        ("a.log", ""),
        ("deep/b.log", ""),
        ("deep/keep.log", ""),
        ("keep.log", ""),
        ("secret/key", ""),
        ("src/main", ""),
    ]);
    std::os::unix::fs::symlink("/etc/hostname", directory.path().join("link")).expect("links");
    let context = packed(directory.path());
    let (id, heard) = build(&lab, &tag(&lab), &context).await;
    let id = id.expect("builds");
    assert_eq!(
        files_in(&lab, &tag(&lab), "/ctx").await,
        ["./.dockerignore", "./a", "./keep.log", "./link", "./src/main"]
    );
    let lines = heard.lines();
    for line in ["to-stdout", "to-stderr"] {
        assert!(lines.iter().any(|heard| heard == line), "{lines:?}");
    }
    assert_eq!(heard.progress().first(), Some(&(0, Some(3))));
    let (again, _) = build(&lab, &tag(&lab), &context).await;
    assert_eq!(again.expect("builds"), id, "nothing has changed");
    assert!(lab.engine.remove_image(&tag(&lab)).await.expect("removes"));
}

async fn build_excludes_a_generated_dockerfile(lab: Arc<Lab>) {
    let directory = directory_with(&[("builds/x.in", "#include"), ("a", "")]);
    let text = format!("FROM {BOX}\nCOPY . /ctx/\n");
    let made = Dockerfile::Made { from: "builds/x.in".into(), text };
    let context = pack(directory.path(), &made, directory.path()).expect("packs");
    build(&lab, &tag(&lab), &context).await.0.expect("builds");
    assert_eq!(files_in(&lab, &tag(&lab), "/ctx").await, ["./a", "./builds/x.in"]);
    lab.engine.remove_image(&tag(&lab)).await.expect("removes");
}

async fn build_reports_the_failing_step_with_its_last_lines(lab: Arc<Lab>) {
    let script = "RUN for i in $(seq 15); do echo line $i; done; printf '\\033[31mabout to fail\\033[0m\\n' >&2; exit 7";
    let directory = directory_with(&[("Dockerfile", &format!("FROM {BOX}\n{script}\n"))]);
    let (result, _) = build(&lab, &tag(&lab), &packed(directory.path())).await;
    let EngineError::BuildFailed { step, message, last, .. } = result.expect_err("fails") else {
        panic!("it is the build that failed");
    };
    assert!(step.is_some_and(|step| step.starts_with("step 2/2: RUN for i in")));
    assert!(message.contains('7'), "{message}");
    assert!(last.iter().any(|line| line == "about to fail") && last.len() <= 20, "{last:?}");
    assert_eq!(lab.engine.image(&tag(&lab)).await.expect("answers"), None);
}

async fn build_reports_an_invalid_dockerfile(lab: Arc<Lab>) {
    for text in ["FROM", "NONSENSE x\n", "FROM scratch\nCOPY nope /\n", ""] {
        let directory = directory_with(&[("Dockerfile", text)]);
        let (result, _) = build(&lab, &tag(&lab), &packed(directory.path())).await;
        let error = result.expect_err(text);
        assert!(matches!(error, EngineError::BuildFailed { .. }), "{text:?}: {error}");
    }
    let (result, _) = build(&lab, "Not A Tag", &packed(directory_with(&[("Dockerfile", "")]).path())).await;
    assert!(matches!(result, Err(EngineError::Invalid { .. })));
}

async fn build_passes_args_target_and_labels(lab: Arc<Lab>) {
    let text =
        format!("FROM {BOX} AS first\nARG WHO=nobody\nRUN echo \"$WHO\" > /who\nFROM {BOX}\nRUN exit 1\n");
    let directory = directory_with(&[("Dockerfile", &text)]);
    let request = BuildRequest {
        tag: tag(&lab),
        args: [("WHO".to_owned(), "me & \"you\"".to_owned())].into(),
        labels: [("cki.test".to_owned(), "ü = 1".to_owned())].into(),
        target: Some("first".to_owned()),
        no_cache: true,
        ..Default::default()
    };
    let events = Events::silent();
    let task = events.start("image", "building");
    let id = lab.engine.build(&request, &packed(directory.path()), &task, &events).await.expect("builds");
    let facts = lab.engine.image(&tag(&lab)).await.expect("answers").expect("is there");
    assert_eq!(facts.id, id);
    assert_eq!(facts.labels.get("cki.test").map(String::as_str), Some("ü = 1"));
    assert_eq!(facts.environment.get("BAKED").map(String::as_str), Some("in"));
    assert_eq!((facts.workdir.as_deref(), facts.command.as_slice()), (Some("/tmp"), &["sh".to_owned()][..]));
    assert!(facts.size > 100_000 && facts.created.is_some());
    let listed = lab.engine.images_with_label("cki.test").await.expect("lists");
    assert!(listed.iter().any(|image| image.id == id && image.tags == [tag(&lab)]), "{listed:?}");
    let mut spec = lab.shell("cat /who");
    spec.image = tag(&lab);
    assert_eq!(lab.run_to_exit(&spec).await.1, "me & \"you\"\n");
    lab.engine.remove_image(&tag(&lab)).await.expect("removes");
}

async fn build_makes_no_image_when_dropped(lab: Arc<Lab>) {
    let directory = directory_with(&[("Dockerfile", &format!("FROM {BOX}\nRUN echo begun && sleep 3\n"))]);
    let context = packed(directory.path());
    let heard = Heard::default();
    let events = Events::new(heard.clone());
    let task = events.start("image", "building");
    let request = BuildRequest { tag: tag(&lab), no_cache: true, ..Default::default() };
    let begun = super::lab::eventually("the step runs", || {
        let begun = heard.lines().iter().any(|line| line == "begun");
        async move { begun }
    });
    tokio::select! {
        result = lab.engine.build(&request, &context, &task, &events) => panic!("it ended: {result:?}"),
        () = begun => {}
    }
    assert_eq!(lab.engine.image(&tag(&lab)).await.expect("answers"), None);
}

async fn images_can_be_tagged_inspected_and_removed(lab: Arc<Lab>) {
    let (one, two) = (tag(&lab), format!("localhost:5000/cki-test/{}", lab.run));
    lab.engine.tag_image(BOX, &one).await.expect("tags");
    lab.engine.tag_image(BOX, &two).await.expect("tags");
    let original = lab.engine.image(BOX).await.expect("answers").expect("is there");
    for name in [&one, &two, &original.id] {
        let facts = lab.engine.image(name).await.expect("answers").expect("is there");
        assert_eq!(facts.id, original.id);
    }
    assert!(lab.engine.remove_image(&one).await.expect("removes"));
    assert!(lab.engine.remove_image(&two).await.expect("removes"));
    assert!(!lab.engine.remove_image(&two).await.expect("is gone"));
    assert_eq!(lab.engine.image(&one).await.expect("answers"), None);
    let error = lab.engine.tag_image("cki-test/nope:1", &one).await.expect_err("there is none");
    assert!(error.is_not_found(), "{error}");
    assert!(matches!(lab.engine.image("a/../b?x=1").await, Err(EngineError::Invalid { .. })));
}

/// Podman fails on images that vanish while it reads its store, whichever image the request names.
async fn image_lookup_survives_concurrent_removals(lab: Arc<Lab>) {
    let churn = async {
        for round in 0..12 {
            let dockerfile = format!("FROM {BOX}\nRUN echo {round} > /tmp/round\n");
            let context = packed(directory_with(&[("Dockerfile", &dockerfile)]).path());
            let name = tag(&lab);
            // A build may fail beside the other tests; what is under test is the reader.
            let is_built = build(&lab, &name, &context).await.0.is_ok();
            assert!(lab.engine.remove_image(&name).await.expect("removes") || !is_built);
        }
    };
    let look = async {
        loop {
            assert!(lab.engine.image(BOX).await.expect("looks").is_some());
            lab.engine.images_with_label("cki-test.absent").await.expect("lists");
            let id = lab.engine.create(&lab.shell("true")).await.expect("creates");
            lab.engine.remove(&id).await.expect("removes");
        }
    };
    tokio::select! { () = churn => (), () = look => () }
}

async fn pull_names_an_image_that_is_unreachable(lab: Arc<Lab>) {
    let task = Events::silent().start("image", "pulling");
    let error = lab.engine.pull("127.0.0.1:1/cki/nope:1", &task).await.expect_err("nobody listens");
    let EngineError::PullFailed { image, cause, message, .. } = error else { panic!("{error}") };
    assert_eq!((image.as_str(), cause), ("127.0.0.1:1/cki/nope:1", PullCause::Unreachable), "{message}");
}
