//! The log of a mock service.

use std::sync::Arc;

/// A function that writes a line.
pub type LogFn = Arc<dyn Fn(&str) + Send + Sync>;
