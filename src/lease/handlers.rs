//! The statements of `on` blocks in a lease file.
//!
//! All leases of a pool carry the same few blocks, so each text is typed once and its statements are shared.

use super::load::TypeHandler;
use crate::config::Config;
use crate::config::build::build_block;
use crate::config::tree::{Block, Events};
use crate::syntax::{LoadError, parse};
use std::collections::HashMap;

/// So many texts are remembered; a file with more of them has something made up in each.
const REMEMBERED: usize = 1024;

/// Types `on` blocks by the option definitions and classes that are known when they are read, for
/// [`super::Loading::load`].
///
/// A block that cannot be typed stays text, so that a rewrite keeps it. dhcpd drops its lease.
pub fn typed_handlers() -> Box<TypeHandler<'static>> {
    let mut known: HashMap<Vec<u8>, Block> = HashMap::new();
    Box::new(move |config: &Config, _: Events, body: &[u8]| {
        if let Some(typed) = known.get(body) {
            return Ok(Some(typed.clone()));
        }
        let mut nothing = |_: &[u8]| -> Result<Vec<u8>, LoadError> {
            Err(LoadError { errno: None, message: "no include here".to_owned() })
        };
        let typed = build_block(config, &parse(b"", body.to_vec(), &mut nothing));
        let typed = typed.map_err(|findings| {
            let text =
                findings.into_iter().map(|found| found.isc.unwrap_or_else(|| found.message.into_bytes()));
            text.collect::<Vec<Vec<u8>>>()
        });
        let typed = typed?;
        if known.len() < REMEMBERED {
            known.insert(body.to_vec(), typed.clone());
        }
        Ok(Some(typed))
    })
}
