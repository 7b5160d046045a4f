//! From the syntax tree to the typed configuration.
//!
//! Two parts. The [`Builder`] holds what a configuration means so far; its methods are the semantic actions of the
//! language (`open_host`, `add_range`, `define_option`...). They take values that are already parsed, say what ISC
//! `server/confpars.c` and `common/parse.c` would say about them as [`Notice`]s, and know nothing of a syntax tree. The
//! [`walk`] goes over the tree and calls them. Whoever reads the text in another way calls the same actions.

mod class;
mod date;
mod expression;
mod failover;
mod fault;
mod group;
mod host;
mod jumbo;
mod key_zone;
mod number;
mod option_definition;
mod option_value;
mod pool;
mod range6;
mod scope;
mod statement;
mod subnet;
mod text;
mod walk;

pub use class::ClassDraft;
pub use date::{Calendar, calendar_seconds};
pub use failover::{PeerDraft, PeerNumber, failover_sanity};
pub use group::GroupDraft;
pub use host::HostDraft;
pub(in crate::config) use host::client_identifier;
pub use jumbo::jumbo_ranges;
pub use key_zone::{KeyDraft, ZoneDraft, ZoneServer};
pub use number::{Converted, NumberFault, convert};
pub use option_definition::{Resolution, TypeLetters};
pub use pool::{PoolDraft, RangePlace};
pub(super) use scope::Kind;

use super::Config;
use super::diagnostic::{Code, Diagnostic, Notice, Severity};
use super::index::{HostIndex, SubnetIndex};
use super::network::{ClassId, GroupId, HostId, LeaseIdFormat, PeerId, Scope, ScopeId, ServerDuid};
use super::tree::{Block, Statement};
use crate::log::Line;
use crate::options::Spaces;
use crate::syntax::{Loader, Parsed, Reader, SourceMap, Span};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Which protocol the server speaks (`-4`, `-6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Family {
    /// DHCPv4 and BOOTP.
    #[default]
    V4,
    /// DHCPv6.
    V6,
}

/// What became of a configuration.
#[derive(Clone, Debug)]
pub struct Built {
    /// What it means; of use only when it is accepted.
    pub config: Config,
    /// Findings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Plain lines dhcpd logs while reading, in order; [`Diagnostic::log_before`] says where the findings stand among
    /// them.
    pub log: Vec<Line>,
    /// dhcpd gives up at once with this line (and its usual trailer); nothing after it was looked at.
    pub fatal: Option<Line>,
    /// What has a meaning that this server does not have yet: ignoring it would change an answer.
    pub unsupported: Vec<Unsupported>,
}

impl Built {
    /// Whether dhcpd takes the file.
    pub fn accepted(&self) -> bool {
        self.fatal.is_none() && !self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// A statement with a meaning that is not served yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it stands.
    pub span: Span,
    /// What it is, as an administrator would call it.
    pub what: String,
}

/// Builds the typed configuration of a parsed file.
pub fn build(parsed: &Parsed, family: Family) -> Built {
    let mut builder = Builder::new(family);
    walk::walk(&mut builder, parsed);
    builder.finish()
}

/// Reads a file and all that it includes, and builds its typed configuration on the way; the syntax tree never stands in
/// memory as a whole. `name` is the file's name as the administrator gave it. The source map is what spans refer to.
pub fn read(name: &[u8], bytes: Vec<u8>, loader: &mut dyn Loader, family: Family) -> (SourceMap, Built) {
    let mut reader = Reader::new(name, bytes, loader);
    let mut builder = Builder::new(family);
    walk::walk_reader(&mut builder, &mut reader);
    (reader.into_source_map(), builder.finish())
}

/// Builds executable statements that stand alone, such as the body of an `on` block in the lease file, by the option
/// definitions and classes of a configuration. The findings are what stands against them.
pub fn build_block(config: &Config, parsed: &Parsed) -> Result<Block, Vec<Diagnostic>> {
    let mut builder = Builder::new(Family::V4);
    builder.config.spaces = config.spaces.clone();
    builder.config.classes = config.classes.clone();
    for id in &config.class_order {
        if let Some(class) = config.classes.get(id.index()) {
            builder.classes.insert(class.name.clone(), *id);
        }
    }
    builder.in_handler = 1;
    walk::walk_block(&mut builder, parsed)
}

/// Hosts and groups of a lease file as they were closed.
#[derive(Debug, Default)]
pub struct Closed {
    hosts: VecDeque<HostDraft>,
    groups: VecDeque<GroupDraft>,
}

/// The sign that an action was refused; the reason is among the notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// The configuration being built. See the module's documentation.
#[derive(Debug)]
pub struct Builder {
    pub(super) family: Family,
    pub(super) config: Config,
    /// The statements of the scopes whose blocks are open.
    statements: HashMap<ScopeId, Vec<Statement>>,
    notices: Vec<Notice>,
    /// How many errors were reported.
    errors: usize,
    unsupported: Vec<Unsupported>,
    /// Where the statement at hand stands.
    span: Span,
    fatal: bool,
    host_scope_warned: bool,
    /// Inside an `on` block constants are not joined, as the block is printed back into the lease file.
    in_handler: u32,
    /// Declarations of a lease file are being added.
    lease_file: bool,
    /// What the hosts and groups were when they were closed, in that order.
    closed: Closed,
    /// The same from whoever read the text in dhcpd's way; it goes before what the syntax tree says.
    told: Closed,
    /// Shared by all scopes without statements.
    empty: Block,
    /// Hosts that were deleted and are to be remembered.
    deleted_hosts: HashMap<Arc<str>, HostId>,
    subnet_spans: Vec<Span>,
    classes: HashMap<Arc<str>, ClassId>,
    groups: HashMap<Arc<str>, GroupId>,
    peers: HashMap<Arc<str>, PeerId>,
    /// Keys and zones compare without regard to case.
    keys: HashMap<String, usize>,
    zones: HashMap<String, usize>,
    /// Addresses of all ranges so far: first to last, disjoint.
    declared: BTreeMap<u32, u32>,
    names: HashMap<Box<[u8]>, Arc<str>>,
    faults: fault::Pending,
}

impl Builder {
    /// An empty configuration: the root scope with the statements every dhcpd starts with.
    pub fn new(family: Family) -> Self {
        let empty: Arc<[Statement]> = Arc::from([]);
        let config = Config {
            spaces: Spaces::new(),
            scopes: vec![Scope { parent: None, statements: empty, authoritative: false }],
            shared_networks: Vec::new(),
            subnets: Vec::new(),
            subnet_index: SubnetIndex::default(),
            pools: Vec::new(),
            hosts: Vec::new(),
            host_index: HostIndex::default(),
            groups: Vec::new(),
            classes: Vec::new(),
            class_order: Vec::new(),
            failover_peers: Vec::new(),
            keys: Vec::new(),
            zones: Vec::new(),
            lease_id_format: LeaseIdFormat::default(),
            db_time_format_local: false,
            server_duid: None,
        };
        let mut builder = Self {
            family,
            config,
            statements: HashMap::new(),
            notices: Vec::new(),
            errors: 0,
            unsupported: Vec::new(),
            span: Span::default(),
            fatal: false,
            host_scope_warned: false,
            in_handler: 0,
            lease_file: false,
            closed: Closed::default(),
            told: Closed::default(),
            empty: Arc::from([]),
            deleted_hosts: HashMap::new(),
            subnet_spans: Vec::new(),
            classes: HashMap::new(),
            groups: HashMap::new(),
            peers: HashMap::new(),
            keys: HashMap::new(),
            zones: HashMap::new(),
            declared: BTreeMap::new(),
            names: HashMap::new(),
            faults: fault::Pending::default(),
        };
        builder.standard_name_service();
        builder
    }

    /// Goes on with a finished configuration, to which the declarations of a lease file are added. Constants are not
    /// joined, as what is read is written again.
    pub fn resume(config: Config) -> Self {
        let mut builder = Self::new(Family::V4);
        builder.statements.clear();
        for &id in &config.class_order {
            if let Some(class) = config.classes.get(id.index()) {
                builder.classes.insert(class.name.clone(), id);
            }
        }
        for (at, group) in config.groups.iter().enumerate().filter(|(_, group)| !group.deleted) {
            // As many as statements: fits.
            builder.groups.insert(group.name.clone(), GroupId(at as u32));
        }
        for (at, peer) in config.failover_peers.iter().enumerate() {
            builder.peers.insert(peer.name.clone(), PeerId(at as u32));
        }
        builder.config = config;
        builder.in_handler = 1;
        builder.lease_file = true;
        builder
    }

    /// One declaration of a lease file, whatever is wrong with it, and what another builder made of its hosts and
    /// groups. Nothing is said.
    pub fn declare(&mut self, parsed: &Parsed, told: Closed) {
        self.told = told;
        walk::walk_first(self, parsed);
        self.closed = Closed::default();
        self.notices.clear();
        self.unsupported.clear();
    }

    /// Takes over flags and limits of the classes of another configuration, to which the same was added.
    pub fn take_class_flags(&mut self, other: &Config) {
        self.class_flags_from(&other.classes);
    }

    /// The hosts and groups that were closed since the last call.
    pub fn take_closed(&mut self) -> Closed {
        std::mem::take(&mut self.closed)
    }

    /// The configuration that was resumed, with what was added.
    pub fn into_resumed(mut self) -> Config {
        self.seal_scopes();
        self.config
    }

    /// Says where the next actions stand in the text.
    pub fn at(&mut self, span: Span) -> &mut Self {
        self.span = span;
        self
    }

    /// What was said since the last call, in order.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Whether dhcpd would have ended by now.
    pub fn stopped(&self) -> bool {
        self.fatal
    }

    /// The configuration so far.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// `lease-id-format`
    pub fn set_lease_id_format(&mut self, format: LeaseIdFormat) {
        self.config.lease_id_format = format;
        let name = match format {
            LeaseIdFormat::Octal => "octal",
            LeaseIdFormat::Hex => "hex",
        };
        self.log(Line::debug(format!("lease_id_format is: {name}")));
    }

    /// `db-time-format`
    pub fn set_db_time_format(&mut self, local: bool) {
        self.config.db_time_format_local = local;
    }

    /// `server-duid`
    pub fn set_server_duid(&mut self, duid: ServerDuid) {
        self.config.server_duid = Some(duid);
    }

    /// Notes something that the server does not do yet.
    pub fn unsupported(&mut self, what: impl Into<String>) {
        let span = self.span;
        self.unsupported.push(Unsupported { span, what: what.into() });
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) -> Refused {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.notices.push(Notice::Diagnostic(Box::new(diagnostic)));
        Refused
    }

    /// An error in dhcpd's words at the place at hand.
    pub(super) fn refuse(&mut self, code: Code, isc: impl Into<Vec<u8>>) -> Refused {
        self.report(Diagnostic::error(code, self.span, isc))
    }

    pub(super) fn log(&mut self, line: Line) {
        self.notices.push(Notice::Line(line));
    }

    pub(super) fn fail(&mut self, text: impl Into<Vec<u8>>) -> Refused {
        self.fatal = true;
        self.notices.push(Notice::Fatal(Line::error(text)));
        Refused
    }

    /// A name as text, shared when it was used before. dhcpd's names end at the first NUL; octets that are not UTF-8
    /// become replacement characters.
    pub(super) fn name(&mut self, octets: &[u8]) -> Arc<str> {
        let octets = octets.split(|c| *c == 0).next().unwrap_or_default();
        if let Some(name) = self.names.get(octets) {
            return name.clone();
        }
        let name: Arc<str> = String::from_utf8_lossy(octets).into();
        // Names used again (variables, classes, groups) are few; host names must not fill the table twice.
        if self.names.len() < 10_000 {
            self.names.insert(octets.into(), name.clone());
        }
        name
    }

    /// The finished configuration, with everything that was said and not taken before.
    pub fn finish(mut self) -> Built {
        self.seal_scopes();
        self.order_subnets();
        self.config.subnet_index = SubnetIndex::new(&self.config.subnets);
        let (mut diagnostics, mut log, mut fatal) = (Vec::new(), Vec::new(), None);
        for notice in self.notices {
            match notice {
                Notice::Diagnostic(mut diagnostic) => {
                    diagnostic.log_before = log.len();
                    diagnostics.push(*diagnostic);
                }
                Notice::Line(line) => log.push(line),
                Notice::Fatal(line) => fatal = Some(line),
            }
        }
        Built { config: self.config, diagnostics, log, fatal, unsupported: self.unsupported }
    }
}

#[cfg(test)]
mod tests;
