//! A fatal error: its text, and the lines that dhcpd logs after it.
//!
//! Mirrors ISC `omapip/errwarn.c:log_fatal`.

use super::logging::emit;
use crate::log::Line;

/// An error that ends the server with exit status 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal(Vec<u8>);

impl Fatal {
    /// A fatal error with this text.
    pub fn new(text: impl Into<Vec<u8>>) -> Self {
        Self(text.into())
    }

    /// The fatal error for something that is not there yet.
    pub fn not_built_yet(what: &str) -> Self {
        Self::new(format!("{what} is not built yet."))
    }

    /// The text without the trailer.
    pub fn text(&self) -> &[u8] {
        &self.0
    }

    /// Every line dhcpd logs for this error, in order.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::error(self.0.clone())];
        lines.extend(TRAILER.map(Line::error));
        lines
    }

    /// Logs the error and the trailer.
    pub fn log(&self) {
        self.lines().iter().for_each(emit);
    }
}

const TRAILER: [&str; 8] = [
    "",
    "If you think you have received this message due to a bug rather",
    "than a configuration issue please read the section on submitting",
    "bugs on either our web page at www.isc.org or in the README file",
    "before submitting a bug.  These pages explain the proper",
    "process and the information we find helpful for debugging.",
    "",
    "exiting.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailer_follows() {
        let lines = Fatal::new("Not configured to listen on any interfaces!").lines();
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[0], Line::error("Not configured to listen on any interfaces!"));
        assert_eq!(lines[8], Line::error("exiting."));
    }
}
