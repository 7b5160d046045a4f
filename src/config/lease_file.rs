//! Declarations in a lease file: the classes, subclasses, groups and hosts that were made while a server ran.
//!
//! They are added to the configuration that was read before, and mean there what they would mean in it. Mirrors the
//! branches of ISC `server/confpars.c:lease_file_subparse` that lead to the parser of the configuration.
//!
//! A declaration is read twice: [`words`] says what dhcpd says, and where dhcpd takes it for finished; its text up to
//! there is then given its meaning, as far as it has one. Each reading has a [`Builder`] of its own, and both see the
//! same declarations.

use super::Config;
use super::build::Builder;
use super::network::ClassId;
use super::words::{self, Declared};
use crate::log::echo::Echo;
use crate::syntax::{LoadError, parse};
use std::sync::Arc;

pub use super::words::Declaration;

/// A configuration to which the declarations of one lease file are added.
#[derive(Debug)]
pub struct LeaseFileDeclarations {
    file: Vec<u8>,
    source: Arc<[u8]>,
    /// `None` only while [`words`] has it.
    saying: Option<Builder>,
    meaning: Builder,
}

impl LeaseFileDeclarations {
    /// `file` is what messages call the lease file, `source` is all of it.
    pub fn new(config: &Config, file: &[u8], source: &[u8]) -> Self {
        Self {
            file: file.to_vec(),
            source: source.into(),
            saying: Some(Builder::resume(config.clone())),
            meaning: Builder::resume(config.clone()),
        }
    }

    /// Reads the declaration whose keyword stands at `keyword` and ends before `at`. `None` when it is nested too deep to
    /// be read.
    pub fn read<S: AsRef<[u8]>>(
        &mut self,
        declaration: Declaration,
        keyword: usize,
        at: usize,
        echo: &Echo<S>,
    ) -> Option<Declared> {
        let saying = self.saying.take()?;
        let echo = echo.over(self.source.clone());
        let (mut saying, declared) =
            words::declared(saying, declaration, &self.file, at, echo, self.source.clone());
        let told = saying.take_closed();
        self.saying = Some(saying);
        let declared = declared?;
        let end = declared.peeked.map_or(declared.reached, |(start, _)| start);
        let text = self.source.get(keyword..end).unwrap_or_default();
        let mut nothing = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        self.meaning.declare(&parse(b"", text.to_vec(), &mut nothing), told);
        if let Some(saying) = self.saying.as_ref().filter(|_| !declared.lines.is_empty()) {
            self.meaning.take_class_flags(saying.config());
        }
        Some(declared)
    }

    /// Reads the statements of an `on` block, behind its opening brace at `at`, for what dhcpd says.
    pub fn handler<S: AsRef<[u8]>>(&mut self, at: usize, echo: &Echo<S>) -> Option<Declared> {
        let saying = self.saying.take()?;
        let echo = echo.over(self.source.clone());
        let (saying, read) = words::handler(saying, &self.file, at, echo, self.source.clone());
        self.saying = Some(saying);
        Some(read)
    }

    /// The subclass of a class for a value, made when there is none, as a lease billed to it makes it.
    pub fn subclass(&mut self, superclass: ClassId, value: &[u8]) -> Option<ClassId> {
        let name = self.config().classes.get(superclass.index())?.name.clone();
        if let Some(saying) = &mut self.saying {
            // It was found above, so nothing is said.
            let _ = saying.open_subclass(name.as_bytes(), value, false);
        }
        self.meaning.open_subclass(name.as_bytes(), value, false).ok().map(|draft| draft.id)
    }

    /// The configuration so far. The statements of new scopes are not in it yet.
    pub fn config(&self) -> &Config {
        self.meaning.config()
    }

    /// All of it.
    pub fn finish(self) -> Config {
        self.meaning.into_resumed()
    }
}
