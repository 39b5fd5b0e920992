//! `cki rollback`: the look at what could be done, and one file for each way back.

mod image;
mod inputs;
mod overview;
mod revert;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::stage::target;
pub(in crate::cli) use inputs::RollbackArgs;
use inputs::Rolled;

pub(in crate::cli) fn run(args: &RollbackArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let component = inventory.find(&args.component)?;
    let target = target(inventory, Some(component), args.project.as_deref(), &context.host.cwd)?;
    let rolled = Rolled { component, target };
    match (&args.revert, &args.to) {
        (Some(choice), _) => revert::run(args, choice, &rolled, context, trust),
        (None, Some(to)) => image::run(args, to, &rolled, context, trust),
        (None, None) => overview::run(&rolled, context, trust),
    }
}
