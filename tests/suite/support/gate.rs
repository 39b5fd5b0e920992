//! Commands that have passed the gate of the guard, with an inventory that has nothing against it.

use cki::model::guard::{Credentials, Gate, GatePass, GateSubject, Guard, Startable};
use cki::model::inventory::{Inventory, InventoryDocument};

/// Passes something through the gate of a guard without rules.
pub(crate) fn pass_gate<T: Startable>(what: T) -> GatePass<T> {
    let head = InventoryDocument { file: "i.yaml".into(), text: "components: []\n".into(), reference: None };
    let inventory = Inventory::read("here", vec![head]).expect("reads");
    let guard = Guard::new(&inventory, Credentials::read("c", "{marks: [], rules: []}").expect("reads"));
    let starting = GateSubject { name: "test", source: "a test", is_component: false };
    Gate::new(&guard, &inventory, &[]).pass(what, starting).expect("passes")
}
