//! Contact between the containers of a run: as soon as there are two, the run tests whether one reaches
//! the other. One test is enough, since an obstacle affects the whole network. A run of a single
//! container costs nothing.

use tokio::sync::Mutex;

use super::network::RunNetwork;
use crate::ops::runtime::contact::{self, Contact};
use crate::ops::runtime::error::StartError;
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::ContainerEngine;

/// The state of the contact test.
#[derive(Debug, Default)]
pub(super) struct Neighbours(Mutex<KnownContainers>);

#[derive(Debug, Default)]
struct KnownContainers {
    /// Two containers have reached each other, or no test is possible here.
    settled: bool,
    /// Names and IDs of the started containers.
    started: Vec<(String, String)>,
}

impl Neighbours {
    /// Records a started container, and tests whether it reaches another one.
    ///
    /// # Errors
    /// Fails when it does not, with the cause and the commands that fix it.
    pub(super) async fn meet(
        &self,
        engine: &ContainerEngine,
        network: &RunNetwork,
        (name, id): (&str, &str),
        ctx: &OpContext<'_>,
    ) -> anyhow::Result<()> {
        let Some(network) = network.names() else { return Ok(()) };
        let mut known = self.0.lock().await;
        // A container recorded twice would test itself.
        if known.settled || known.started.iter().any(|(_, other)| other == id) {
            return Ok(());
        }
        if !known.started.is_empty() && !engine.can_enter_netns().await? {
            ctx.events.note("network: not root, so whether containers reach each other is not tried");
            known.settled = true;
            return Ok(());
        }
        // The latest container is the most likely to run still.
        for (other, other_id) in known.started.iter().rev() {
            match contact::between(engine, ctx.env, (id, other_id), &network).await? {
                Contact::Made => {
                    known.settled = true;
                    return Ok(());
                }
                Contact::Lost(why) => {
                    let (from, to) = (name.to_owned(), other.clone());
                    return Err(StartError::NoContact { from, to, why: Box::new(why) }.into());
                }
                // One of the two has ended: another pair is tested.
                Contact::Unknown => {}
            }
        }
        known.started.push((name.to_owned(), id.to_owned()));
        Ok(())
    }
}
