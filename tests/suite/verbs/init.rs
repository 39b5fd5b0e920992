//! `cki init`: the files that it writes for a repository, what it refuses, and the run that follows.

use std::path::Path;

use super::get;
use crate::support::cli::Cli;
use crate::support::engine::on;

/// Makes a repository of some files in the project's directory.
fn repository(cli: &Cli, files: &[(&str, &str)]) {
    git2::Repository::init(cli.project()).expect("makes a repository");
    for (path, text) in files {
        cli.write(path, text);
    }
}

const WEB: [(&str, &str); 3] = [
    (
        "Dockerfile",
        "FROM {busybox}\nCOPY . /srv\nEXPOSE {port}\nHEALTHCHECK CMD wget -q http://localhost:{port}/page || exit 1\n\
         CMD [\"sh\", \"-c\", \"cd /srv && exec busybox httpd -f -p {port}\"]\n",
    ),
    ("page", "a page of mine\n"),
    ("README.md", "| Variable | Meaning |\n|---|---|\n| `GREETING` | What to say: \"hello\" |\n"),
];

on!(docker, podman: init_and_run_local_reach_the_page);
fn init_and_run_local_reach_the_page(cli: &Cli) {
    repository(cli, &WEB);
    cli.run("init --yes").ends_with(0).says("Next: `cki run-local project`");
    let mut run = cli.start("run-local project");
    run.until("http://127.0.0.1:");
    assert!(get(cli.port, "/page").contains("a page of mine"));
    run.signal(nix::sys::signal::Signal::SIGINT);
    run.end().ends_with(130);
}

#[test]
fn init_reads_nothing_outside_of_the_repository() {
    let cli = Cli::new();
    cli.write("../far/Dockerfile", "FROM x\nCMD [\"of-another-directory\"]\n");
    repository(
        &cli,
        &[("compose.yaml", "services: {web: {build: link}, api: {build: {context: ., dockerfile: pipe}}}\n")],
    );
    std::os::unix::fs::symlink("../far", cli.project().join("link")).expect("links");
    nix::unistd::mkfifo(&cli.project().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    let outcome = cli.run("init --dry-run").fails();
    assert!(!outcome.stdout.contains("of-another-directory"), "{outcome}");
    outcome.says("there is no build file for `web`").says("the build file is missing, or no plain file");
}

#[test]
fn init_drafts_from_compose_sources_and_readme() {
    let cli = Cli::new();
    repository(
        &cli,
        &[
            ("web/Dockerfile", "FROM x\nEXPOSE 8000\n"),
            ("web/app.py", "import os\nos.environ['REDIS_URL']\nos.environ['API_KEY_NAME']\n"),
            ("worker/Dockerfile", "FROM x\nEXPOSE 9000\n"),
            ("docker/Dockerfile", "FROM x\n"),
            ("README.md", "| `API_KEY_NAME` | Name of the key: # \"it\" |\n"),
            (
                "compose.yaml",
                "services:\n  web: {build: web, ports: ['80:8000'], depends_on: [db, worker]}\n  worker: {build: worker, command: [work]}\n  \
                 tool: {build: {context: ., dockerfile: docker/Dockerfile}}\n  db: {image: 'postgres:16'}\n  odd: {image: 'mongo:7', profiles: [x]}\n",
            ),
        ],
    );
    let outcome = cli.run("init --dry-run").ends_with(0);
    for line in [
        "  - name: web\n",
        "      build: {repo: project, context: web}\n",
        "        - {repo: project, path: compose.yaml, container: web}\n",
        "        - {name: API_KEY_NAME, required: true, description: \"Name of the key: # \\\"it\\\"\"}\n",
        "        ports: [\"80:8000/http\"]\n",
        "        needs: [db, redis, worker]\n",
        "  - name: db\n",
        "      image: \"postgres:16\"\n",
        "        ready: {tcp: 5432}\n",
        "warning: compose.yaml:6: `odd` is left out: it has the profile `x`.\n",
        "warning: web/app.py:3: `web` requires `API_KEY_NAME`, which has no value: `-e API_KEY_NAME=VALUE`.\n",
    ] {
        assert!(outcome.to_string().contains(line), "{line}: {outcome}");
    }
    // An image's port is that of its own command.
    for none in ["name: REDIS_URL", "9000", "not drafted"] {
        assert!(!outcome.to_string().contains(none), "{none}: {outcome}");
    }
    assert!(!cli.project().join("cki.toml").exists());
    cli.run("init").ends_with(2).says("--yes");
    cli.run("init -y -o json").ends_with(0);
    cli.run("list").ends_with(0).says("worker");
    cli.run("run-local web --dry-run -e API_KEY_NAME=x").ends_with(0).says("2. redis");
    cli.run("init").ends_with(7).says("cki.toml` exists already").says("`cki init --dry-run`");
}

#[test]
fn init_reads_and_writes_nothing_outside_of_the_repository() {
    let cli = Cli::new();
    cli.run("init -n").ends_with(3).says("is in no git repository");
    repository(&cli, &[("notes", "")]);
    cli.run("init -n").ends_with(3).says("write a Containerfile first");
    let outside = cli.directory().join("outside");
    std::fs::create_dir(&outside).expect("makes a directory");
    std::fs::write(outside.join("Dockerfile"), "FROM secret\nEXPOSE 6666\n").expect("writes");
    let link =
        |from: &Path, to: &str| std::os::unix::fs::symlink(from, cli.project().join(to)).expect("links");
    link(&outside, "linked");
    link(&outside.join("Dockerfile"), "Dockerfile");
    nix::unistd::mkfifo(&cli.project().join("Containerfile"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    cli.run("init -n").ends_with(3);
    cli.write(
        "compose.yaml",
        "services:\n  a: {build: ../outside}\n  b: {build: /etc}\n  c: {build: {context: ., dockerfile: ../outside/Dockerfile}}\n  d: {build: .}\n",
    );
    let outcome = cli.run("init -n").ends_with(4).says("built from outside of the repository");
    assert!(!outcome.to_string().contains("6666"), "{outcome}");
    // Rubbish is reported, and no reason to fail.
    cli.write("compose.yaml", "services: [\n");
    cli.write("sub/Dockerfile", "FROM\nEXPOSE 0 99999 x/tcp $\nCMD [\"\n");
    cli.run("init -n").ends_with(0).says("compose.yaml: not read").says("no port of `sub` is known");
    link(&outside.join("inventory.yaml"), "inventory.yaml");
    cli.run("init -y").ends_with(7);
    assert!(!outside.join("inventory.yaml").exists());
}

#[test]
fn init_takes_what_readme_and_compose_file_state() {
    let cli = Cli::new();
    repository(
        &cli,
        &[
            ("Dockerfile", "FROM x\nWORKDIR /app\nCOPY . .\nCMD [\"run\"]\n"),
            (
                "README.md",
                "# Guestbook\n\nGuestbook keeps what visitors write. It is small.\n\n\
                 | Variable | Required | Default | Secret | Description |\n|---|---|---|---|---|\n\
                 | `API_URL` | yes | | | Where the API is |\n| `LEVEL` | no | `info` | | How much to log |\n\
                 | `SESSION` | yes | | yes | Signs sessions |\n",
            ),
            (
                "compose.yaml",
                "services:\n  web:\n    build: .\n    ports: ['8080:80']\n    depends_on: [redis, db]\n    \
                 environment: {DB_URL: 'postgres://u:words@db/x'}\n  redis: {image: 'redis:7-alpine'}\n  \
                 db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: words}}\n",
            ),
        ],
    );
    let outcome = cli.run("init --yes").ends_with(0);
    for line in [
        "      description: Guestbook keeps what visitors write.\n",
        "    redis: {image: \"redis:7-alpine\"}\n",
        "        - {name: API_URL, required: true, description: \"Where the API is\"}\n",
        "        - {name: LEVEL, default: info, description: \"How much to log\"}\n",
        "        - {name: SESSION, required: true, secret: true, description: \"Signs sessions\"}\n",
        "        - {name: DB_URL, secret: keep}\n",
        "        - {name: POSTGRES_PASSWORD, secret: keep}\n",
        "        workdir: /app\n",
        "        ports: [\"8080:80/http\"]\n",
        "        needs: [db, redis]\n",
        "  - name: db\n",
    ] {
        assert!(
            outcome
                .to_string()
                .replace("\"Guestbook keeps what visitors write.\"", "Guestbook keeps what visitors write.")
                .contains(line),
            "{line}: {outcome}"
        );
    }
    // The next command has all that the run demands.
    let next = outcome.stderr.split("Next: `cki ").nth(1).and_then(|rest| rest.split('`').next());
    let next = next.expect("names the next command");
    assert!(next.ends_with("-e API_URL=VALUE"), "{outcome}");
    let plan = cli.run(&format!("{} --dry-run", next.replace("VALUE", "http://stub"))).ends_with(0);
    assert!(plan.stdout.contains("http://127.0.0.1:8080 to port 80"), "{plan}");
    cli.run("run-local --dry-run -e API_URL=x --mount --engine docker").ends_with(0).says("/app");
}

/// A default becomes a real secret once the user has changed the file: no output shows it.
#[test]
fn init_keeps_secrets_that_the_user_changes_later_hidden() {
    let cli = Cli::new();
    let names = ["SECRET_KEY", "FIRST_SUPERUSER_PASSWORD", "POSTGRES_PASSWORD", "EMAIL_HOST_PASSWORD"];
    let lines: String = names.iter().map(|name| format!("      {name}: ${{{name}}}\n")).collect();
    let dotenv = |value: &str| names.iter().map(|name| format!("{name}={value}\n")).collect::<String>();
    let compose = format!(
        "services:\n  web:\n    build: .\n    depends_on: [db]\n    environment:\n{lines}      \
         DB: host=db password=${{POSTGRES_PASSWORD}}\n      PLAIN: words\n  \
         db: {{image: 'postgres:16', environment: {{POSTGRES_PASSWORD: '${{POSTGRES_PASSWORD}}'}}}}\n"
    );
    let readme = "| Variable | Secret |\n|---|---|\n| `SECRET_KEY` | no |\n| `API_TOKEN` | no |\n";
    repository(
        &cli,
        &[("Dockerfile", "FROM x\nCMD [\"run\"]\n"), ("README.md", readme), ("compose.yaml", &compose)],
    );
    cli.write(".env", &dotenv("changethis"));
    cli.run("init --yes").ends_with(0);
    let inventory = std::fs::read_to_string(cli.project().join("inventory.yaml")).expect("is written");
    assert!(!inventory.contains("secret: false"), "{inventory}");
    for name in names {
        assert!(inventory.contains(&format!("{{name: {name}, secret: keep}}")), "{name}: {inventory}");
    }
    cli.write(".env", &dotenv("correcthorse99"));
    let web = "run-local project --engine docker";
    for line in [
        "env project".to_owned(),
        "env project --explain".to_owned(),
        "env project -o json".to_owned(),
        "env project -o dotenv".to_owned(),
        "env project -o shell".to_owned(),
        "env db --explain".to_owned(),
        format!("{web} --print compose"),
        format!("{web} --print kube"),
        format!("{web} --dry-run"),
        format!("{web} --dry-run -o json"),
    ] {
        let shown = cli.run(&line).ends_with(0);
        assert!(!shown.to_string().contains("correcthorse99"), "{line}: {shown}");
        assert!(!line.starts_with("env project") || shown.to_string().contains("words"), "{line}: {shown}");
    }
    // The programs get it: it is the same on both sides.
    let printed = cli.run(&format!("{web} --print compose --reveal")).ends_with(0).stdout;
    assert_eq!(printed.matches("correcthorse99").count(), names.len() + 2, "{printed}");
}

#[test]
fn init_names_the_next_command_from_where_the_user_stands() {
    let cli = Cli::new();
    cli.write("../my guestbook/Dockerfile", "FROM x\nEXPOSE 8000\nCMD [\"run\"]\n");
    git2::Repository::init(cli.directory().join("my guestbook")).expect("makes a repository");
    let outcome = cli.run("init '../my guestbook' --yes").ends_with(0);
    let next = outcome
        .stderr
        .split('`')
        .rfind(|part| part.starts_with("cd "))
        .expect("names a directory")
        .to_owned();
    // Instead of `cki`, a program that prints its directory.
    let typed = std::process::Command::new("sh")
        .args(["-c", &format!("cki() {{ pwd; }}; {next}")])
        .current_dir(cli.project())
        .output()
        .expect("runs");
    let place = String::from_utf8_lossy(&typed.stdout).trim().to_owned();
    assert_eq!(Path::new(&place), cli.directory().join("my guestbook"), "{next}");
    cli.write("Dockerfile", "FROM x\nEXPOSE 8000\nCMD [\"run\"]\n");
    git2::Repository::init(cli.project()).expect("makes a repository");
    let called = cli.call("init --yes").set("CKI_INVENTORY", "elsewhere.yaml").end().ends_with(0);
    called.says("Next: `cki run-local project --inventory inventory.yaml`");
}

#[test]
fn init_keeps_mounted_files_proxied_ports_and_own_images() {
    let cli = Cli::new();
    repository(
        &cli,
        &[
            ("backend/Dockerfile", "FROM x\n"),
            ("backend/app.py", "import os\nos.environ['REDIS_URL']\n"),
            ("db/password.txt", "hush\n"),
            ("proxy/nginx.conf", "location / { proxy_pass http://backend:8017; }\n"),
            (
                "compose.yaml",
                "services:\n  backend: {build: backend, depends_on: [redis], secrets: [password, key]}\n  \
                 proxy: {image: nginx, ports: ['80:80'], volumes: ['./proxy/nginx.conf:/etc/nginx.conf:ro', \
                 './db:/etc/db', 'data:/data']}\n  \
                 redis: {image: example/fast-cache, ports: ['6379:6379']}\n\
                 secrets: {password: {file: db/password.txt}, key: {environment: KEY}}\nvolumes: {data: }\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  backend: {volumes: ['./backend:/srv/app'], environment: {DEBUG_LEVEL: '1'}}\n  \
                 extra: {image: example/extra, ports: ['81:80']}\n",
            ),
        ],
    );
    let outcome = cli.run("init --dry-run").ends_with(0);
    for line in [
        "  services:\n    redis: {image: \"example/fast-cache\"}\n",
        "        ports: [8017/http]\n",
        "        needs: [redis]\n",
        "        watch: {sync: [{from: db/password.txt, to: /run/secrets/password}]}\n",
        "        mount: {backend: /srv/app, db/password.txt: /run/secrets/password}\n",
        "        mount: {db: /etc/db}\n",
        "        - {repo: project, path: compose.override.yaml, container: backend}\n",
        "  - name: extra\n",
        "        - {name: DEBUG_LEVEL}\n",
    ] {
        let line = line.replace("\"example/fast-cache\"", "example/fast-cache");
        assert!(outcome.stdout.contains(&line), "{line}{outcome}");
    }
    assert!(!outcome.stdout.contains("hush"), "{outcome}");
    outcome
        .says("expects the directory `backend` at `/srv/app`, which only a run with `--mount` has")
        .says("expects the secret `password` at `/run/secrets/password`, which only a run with `--watch` has")
        .says("expects the secret `key` at `/run/secrets/key`, which a run does not have");
}

#[test]
fn init_needs_what_the_compose_file_defines() {
    let cli = Cli::new();
    repository(
        &cli,
        &[
            ("web/Dockerfile", "FROM x\n"),
            (
                "web/app.py",
                "import os\nos.environ['DATABASE_URL']\nos.environ['POSTGRES_DB']\nos.environ['S3_BUCKET']\n\
                 os.getenv('REDIS_URL')\n",
            ),
            ("jobs/Dockerfile", "FROM x\n"),
            (
                "jobs/src/main/resources/application.properties",
                "spring.datasource.url=jdbc:mysql://db:3306/x\n",
            ),
            ("web.env", "MQ_URL=amqp://u:${PW}@rabbitmq:5672/\n"),
            (
                "compose.yaml",
                "services:\n  web:\n    build: web\n    env_file: web.env\n    \
                 environment: {DATABASE_URL: 'mysql://root:pw@db:3306/x', S3_BUCKET: '', USE_S3: 'false'}\n    \
                 healthcheck: {test: [CMD, check]}\n  jobs: {build: jobs}\n  \
                 api: {image: example/api, environment: {POSTGRES_HOST: main-db, POSTGRES_DB: api}}\n  \
                 main-db: {image: 'postgres:12', healthcheck: {test: [NONE]}}\n  \
                 rabbitmq: {image: 'rabbitmq:3'}\n  db: {image: 'mysql:8', env_file: web.env}\n",
            ),
        ],
    );
    let outcome = cli.run("init --dry-run").ends_with(0);
    let entries: Vec<&str> = outcome.stdout.split("- name: ").skip(1).collect();
    let entry = |name: &str| *entries.iter().find(|one| one.starts_with(&format!("{name}\n"))).expect(name);
    // Another login than that of the backing service: the Compose file's own runs.
    for (name, needs) in [
        ("web", "needs: [db, project-rabbitmq]"),
        ("jobs", "needs: [db]"),
        ("api", "needs: [main-db]"),
        ("main-db", "ready: {tcp: 5432}"),
        ("db", "ready: {tcp: 3306}"),
        ("db", "needs: []"),
        ("project-rabbitmq", "image: \"rabbitmq:3\""),
    ] {
        assert!(entry(name).contains(needs), "{name}: {needs}: {outcome}");
    }
    // The deployment has the probe.
    assert!(!entry("web").contains("ready:"), "{outcome}");
    // A project of images only, in a directory of another name.
    cli.write("compose.yaml", "services: {db: {image: 'mysql:8'}, site: {image: wordpress, ports: ['80:80'], environment: {WORDPRESS_DB_HOST: db}}}\n");
    for directory in ["web", "jobs"] {
        std::fs::remove_dir_all(cli.project().join(directory)).expect("removes");
    }
    let outcome = cli.run("init --dry-run").ends_with(0);
    assert!(outcome.stdout.contains("name: site") && outcome.stdout.contains("needs: [db]"), "{outcome}");
    cli.write("Dockerfile", "FROM x\nEXPOSE 9898\n");
    cli.write("go.mod", "module example.org/me/podinfo/v2\n");
    cli.write(
        "compose.yaml",
        "services: {web: {image: 'ghcr.io/me/podinfo:1'}, other: {image: 'me/other'}}\n",
    );
    let outcome = cli.run("init --dry-run").ends_with(0);
    assert!(
        outcome.stdout.contains("container: web}") && outcome.stdout.contains("build: {repo: project}"),
        "{outcome}"
    );
}

#[test]
fn init_leaves_the_command_to_the_kubernetes_workload() {
    let cli = Cli::new();
    let deployment = |command: &str| {
        format!(
            "kind: Deployment\napiVersion: apps/v1\nmetadata: {{name: project}}\nspec: {{template: {{spec: {{containers: \
             [{{name: a, image: x{command}, ports: [{{containerPort: 9898}}]}}]}}}}}}\n"
        )
    };
    repository(
        &cli,
        &[("Dockerfile", "FROM x\nCMD [\"own\"]\n"), ("k8s/d.yaml", &deployment(", args: [--port=9898]"))],
    );
    let with = cli.run("init --dry-run").ends_with(0).stdout;
    assert!(with.contains("path: k8s/d.yaml") && !with.contains("command: [own]"), "{with}");
    cli.write("k8s/d.yaml", &deployment(""));
    let without = cli.run("init --dry-run").ends_with(0).stdout;
    assert!(without.contains("command: [own]"), "{without}");
}
