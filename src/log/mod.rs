//! Log lines as values.
//!
//! The layers below `runtime` never print: they hand out [`Line`]s, in dhcpd's order, and `runtime` turns each into
//! a `tracing` event whose text is byte for byte what dhcpd prints.

pub mod echo;

/// The three syslog priorities dhcpd uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `LOG_ERR`: `log_error`, `log_fatal`, `parse_warn`.
    Error,
    /// `LOG_INFO`: `log_info`.
    Info,
    /// `LOG_DEBUG`: `log_debug`.
    Debug,
}

/// One log line without its final newline. Octets, not text: a `log ()` statement may print anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Syslog priority.
    pub level: Level,
    /// What dhcpd prints.
    pub text: Vec<u8>,
}

impl Line {
    /// A line at `LOG_ERR`.
    pub fn error(text: impl Into<Vec<u8>>) -> Self {
        Self { level: Level::Error, text: text.into() }
    }
    /// A line at `LOG_INFO`.
    pub fn info(text: impl Into<Vec<u8>>) -> Self {
        Self { level: Level::Info, text: text.into() }
    }
    /// A line at `LOG_DEBUG`.
    pub fn debug(text: impl Into<Vec<u8>>) -> Self {
        Self { level: Level::Debug, text: text.into() }
    }
}
