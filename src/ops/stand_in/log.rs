//! How a stand-in for a service writes its log.

use std::sync::Arc;

/// Writes a line.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;
