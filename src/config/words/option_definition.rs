//! Option names, spaces and definitions (ISC `common/parse.c:parse_option_name` and others).

use super::Walk;
use crate::config::network::ScopeId;
use crate::options::OptionId;

impl Walk<'_> {
    /// The rest of an `option` statement among declarations, `option` being consumed: a space, a definition or a value
    /// (ISC `server/confpars.c:parse_statement`, case OPTION). `root`: right in the file. What comes out is the new
    /// value of `declaration`.
    pub(super) fn option_declaration(&mut self, _scope: ScopeId, _root: bool, declaration: bool) -> bool {
        declaration
    }

    /// ISC `parse_option_name` with `allocate` 1 (`declare`) or 0. None: said and skipped as ISC does.
    pub(super) fn option_name(&mut self, _declare: bool) -> Option<OptionId> {
        None
    }
}
