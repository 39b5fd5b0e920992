//! The log of a stand-in for a service.

use std::sync::Arc;

/// A function that writes a line.
pub type LogFn = Arc<dyn Fn(&str) + Send + Sync>;
