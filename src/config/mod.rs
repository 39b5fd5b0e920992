//! Floor 2: the settings, in layers: compiled-in default, the user's file, the project's file, the
//! environment, flags. The highest layer with a value wins, and every value knows its origin. The effect of
//! a setting is up to the code that uses it.

mod certificates;
pub mod edit;
mod error;
mod file;
mod keys;
mod layers;
mod project;
mod settings;
mod value;

pub use error::ConfigError;
pub use keys::{KEYS, Key, SettingKind};
pub use layers::Config;
pub use project::{Distrust, distrusted};
pub use settings::{Color, Engine, Format, Settings};
pub use value::{SettingOrigin, SettingValue};
