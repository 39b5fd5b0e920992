//! Floor 4: one file or folder per verb that a person knows. Each combines systems to do the verb,
//! reports events while it works, and returns an outcome. What an outcome looks like is `report`.

pub mod stage;
