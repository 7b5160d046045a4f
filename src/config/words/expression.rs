//! Expressions (ISC `common/parse.c:parse_expression`).

use super::{Lost, Walk};
use crate::config::tree::Expr;

impl Walk<'_> {
    /// `Ok(None)`: there is no expression here, and nothing was said (ISC: 0, and `lose` is not set).
    pub(super) fn boolean_expression(&mut self) -> Result<Option<Expr>, Lost> {
        Err(Lost)
    }
    pub(super) fn data_expression(&mut self) -> Result<Option<Expr>, Lost> {
        Err(Lost)
    }
}
