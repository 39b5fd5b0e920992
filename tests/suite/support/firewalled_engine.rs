//! An engine for one test in its own network namespace, so that firewall rules can be tried without touching
//! the machine's firewall.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cki::host::{Host, programs};

use super::cli::BUSYBOX;
use super::engine::Engine;

/// As Docker leaves a machine that did not forward before: what nothing accepts is dropped.
const FENCE: &str = "
set -e
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
iptables -P FORWARD DROP
exec \"$@\"";

/// Setting that passes bridged traffic to iptables.
const SWITCH: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// An engine behind its own firewall. Both are removed on drop.
pub(crate) struct FirewalledEngine {
    directory: tempfile::TempDir,
    child: Child,
}

impl FirewalledEngine {
    /// Returns the first prerequisite of an engine kind that this machine lacks.
    pub(crate) fn missing_prerequisite(engine: Engine) -> Option<String> {
        let env = Host::real().env;
        let program = if engine == Engine::Docker { "dockerd" } else { "podman" };
        if !nix::unistd::geteuid().is_root() {
            return Some("a network of its own needs root".to_owned());
        }
        if !Path::new(SWITCH).exists() {
            return Some("the kernel's module br_netfilter is not loaded".to_owned());
        }
        let missing = [program, "iptables", "ip", "unshare", "nsenter", "busybox", "tar"];
        missing.iter().find(|name| programs::find(&env, name).is_none()).map(|name| format!("no {name} here"))
    }

    /// Starts one, with the image of nothing but a shell.
    pub(crate) fn start(engine: Engine) -> Self {
        // Sockets and run directories have a limit to the length of their paths.
        let directory = tempfile::Builder::new().prefix("cki-f").rand_bytes(6).tempdir_in("/tmp");
        let directory = directory.expect("a temporary directory");
        let socket = directory.path().join("s");
        let log = std::fs::File::create(directory.path().join("log")).expect("makes a file");
        let words =
            if engine == Engine::Docker { docker(directory.path()) } else { podman(directory.path()) };
        let child = Command::new("unshare")
            .args(["--net", "sh", "-c", FENCE, "fence"])
            .args(words)
            .arg(format!("unix://{}", socket.display()))
            .env("CONTAINERS_CONF", directory.path().join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", directory.path().join("storage.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("has room for another descriptor"))
            .stderr(log)
            .spawn()
            .expect("util-linux is installed");
        let engine = Self { directory, child };
        let answers = || request(&socket, "GET /_ping HTTP/1.0\r\n\r\n", &[]).contains("200 OK");
        assert!(super::comes_true(answers), "{}", engine.log());
        engine.import();
        engine
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.directory.path().join("s").display())
    }

    /// Runs a command line where the engine is.
    #[track_caller]
    pub(crate) fn run_command(&self, line: &str) {
        let words = shell_words::split(line).expect("a command line");
        let status = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", self.child.id()))
            .args(words)
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("util-linux is installed").success(), "{line}");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).expect("is there")
    }

    fn import(&self) {
        let make = "mkdir -p root/bin root/tmp; chmod 1777 root/tmp; cp $(command -v busybox) root/bin/busybox
            for name in $(root/bin/busybox --list); do [ -e root/bin/$name ] || ln -s busybox root/bin/$name; done
            tar -C root -cf image.tar .";
        let made = Command::new("sh").args(["-ec", make]).current_dir(self.directory.path()).status();
        assert!(made.expect("there is a shell").success());
        let image = std::fs::read(self.directory.path().join("image.tar")).expect("was made");
        let (name, tag) = BUSYBOX.rsplit_once(':').expect("has a tag");
        let length = image.len();
        let mut head = format!("POST /images/create?fromSrc=-&repo={name}&tag={tag} HTTP/1.0\r\n");
        write!(head, "Content-Type: application/x-tar\r\nContent-Length: {length}\r\n\r\n").expect("fits");
        let answer = request(&self.directory.path().join("s"), &head, &image);
        assert!(answer.contains("200 OK"), "{answer}");
        // Podman calls it `latest`.
        let head = format!(
            "POST /images/{name}:latest/tag?repo={name}&tag={tag} HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        );
        request(&self.directory.path().join("s"), &head, &[]);
    }
}

fn request(socket: &Path, head: &str, body: &[u8]) -> String {
    let mut answer = Vec::new();
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        sent.and_then(|()| stream.read_to_end(&mut answer).map(drop)).unwrap_or_default();
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn docker(directory: &Path) -> Vec<String> {
    let at = |name: &str| directory.join(name).display().to_string();
    std::fs::write(directory.join("daemon.json"), "{}").expect("writes");
    let name = directory.file_name().expect("has a name").to_string_lossy().into_owned();
    let flags = [
        ("--config-file", at("daemon.json")),
        ("--pidfile", at("pid")),
        ("--data-root", at("data")),
        ("--exec-root", at("run")),
        ("--containerd-namespace", name.clone()),
        ("--containerd-plugins-namespace", format!("{name}-plugins")),
        ("--storage-driver", "vfs".to_owned()),
        ("--shutdown-timeout", "1".to_owned()),
        ("--default-address-pool", "base=10.78.0.0/17,size=24".to_owned()),
    ];
    let words = flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    ["dockerd".to_owned()].into_iter().chain(words).chain(["--host".to_owned()]).collect()
}

fn podman(directory: &Path) -> Vec<String> {
    let at = directory.display();
    std::fs::create_dir(directory.join("networks")).expect("makes a directory");
    let containers = format!(
        "[containers]\ndefault_ulimits = [\"nofile=1024:16384\", \"nproc=4096:4096\"]\nlog_driver = \"k8s-file\"\n\
         [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
         lock_type = \"file\"\ntmp_dir = \"{at}/tmp\"\n\
         [network]\nnetwork_backend = \"netavark\"\nnetwork_config_dir = \"{at}/networks\"\n\
         default_subnet = \"10.78.254.0/24\"\n\
         default_subnet_pools = [{{\"base\" = \"10.78.128.0/18\", \"size\" = 24}}]\n"
    );
    let storage =
        format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{at}/graph\"\nrunroot = \"{at}/run\"\n");
    std::fs::write(directory.join("containers.conf"), containers).expect("writes");
    std::fs::write(directory.join("storage.conf"), storage).expect("writes");
    ["podman", "system", "service", "--time=0"].map(str::to_owned).into()
}

impl Drop for FirewalledEngine {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let gone = super::comes_true(|| matches!(self.child.try_wait(), Ok(Some(_))));
        if !gone {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // Whatever is mounted below goes first, or the directory could not be removed.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let below = mounts.lines().filter_map(|line| line.split(' ').nth(1).map(PathBuf::from));
        let mut below: Vec<PathBuf> = below.filter(|path| path.starts_with(self.directory.path())).collect();
        below.sort();
        for path in below.iter().rev() {
            let _ = Command::new("umount").arg("--lazy").arg(path).status();
        }
    }
}
