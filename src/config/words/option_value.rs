//! Values of options (ISC `common/parse.c:parse_option_statement`, `parse_option_token`, `parse_option_data`).

use super::Walk;
use crate::config::network::ScopeId;
use crate::options::OptionId;

impl Walk<'_> {
    /// ISC `parse_option_statement` with `supersede_option_statement`: the value and its semicolon.
    pub(super) fn option_value(&mut self, _scope: ScopeId, _option: OptionId) -> bool {
        false
    }

    /// ISC `parse_option_data` of a `host-identifier`: the constant value, its semicolon not included.
    pub(super) fn option_data(&mut self, _option: OptionId) -> Option<Vec<u8>> {
        None
    }
}
