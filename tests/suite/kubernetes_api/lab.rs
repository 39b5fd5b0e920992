//! A cluster of a test's own: etcd, the real API server and the controllers, a registry, and the stand-in for GitLab,
//! all on loopback. There is no kubelet and no scheduler: tests play them by patching the state of pods.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use cki::demo::gitlab::StandIn;
use serde_json::{Value, json};

use crate::support::cli::Cli;
use crate::support::ports::free_port;
use crate::support::{self, comes_true};

/// The namespace for staging.
pub(super) const NAMESPACE: &str = "cki-staging";

/// A running cluster; it ends when it is dropped.
pub(super) struct Lab {
    pub(super) cli: Cli,
    pub(super) stand_in: Arc<StandIn>,
    pub(super) registry: u16,
    directory: tempfile::TempDir,
    kubectl: String,
    children: Vec<Child>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The clients end before the servers.
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Lab {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let [etcd, peer, api, registry] = [(); 4].map(|()| free_port());
        let mut cli = Cli::new();
        let kubectl = support::kubectl();
        let config = directory.path().join("kubeconfig");
        cli.set("KUBECONFIG", config.as_os_str());
        cli.set("CKI_STAGE_KUBECTL", &kubectl);
        // So long that only a watch ends a rollout in time.
        cli.set("CKI_STAGE_INTERVAL", "300");
        let stand_in = crate::gitlab::stand_in();
        cli.set("CKI_GITLAB_URL", stand_in.url());
        cli.set("CKI_GITLAB_TOKEN", crate::gitlab::ALICE);
        let mut lab = Self { cli, stand_in, registry, directory, kubectl, children: Vec::new() };
        lab.write("tokens.csv", "admin-token,admin,1,system:masters\nreader-token,reader,2\n");
        lab.write("kubeconfig", &kubeconfig(api));
        lab.write("registry.yml", &registry_config(registry, &lab.path("images")));
        let made = Command::new("openssl").args(["genrsa", "-out", &lab.path("sa.key"), "2048"]).output();
        assert!(made.expect("openssl is there").status.success());
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let (client, cluster) = (at(etcd), format!("default={}", at(peer)));
        lab.spawn(
            "etcd",
            &[
                ("data-dir", &lab.path("etcd")),
                ("listen-client-urls", &client),
                ("advertise-client-urls", &client),
                ("listen-peer-urls", &at(peer)),
                ("initial-advertise-peer-urls", &at(peer)),
                ("initial-cluster", &cluster),
            ],
        );
        lab.spawn(
            "kube-apiserver",
            &[
                ("etcd-servers", &client),
                ("bind-address", "127.0.0.1"),
                ("secure-port", &api.to_string()),
                ("insecure-port", "0"),
                ("cert-dir", &lab.path("certs")),
                ("service-cluster-ip-range", "10.0.0.0/24"),
                ("service-account-key-file", &lab.path("sa.key")),
                ("service-account-signing-key-file", &lab.path("sa.key")),
                ("service-account-issuer", "https://cki.test"),
                ("token-auth-file", &lab.path("tokens.csv")),
                ("authorization-mode", "RBAC"),
                ("disable-admission-plugins", "ServiceAccount"),
            ],
        );
        let serve = lab.path("registry.yml");
        lab.run_server("docker-registry", &["serve", &serve]);
        lab.wait("the API server is ready", |lab| lab.try_kubectl(&["get", "--raw=/readyz"]).is_some());
        lab.spawn(
            "kube-controller-manager",
            &[
                ("kubeconfig", &config.display().to_string()),
                ("leader-elect", "false"),
                ("controllers", "garbagecollector,deployment,replicaset,statefulset,job,namespace"),
                ("secure-port", "0"),
                ("port", "0"),
            ],
        );
        lab.kubectl(&["create", "namespace", NAMESPACE]);
        lab
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).expect("writes");
    }

    fn spawn(&mut self, program: &str, flags: &[(&str, &str)]) {
        let flags: Vec<String> = flags.iter().map(|(name, value)| format!("--{name}={value}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.run_server(program, &flags);
    }

    fn run_server(&mut self, program: &str, arguments: &[&str]) {
        let file = Path::new(&support::kubernetes()).join(program);
        let log =
            std::fs::File::create(self.directory.path().join(format!("{program}.log"))).expect("writes");
        let child = Command::new(file)
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("duplicates"))
            .stderr(log)
            .spawn();
        self.children.push(child.expect("starts"));
    }

    /// Waits for something that the cluster does.
    #[track_caller]
    pub(super) fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        assert!(comes_true(|| is_so(self)), "{what} never: {}", self.logs());
    }

    /// The ends of the servers' logs.
    fn logs(&self) -> String {
        let names = ["etcd", "kube-apiserver", "kube-controller-manager", "docker-registry"];
        let logs = names.map(|name| {
            let text = std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(5).collect();
            format!("\n── {name}\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        });
        logs.concat()
    }

    /// Calls `kubectl` as the administrator.
    #[track_caller]
    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|| panic!("kubectl {arguments:?} fails{}", self.logs()))
    }

    pub(super) fn try_kubectl(&self, arguments: &[&str]) -> Option<String> {
        let namespace = format!("--namespace={NAMESPACE}");
        let output = Command::new(&self.kubectl)
            .env("KUBECONFIG", self.path("kubeconfig"))
            .args(["--context=staging", &namespace])
            .args(arguments)
            .output()
            .expect("starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Returns `kubectl` under another name.
    pub(super) fn program_called(&self, name: &str) -> String {
        let link = self.path(name);
        std::os::unix::fs::symlink(&self.kubectl, &link).expect("links");
        link
    }

    /// Returns an object of the cluster; null if there is none.
    pub(super) fn object(&self, kind: &str, name: &str) -> Value {
        let text = self.kubectl(&[
            "get",
            kind,
            name,
            "--ignore-not-found",
            "--show-managed-fields",
            "--output=json",
        ]);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Returns kind and name of the objects with a label, sorted.
    pub(super) fn names(&self, selector: &str) -> Vec<String> {
        let kinds = "configmaps,services,deployments,cronjobs,jobs,pods,replicasets";
        let text = self.kubectl(&["get", kinds, "--output=name", &format!("--selector={selector}")]);
        let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Plays the kubelet: gives the pods of a release a state.
    #[track_caller]
    pub(super) fn pods_become(&self, release: &str, status: &Value) {
        let selector = format!("cki.release={release}");
        self.wait("there are pods", |lab| lab.names(&selector).iter().any(|name| name.starts_with("pod/")));
        self.pods_with(&selector, status);
    }

    /// Gives the pods with a label a state; one may be removed meanwhile.
    pub(super) fn pods_with(&self, selector: &str, status: &Value) {
        for pod in self.names(selector).iter().filter_map(|name| name.strip_prefix("pod/")) {
            // `kubectl patch --subresource` needs a newer server.
            let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}/status");
            let mut whole = self.object("pod", pod);
            whole["status"] = status.clone();
            self.write("status.json", &whole.to_string());
            self.try_kubectl(&["replace", "--raw", &path, "--filename", &self.path("status.json")]);
        }
    }

    /// Publishes an image in the registry. Returns its digest.
    pub(super) fn publish(&self, path: &str, tag: &str) -> String {
        self.publish_config(path, tag, &json!({"tag": tag}))
    }

    /// Publishes an image that says from which commit it was built.
    pub(super) fn publish_commit(&self, path: &str, tag: &str, commit: &str) -> String {
        let labels = json!({"org.opencontainers.image.revision": commit});
        self.publish_config(path, tag, &json!({"tag": tag, "config": {"Labels": labels}}))
    }

    fn publish_config(&self, path: &str, tag: &str, config: &Value) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
        let base = format!("http://127.0.0.1:{}/v2/{path}", self.registry);
        runtime.block_on(async {
            let client = cki::base::http::HttpClient::default();
            let url: reqwest::Url = base.parse().expect("is an address");
            let client = client.client_for(&url).expect("is built");
            let config = config.to_string();
            let digest = sha256(config.as_bytes());
            let begun = client.post(format!("{base}/blobs/uploads/")).send().await.expect("answers");
            let location = begun.headers()["location"].to_str().expect("is text").to_owned();
            let sent = client.put(location).query(&[("digest", &digest)]).body(config.clone()).send().await;
            assert_eq!(sent.expect("answers").status(), 201);
            let media = "application/vnd.oci.image.manifest.v1+json";
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": media,
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": config.len(), "digest": digest},
                "layers": [],
            });
            let manifest = manifest.to_string();
            let put = client.put(format!("{base}/manifests/{tag}")).header("content-type", media);
            assert_eq!(put.body(manifest.clone()).send().await.expect("answers").status(), 201);
            sha256(manifest.as_bytes())
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", cki::base::digest::hex(&sha2::Sha256::digest(bytes)))
}

fn registry_config(port: u16, images: &str) -> String {
    format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {images}}}}}\n\
         http: {{addr: '127.0.0.1:{port}'}}\n"
    )
}

/// Returns a configuration with an administrator, a reader without rights, and somebody with a wrong token.
fn kubeconfig(port: u16) -> String {
    let user = |name: &str, token: &str| json!({"name": name, "user": {"token": token}});
    let context = |name: &str, user: &str| json!({"name": name, "context": {"cluster": "c", "user": user}});
    let cluster = json!({"server": format!("https://127.0.0.1:{port}"), "insecure-skip-tls-verify": true});
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}, {"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [user("admin", "admin-token"), user("reader", "reader-token"), user("nobody", "wrong-token")],
        "contexts": [
            context("staging", "admin"),
            context("reader", "reader"),
            context("nobody", "nobody"),
            {"name": "gone", "context": {"cluster": "gone", "user": "admin"}},
        ],
        // What `cki` must never fall back to.
        "current-context": "staging",
    });
    config.to_string()
}
