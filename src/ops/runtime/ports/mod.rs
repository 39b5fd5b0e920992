//! Published ports: ports of 127.0.0.1 that lead to instances. The network of a run stays as closed as it is,
//! since `cki` itself connects into it. Planning which ports to publish belongs in `run_local::plan`.

mod forward;
pub mod forwarder;
pub(in crate::ops) mod reserved;
