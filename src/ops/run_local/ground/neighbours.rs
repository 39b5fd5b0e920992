//! The containers of a run as neighbours on its network: as soon as there are two, it is tried whether
//! one reaches the other. Once is enough, since what is in the way stands before the whole network.
//! A run of a single container pays nothing.

use tokio::sync::Mutex;

use super::network::Laid;
use crate::ops::contact::{self, Contact};
use crate::ops::run_local::RunError;
use crate::ops::tools::Tools;
use crate::systems::engine::ContainerEngine;

/// What is known of the neighbours.
#[derive(Debug, Default)]
pub(super) struct Neighbours(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Two have reached each other, or nothing can be tried here.
    settled: bool,
    /// Those that were started: name and id.
    started: Vec<(String, String)>,
}

impl Neighbours {
    /// Takes notice of a container that was started, and sees whether it reaches another one.
    ///
    /// # Errors
    /// When it does not, with the cause and what mends it.
    pub(super) async fn meet(
        &self,
        engine: &ContainerEngine,
        network: &Laid,
        (name, id): &(String, String),
        tools: &Tools<'_>,
    ) -> anyhow::Result<()> {
        let Some(network) = network.names() else { return Ok(()) };
        let mut known = self.0.lock().await;
        // One that is met again would meet itself.
        if known.settled || known.started.iter().any(|(_, other)| other == id) {
            return Ok(());
        }
        if !known.started.is_empty() && !engine.lets_us_in().await? {
            tools.events.note("network: not root, so whether containers reach each other is not tried");
            known.settled = true;
            return Ok(());
        }
        // The latest is the one that is most likely to run still.
        for (other, other_id) in known.started.iter().rev() {
            match contact::between(engine, tools.env, (id, other_id), &network).await? {
                Contact::Made => {
                    known.settled = true;
                    return Ok(());
                }
                Contact::Lost(why) => {
                    let (from, to) = (name.clone(), other.clone());
                    return Err(RunError::NoContact { from, to, why: Box::new(why) }.into());
                }
                // One of them has ended: the next that is started tries again.
                Contact::Unknown => {}
            }
        }
        known.started.push((name.clone(), id.clone()));
        Ok(())
    }
}
