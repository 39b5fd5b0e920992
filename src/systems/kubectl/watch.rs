//! Waits for changes of objects: `kubectl get --watch`, one process for each kind. Whatever it writes means "look again"
//! and is not read further; the look is up to the caller, who also looks without a change now and then, since a
//! connection can be lost without a word.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Kubectl;
use super::leash::Leash;
use super::run::{ProcessGroup, prepare};

/// Pause before an ended watch is started again: a cluster ends each after a while, and may forbid it.
const RESTART: Duration = Duration::from_secs(5);
/// Time after which a watch ends: one whose `cki` was killed does not stay.
const LONGEST: &str = "--request-timeout=120s";

/// Objects to watch.
#[derive(Debug, Clone, Copy)]
pub enum Watched<'a> {
    /// One object, by kind and name.
    Object(&'a str, &'a str),
    /// All objects of a kind that a selector of labels matches.
    Selected(&'a str, &'a str),
}

/// ObjectChanges of watched objects. Dropping it ends the watching processes.
#[derive(Debug)]
pub struct ObjectChanges {
    seen: Arc<Notify>,
    _watchers: JoinSet<()>,
}

impl ObjectChanges {
    /// Waits until an object has changed since the last call. Never returns where a cluster cannot be watched. Dropping
    /// the future loses no change.
    pub async fn next(&self) {
        self.seen.notified().await;
    }
}

impl Kubectl {
    /// Starts to watch objects. The objects as they are count as the first change.
    #[must_use]
    pub fn watch(&self, objects: &[Watched<'_>]) -> ObjectChanges {
        let seen = Arc::new(Notify::new());
        let mut watchers = JoinSet::new();
        for watched in objects {
            let mut arguments = match watched {
                Watched::Object(kind, name) => {
                    vec!["get".to_owned(), kind.to_lowercase(), (*name).to_owned()]
                }
                Watched::Selected(kind, selector) => {
                    vec!["get".to_owned(), (*kind).to_owned(), format!("--selector={selector}")]
                }
            };
            arguments.extend(["--watch".to_owned(), "--output=name".to_owned(), LONGEST.to_owned()]);
            arguments.push(format!("--context={}", self.target.context));
            arguments.push(format!("--namespace={}", self.target.namespace));
            watchers.spawn(watch((self.clone(), arguments), Arc::clone(&seen)));
        }
        ObjectChanges { seen, _watchers: watchers }
    }
}

async fn watch((kubectl, arguments): (Kubectl, Vec<String>), seen: Arc<Notify>) {
    loop {
        if let Ok((command, leash)) = prepare((&kubectl.program, &kubectl.env), &arguments) {
            follow(command, leash, &seen).await;
        }
        tokio::time::sleep(RESTART).await;
    }
}

/// Reports what the program writes until it ends. One that cannot be started has ended.
async fn follow(mut command: Command, leash: Leash, seen: &Notify) {
    let Ok(mut child) = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn() else { return };
    let _group = ProcessGroup::of(&child, leash);
    let Some(mut output) = child.stdout.take() else { return };
    let mut buffer = [0; 4096];
    while output.read(&mut buffer).await.is_ok_and(|count| count > 0) {
        seen.notify_one();
    }
    // The group is ended when it goes out of scope, so a program that only closed its output ends, too.
}
