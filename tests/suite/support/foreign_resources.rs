//! Resources on an engine that resemble leftovers of `cki` and must not be removed: each lacks one property
//! of a real leftover.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cli::BUSYBOX;
use super::engine::Bench;

/// Resources that are removed on drop.
pub(crate) struct ForeignResources<'a> {
    bench: &'a Bench,
    /// Paths, in the order in which they are removed.
    paths: Vec<String>,
    before: Vec<Value>,
}

/// All labels of something whose owner is gone.
fn abandoned(id: &str) -> BTreeMap<&'static str, String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("is there");
    BTreeMap::from([
        ("cki.run", "0123456789".to_owned()),
        ("cki.component", format!("x/{id}")),
        ("cki.role", "component".to_owned()),
        ("cki.name", id.to_owned()),
        ("cki.owner", format!("4194303.1.{}", boot.trim())),
        ("cki.lifetime", "owner".to_owned()),
    ])
}

/// Names of what is wrong with each, and its labels.
fn variants(id: &str) -> Vec<(&'static str, BTreeMap<&'static str, String>)> {
    let with = |changes: &[(&'static str, &str)]| {
        let mut labels = abandoned(id);
        for (key, value) in changes {
            labels.insert(key, (*value).to_owned());
        }
        labels
    };
    let mut ownerless = abandoned(id);
    ownerless.remove("cki.owner");
    let this = cki::host::Host::real().owner().to_label();
    vec![
        ("none", BTreeMap::new()),
        ("ownerless", ownerless),
        ("living", with(&[("cki.owner", &this)])),
        ("retained", with(&[("cki.lifetime", "kept")])),
        ("later", with(&[("cki.lifetime", "a word of tomorrow")])),
        ("no-run", with(&[("cki.run", "x")])),
        ("no-role", with(&[("cki.role", "observer")])),
        ("odd-owner", with(&[("cki.owner", "somebody")])),
    ]
}

impl<'a> ForeignResources<'a> {
    /// Makes them; `id` sets them apart from those of other tests.
    pub(crate) fn new(bench: &'a Bench, id: &str) -> Self {
        let mut paths = Vec::new();
        let mut networks = Vec::new();
        let limit = |name: &str| json!({"Name": name, "Soft": 1024, "Hard": 1024});
        for (index, (what, labels)) in variants(id).into_iter().enumerate() {
            let name = format!("cki-0123456789-{what}-{id}");
            let volume = json!({"Name": name, "Labels": labels});
            bench.ask("POST", "/volumes/create", &volume);
            // A network and a container of each would be many; what decides is the same for all.
            if index % 2 == 0 {
                let network = bench.create("/networks/create", &json!({"Name": name, "Labels": labels}));
                networks.push(format!("/networks/{network}"));
            } else {
                let body = json!({
                    "Image": BUSYBOX,
                    "Cmd": ["sleep", "1000"],
                    "Labels": labels,
                    "HostConfig": {
                        "Init": true,
                        "NetworkMode": "none",
                        "Ulimits": [limit("nofile"), limit("nproc")],
                    },
                });
                let container = bench.create(&format!("/containers/create?name={name}"), &body);
                bench.ask("POST", &format!("/containers/{container}/start"), &Value::Null);
                paths.push(format!("/containers/{container}"));
            }
            networks.push(format!("/volumes/{name}"));
        }
        paths.extend(networks);
        let mut made = Self { bench, paths, before: Vec::new() };
        made.before = made.facts();
        made
    }

    /// Returns the facts that a change to them would alter.
    fn facts(&self) -> Vec<Value> {
        let facts = self.paths.iter().map(|path| {
            let is_container = path.starts_with("/containers/");
            let (status, facts) = self.bench.ask(
                "GET",
                &format!("{path}{}", if is_container { "/json" } else { "" }),
                &Value::Null,
            );
            let state = &facts["State"];
            let state = json!([state["Status"], state["StartedAt"], facts["RestartCount"], state["Pid"]]);
            json!([path, status, facts["Id"], facts["Name"], facts["Labels"], state])
        });
        facts.collect()
    }

    /// All are as they were made.
    #[track_caller]
    pub(crate) fn are_untouched(&self) {
        assert_eq!(self.facts(), self.before);
        assert!(self.before.iter().all(|one| one[1] == 200), "{:?}", self.before);
    }
}

impl Drop for ForeignResources<'_> {
    fn drop(&mut self) {
        for path in &self.paths {
            self.bench.delete(&format!("{path}?force=1&v=1"));
        }
    }
}
