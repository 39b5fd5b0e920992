//! The engines of the tests through their own clients: listing, creating and removing resources without `cki`.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cki::base::process_ref::ProcessRef;
use cki::systems::git::CommitId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::cli::BUSYBOX;

/// Engine that runs components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Docker,
    Podman,
    Native,
}

impl Engine {
    /// Returns the address of the tests' engine; there must be one.
    #[track_caller]
    pub(crate) fn address(self) -> Option<String> {
        match self {
            Self::Docker => Some(super::docker()),
            Self::Podman => Some(super::podman()),
            Self::Native => None,
        }
    }

    /// Returns the variable that makes `cki` use this engine, with its value.
    #[track_caller]
    pub(crate) fn variable(self) -> (&'static str, String) {
        let name = match self {
            Self::Docker => "DOCKER_HOST",
            Self::Podman => "CONTAINER_HOST",
            Self::Native => "CKI_ENGINE",
        };
        (name, self.address().unwrap_or_else(|| "native".to_owned()))
    }

    pub(crate) fn has_images(self) -> bool {
        self != Self::Native
    }
}

/// Makes a test for each engine out of a function that takes a place to run `cki`.
macro_rules! on {
    ($($engine:ident),+: $test:ident) => {
        mod $test {
            $($crate::support::engine::on_one! { $engine $test })+
        }
    };
}
pub(crate) use on;

/// One of these tests. Without an engine it is ignored, and says why.
macro_rules! on_one {
    (docker $test:ident) => {
        #[test]
        #[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
        fn docker() {
            $crate::support::engine::on_one! { @body docker $test }
        }
    };
    (podman $test:ident) => {
        #[test]
        #[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
        fn podman() {
            $crate::support::engine::on_one! { @body podman $test }
        }
    };
    (native $test:ident) => {
        #[test]
        fn native() {
            $crate::support::engine::on_one! { @body native $test }
        }
    };
    (@body $engine:ident $test:ident) => {
        let name = concat!(module_path!(), "::", stringify!($engine)).trim_start_matches("suite::");
        $crate::support::limit::within(name, $crate::support::limit::of_a_test(), || {
            let cli = $crate::support::cli::Cli::$engine();
            insta::allow_duplicates! { super::$test(&cli) }
        });
    };
}
pub(crate) use on_one;

/// The engine by its API, in the plainest form of HTTP that there is.
pub(crate) struct Bench {
    socket: PathBuf,
}

/// Things on an engine, by id, with their labels.
type LabelledResources = Vec<(String, BTreeMap<String, String>)>;

impl Bench {
    pub(super) fn open(address: &str) -> Self {
        Self { socket: address.strip_prefix("unix://").expect("a socket").into() }
    }

    /// Asks, and gives the status and the answer.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = UnixStream::connect(&self.socket).expect("the engine listens");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").expect("the engine reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the engine answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("is HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("is HTTP");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Sends a request until Podman does not fail on objects that others remove meanwhile.
    fn ask_until_answered(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut answered = self.ask(method, path, body);
        super::comes_true(|| {
            let is_stumble = answered.0 == 500;
            if is_stumble {
                answered = self.ask(method, path, body);
            }
            !is_stumble
        });
        answered
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask_until_answered("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Removes something; what is gone already is well.
    pub(super) fn delete(&self, path: &str) {
        self.ask("DELETE", path, &Value::Null);
    }

    pub(super) fn create(&self, path: &str, body: &Value) -> String {
        let (status, answer) = self.ask_until_answered("POST", path, body);
        assert_eq!(status, 201, "{path}: {answer}");
        answer["Id"].as_str().expect("has an id").to_owned()
    }

    /// Returns what processes of `cki` have created and not removed.
    pub(crate) fn leftovers(&self, processes: &[ProcessRef]) -> Vec<String> {
        let all = self.ours(processes);
        let mut left: Vec<_> =
            all.into_iter().map(|(what, labels)| format!("{what} of {}", labels["cki.name"])).collect();
        let processes = self.orphans().into_iter();
        left.extend(processes.map(|(pid, said)| format!("process {pid} of removed container {said}")));
        left.sort();
        left
    }

    /// Returns the processes of containers that Podman has removed: of this engine, from any process.
    /// With the container and the command.
    fn orphans(&self) -> Vec<(i32, String)> {
        // The directory of each engine's containers: the same for each test, and slow to find.
        static STORES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
        let text = |pid: i32, name: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let container = |pid| {
            let cgroups = text(pid, "cgroup");
            cgroups.split(['/', '\n']).find_map(|part| part.strip_prefix("libpod-")).map(str::to_owned)
        };
        let is_of_this_engine = |pid| {
            let mut stores = STORES.lock().expect("no thread fails here");
            let find = || self.get("/info")["DockerRootDir"].as_str().expect("is text").to_owned();
            let store = stores.entry(self.socket.clone()).or_insert_with(find).as_str();
            text(pid, "mountinfo").lines().next().is_some_and(|root| root.contains(store))
        };
        let entries = std::fs::read_dir("/proc").expect("is there").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: i32| Some((pid, container(pid)?)))
            .filter(|&(pid, _)| is_of_this_engine(pid))
            .filter(|(_, id)| self.ask("GET", &format!("/containers/{id}/json"), &Value::Null).0 == 404)
            // Not those that ended just before their container was removed.
            .filter(|&(pid, _)| is_of_this_engine(pid))
            .map(|(pid, id)| (pid, format!("{id}: {}", text(pid, "cmdline"))))
            .collect()
    }

    /// The paths of what processes of `cki` have made, in the order in which they can be removed.
    fn ours(&self, processes: &[ProcessRef]) -> LabelledResources {
        let is_ours = |(_, labels): &(String, BTreeMap<String, String>)| is_of(labels, processes);
        let containers = labelled("/containers/", "Id", &self.get("/containers/json?all=1"));
        let networks = labelled("/networks/", "Id", &self.get("/networks"));
        let volumes = labelled("/volumes/", "Name", &self.get("/volumes")["Volumes"]);
        [containers, networks, volumes].concat().into_iter().filter(is_ours).collect()
    }

    /// The containers that processes of `cki` have made, as the engine describes them.
    pub(crate) fn specifications(&self, processes: &[ProcessRef]) -> Vec<Value> {
        let all = self.ours(processes);
        let containers = all.iter().filter(|(path, _)| path.starts_with("/containers/"));
        containers.map(|(path, _)| self.get(&format!("{path}/json"))).collect()
    }

    /// Removes what processes of `cki` have made, and images that they built of commits.
    pub(super) fn remove(&self, processes: &[ProcessRef], commits: &[CommitId]) {
        for (path, _) in self.ours(processes) {
            self.delete(&format!("{path}?force=1&v=1"));
        }
        // Once reported, so that later tests do not report them, too.
        for (pid, _) in self.orphans() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        for commit in commits {
            for image in self.images(&format!("cki.commit={commit}")) {
                self.delete(&format!("/images/{image}?force=1"));
            }
        }
    }

    /// Removes containers of processes of `cki` by their name within the run, as somebody does who
    /// knows nothing of `cki`.
    pub(super) fn remove_containers(&self, name: &str, processes: &[ProcessRef]) {
        for (path, labels) in self.ours(processes) {
            if path.starts_with("/containers/") && labels["cki.name"] == name {
                self.delete(&format!("{path}?force=1"));
            }
        }
    }

    /// Restarts containers by their name within the run, as somebody does who knows nothing of `cki`.
    pub(super) fn restart_containers(&self, name: &str, processes: &[ProcessRef]) {
        for (path, labels) in self.ours(processes) {
            if path.starts_with("/containers/") && labels["cki.name"] == name {
                let (status, answer) = self.ask("POST", &format!("{path}/restart?t=1"), &Value::Null);
                assert_eq!(status, 204, "{answer}");
            }
        }
    }

    /// Removes the images that `cki` has made of itself, unless somebody uses them.
    pub(crate) fn remove_stand_ins(&self) {
        for image in self.images("cki.stand-in=1") {
            self.delete(&format!("/images/{image}"));
        }
    }

    /// The ids of the images with a label.
    pub(crate) fn images(&self, label: &str) -> Vec<String> {
        let (key, value) = label.split_once('=').expect("a label");
        let all = labelled("", "Id", &self.get("/images/json"));
        all.into_iter()
            .filter(|(_, labels)| labels.get(key).is_some_and(|own| own == value))
            .map(|(id, _)| id)
            .collect()
    }

    /// The labels of an image; `None` if there is no such image.
    pub(crate) fn image(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let (status, facts) = self.ask_until_answered("GET", &format!("/images/{name}/json"), &Value::Null);
        (status == 200).then(|| labels(&facts["Config"]))
    }

    /// The names of the variables that an image sets.
    pub(crate) fn environment(&self, image: &str) -> Vec<String> {
        let facts = self.get(&format!("/images/{image}/json"));
        let pairs = facts["Config"]["Env"].as_array().cloned().unwrap_or_default();
        let name = |pair: &Value| pair.as_str().and_then(|pair| pair.split('=').next()).map(str::to_owned);
        pairs.iter().filter_map(name).collect()
    }

    /// Starts a container that has nothing to do with `cki`, on a network of its own.
    pub(crate) fn foreign(&self, name: &str, command: &[&str]) -> Foreign<'_> {
        let network = self.create("/networks/create", &json!({"Name": name}));
        let limit = |name: &str| json!({"Name": name, "Soft": 1024, "Hard": 1024});
        let body = json!({
            "Image": BUSYBOX,
            "Cmd": command,
            // One of our labels is not all of them.
            "Labels": {"cki.role": "component"},
            "HostConfig": {
                "Init": true,
                "NetworkMode": network,
                "Ulimits": [limit("nofile"), limit("nproc")],
            },
        });
        let container = self.create(&format!("/containers/create?name={name}"), &body);
        let foreign = Foreign { bench: self, container, network };
        let (status, answer) =
            self.ask("POST", &format!("/containers/{}/start", foreign.container), &Value::Null);
        assert_eq!(status, 204, "{answer}");
        foreign
    }
}

/// Something on an engine that is none of ours; it goes when this is dropped.
pub(crate) struct Foreign<'a> {
    bench: &'a Bench,
    container: String,
    network: String,
}

impl Foreign<'_> {
    fn facts(&self) -> Value {
        self.bench.get(&format!("/containers/{}/json", self.container))
    }

    pub(crate) fn runs(&self) -> bool {
        self.bench.get(&format!("/networks/{}", self.network));
        self.facts()["State"]["Running"] == true
    }

    /// Its address on its network.
    pub(crate) fn address(&self) -> String {
        let facts = self.facts();
        let networks = facts["NetworkSettings"]["Networks"].as_object().expect("has networks");
        networks.values().find_map(|one| one["IPAddress"].as_str()).expect("has an address").to_owned()
    }
}

impl Drop for Foreign<'_> {
    fn drop(&mut self) {
        self.bench.delete(&format!("/containers/{}?force=1&v=1", self.container));
        self.bench.delete(&format!("/networks/{}", self.network));
    }
}

/// The things of a list, by path or id, with their labels.
fn labelled(path: &str, key: &str, list: &Value) -> LabelledResources {
    let things = list.as_array().map(Vec::as_slice).unwrap_or_default();
    things
        .iter()
        .map(|one| (format!("{path}{}", one[key].as_str().expect("has an id")), labels(one)))
        .collect()
}

fn labels(thing: &Value) -> BTreeMap<String, String> {
    let pairs = thing["Labels"].as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns whether labels name one of these processes as the owner. PIDs are used again, so the time of the start
/// counts, too.
fn is_of(labels: &BTreeMap<String, String>, processes: &[ProcessRef]) -> bool {
    let owner = labels.get("cki.owner").and_then(|owner| ProcessRef::parse(owner));
    let is = |owner: &ProcessRef, one: &ProcessRef| (owner.pid, owner.started) == (one.pid, one.started);
    owner.is_some_and(|owner| processes.iter().any(|one| is(&owner, one)))
}

/// Returns the leftovers of processes without an engine: directories, and the processes.
pub(crate) fn left_native(runtime: &Path) -> Vec<String> {
    let directories = cki::base::files::list_dir(&runtime.join("cki/native")).expect("reads");
    let directories = directories.into_iter().map(|name| format!("directory {name}"));
    let living = living(runtime).into_iter().map(|(id, command)| format!("process {id}: {command}"));
    directories.chain(living).chain(forwarders(runtime)).collect()
}

/// Returns the records of forwarders of published ports.
pub(crate) fn forwarders(runtime: &Path) -> Vec<String> {
    let names = cki::base::files::list_dir(&runtime.join("cki/forwarders")).expect("reads");
    names.into_iter().map(|name| format!("forwarder {name}")).collect()
}

/// The processes whose home is below a directory.
fn living(runtime: &Path) -> Vec<(i32, String)> {
    let home = format!("HOME={}/", runtime.display());
    let read = |id: i32, name: &str| std::fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
    let ids = std::fs::read_dir("/proc").expect("is there").flatten();
    ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| {
            read(*id, "environ").split(|byte| *byte == 0).any(|entry| entry.starts_with(home.as_bytes()))
        })
        .map(|id| (id, String::from_utf8_lossy(&read(id, "cmdline")).replace('\0', " ")))
        .collect()
}

/// Kills what a failed test has left.
pub(super) fn remove_native(runtime: &Path) {
    for (id, _) in living(runtime) {
        let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
    }
}
