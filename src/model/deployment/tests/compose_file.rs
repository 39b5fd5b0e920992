//! Tests of the Compose files that the variable `COMPOSE_FILE` names.

use super::*;

#[test]
fn compose_file_variable_selects_the_files_of_a_directory() {
    let app = |values: &str| format!("services: {{app: {{image: x, environment: {{{values}}}}}}}");
    let (base, over) = (app("A: base, B: base"), app("A: override, O: '1'"));
    let prod = app("A: prod, N: '${COMPOSE_PROJECT_NAME:-x}'");
    let read_with = |env: &str| {
        let files = FileCache::of(&[
            ("My.App/compose.yaml", &base),
            ("My.App/compose.override.yaml", &over),
            ("My.App/prod.yaml", &prod),
            ("sub/prod.yaml", &prod),
            ("My.App/.env", env),
        ]);
        let item = DeploymentItem { files: &files, path: "My.App", container: None, place: "i:7" };
        read("app", &[item]).map(|read| (variables(&read), findings(&read)))
    };
    let names = |env: &str| {
        let (variables, findings) = read_with(env).expect(env);
        let mut bare: Vec<String> =
            variables.iter().map(|one| one.split(' ').next().unwrap_or("").to_owned()).collect();
        bare.sort();
        (bare.join(" "), findings.join("\n"))
    };
    let (values, notes) = names("");
    assert_eq!(values, "A=override B=base O=1");
    assert!(notes.contains("My.App/prod.yaml:1:1: Compose does not read this file"), "{notes}");
    assert_eq!(names("COMPOSE_FILE=prod.yaml\n").0, "A=prod N=myapp");
    assert_eq!(names("COMPOSE_FILE=compose.yaml:prod.yaml\n").0, "A=prod B=base N=myapp");
    assert_eq!(names("COMPOSE_FILE=/clone/My.App/prod.yaml\n").0, "A=prod N=myapp");
    let separated = "COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=prod.yaml;./compose.yaml\n";
    assert_eq!(names(separated).0, "A=base B=base N=myapp");
    assert_eq!(names("COMPOSE_FILE=../sub/prod.yaml\n").0, "A=prod N=sub");
    for (env, why) in [
        (
            "COMPOSE_FILE=prod.yaml:../../out.yaml",
            "names `../../out.yaml`, which is outside of the repository",
        ),
        ("COMPOSE_FILE=prod.yaml:/etc/x.yaml", "names `/etc/x.yaml`, which is outside of the repository"),
        ("COMPOSE_FILE=prod.yaml:none.yaml", "names `none.yaml`, and there is no such file"),
        ("COMPOSE_FILE=prod.yaml:", "names ``, which is no file"),
    ] {
        let (values, notes) = names(env);
        assert_eq!(values, "A=prod N=myapp", "{env}");
        assert!(notes.contains("My.App/.env:1:1: `COMPOSE_FILE` ") && notes.contains(why), "{env}: {notes}");
    }
    let (values, notes) = names("COMPOSE_FILE=$WHO.yaml");
    assert_eq!(values, "A=override B=base O=1");
    assert!(notes.contains("only a deployer knows all of `COMPOSE_FILE`"), "{notes}");
}

#[test]
fn compose_service_has_the_names_of_its_container_and_aliases() {
    let text = "services:\n  mysql57:\n    image: mysql\n    container_name: mysql\n    \
                networks: {back: {aliases: [db, mysql, '${NONE}']}, front: }\nnetworks: {back: , front: }\n";
    let files = FileCache::of(&[("compose.yaml", text)]);
    let item = DeploymentItem { files: &files, path: "compose.yaml", container: None, place: "i:7" };
    let read = read("mysql57", &[item]).expect("reads");
    assert_eq!(read.container.hostnames, ["mysql57", "mysql", "db"]);
}

#[test]
fn compose_volumes_tell_which_files_a_run_lacks() {
    let text = "services:\n  web:\n    image: x\n    volumes:\n      - ./front:/usr/src/app\n      \
                - /usr/src/app/node_modules\n      - data:/data\n      - media:/media:ro\n      \
                - /var/run/docker.sock:/var/run/docker.sock\n      - {type: tmpfs, target: /t}\n      \
                - {type: bind, source: ./conf.d, target: /etc/conf.d}\n      - {type: npipe, source: p, target: /p}\n  \
                gateway: {image: y, volumes: ['media:/media']}\nvolumes: {data: , media: }\n";
    let files = FileCache::of(&[("compose.yaml", text)]);
    let item = DeploymentItem { files: &files, path: "compose.yaml", container: Some("web"), place: "i:7" };
    let found = findings(&read("web", &[item]).expect("reads"));
    let messages: Vec<&str> =
        found.iter().filter_map(|one| one.split_once(": ")).map(|(_, text)| text).collect();
    assert_eq!(
        messages,
        [
            "`./front` is not mounted at `/usr/src/app` in a local run, except with `--mount` if `run.mount` of the entry has it",
            "`/media` is not shared with `gateway` in a local run: each has its own files there",
            "`/var/run/docker.sock` of the machine is not mounted at `/var/run/docker.sock` in a local run",
            "`./conf.d` is not mounted at `/etc/conf.d` in a local run, except with `--mount` if `run.mount` of the entry has it",
            "`/p` is a volume of kind `npipe`, and is not there in a local run",
        ]
    );
}
