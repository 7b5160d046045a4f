//! The parts of executable statements, zones and keys.

use super::super::expr::Expr;
use super::super::source::Span;
use super::super::token::Word;
use super::{AddressOrHost, Block, Date, Ip6, Malformed, Name, OptionValue};

/// `if`, with its `elsif` / `else if` branches in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct If {
    /// Conditions and their blocks; at least one.
    pub branches: Vec<(Expr, Block)>,
    /// The block after the last `else`.
    pub otherwise: Option<Block>,
}

/// `switch (expression) { ... }`; `case` and `default:` are statements of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// What is compared. Data makes the cases data, anything else (a variable too) numeric.
    pub expression: Expr,
    /// Its statements.
    pub block: Block,
}

/// `on event [or event...]` with a block or `;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// The events, at least one, in the order written.
    pub events: Vec<(Event, Span)>,
    /// The statements; none when it ends in `;`.
    pub block: Option<Block>,
}

/// A lease event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// `expiry`
    Expiry,
    /// `commit`
    Commit,
    /// `release`
    Release,
    /// `transmission`: the client's event, accepted and without effect.
    Transmission,
}

/// `allow`, `deny`, `ignore`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermissionVerb {
    /// `allow`
    Allow,
    /// `deny`
    Deny,
    /// `ignore`
    Ignore,
}

/// `allow ...;`, `deny ...;`, `ignore ...;`. Directly in a pool `allow` and `deny` are permits; everywhere else, and
/// always with `ignore`, the word is a server option. At least one reading is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The word it begins with.
    pub verb: PermissionVerb,
    /// The reading as a pool's permit.
    pub permit: Option<Permit>,
    /// The reading as a server option.
    pub key: Option<PermissionKey>,
}

/// Whom a pool serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// `known-clients`, `known clients`
    KnownClients,
    /// `unknown-clients`, `unknown clients`
    UnknownClients,
    /// `authenticated clients`
    AuthenticatedClients,
    /// `unauthenticated clients`
    UnauthenticatedClients,
    /// `all clients`
    AllClients,
    /// `dynamic bootp clients`
    DynamicBootpClients,
    /// `members of "class"`
    MembersOf(Name),
    /// `after date`
    After(Date),
}

/// The words `allow`, `deny` and `ignore` take outside of pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermissionKey {
    /// `bootp`
    Bootp,
    /// `booting`
    Booting,
    /// `dynamic-bootp`
    DynamicBootp,
    /// `unknown-clients`
    UnknownClients,
    /// `duplicates`
    Duplicates,
    /// `declines`
    Declines,
    /// `client-updates`
    ClientUpdates,
    /// `leasequery`
    Leasequery,
}

/// A statement that begins with a word which is no keyword of a statement. dhcpd looks the word up among the options
/// of the `server` space first; when it is one, `value` is its value (and must be there). When it is not, and the
/// word is not a keyword ([`crate::syntax::WordClass::is_variable_name`]), the statement is an expression, evaluated
/// for its effect. Anything else is an error. At least one of the two readings is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordStatement {
    /// The word.
    pub name: Word,
    /// The reading as a server option.
    pub value: Option<OptionValue>,
    /// The reading as an expression, which begins at `name`. Read in data context, without a final type check.
    pub expression: Option<Expr>,
}

/// `set name = expression;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `define` rather than `set`.
    pub define: bool,
    /// The variable.
    pub name: Word,
    /// Its value, of any type.
    pub value: Expr,
}

/// `define name (arguments) { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// `define` rather than `set` (which fails when executed).
    pub define: bool,
    /// The function.
    pub name: Word,
    /// Its arguments' names.
    pub arguments: Vec<Word>,
    /// Its statements.
    pub block: Block,
}

/// `log (priority, data);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The priority; none means debug.
    pub priority: Option<LogPriority>,
    /// What is logged.
    pub data: Expr,
}

/// A priority of `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPriority {
    /// `fatal`: the server exits.
    Fatal,
    /// `error`
    Error,
    /// `debug`
    Debug,
    /// `info`
    Info,
}

/// `execute ("command", data, ...);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The command.
    pub command: Name,
    /// Its arguments.
    pub arguments: Vec<Expr>,
}

/// `zone name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone's name as written (dhcpd adds the trailing dot).
    pub name: Name,
    /// Its statements.
    pub statements: Vec<ZoneStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneStatement {
    /// From its first token to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: ZoneStatementKind,
}

/// What a statement of a zone says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneStatementKind {
    /// `primary address, ...;`
    Primary(Vec<AddressOrHost>),
    /// `secondary address, ...;`
    Secondary(Vec<AddressOrHost>),
    /// `primary6 address, ...;`
    Primary6(Vec<Ip6>),
    /// `secondary6 address, ...;`
    Secondary6(Vec<Ip6>),
    /// `key name;`
    Key(Name),
    /// What does not fit.
    Malformed(Box<Malformed>),
}

/// `key name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's name.
    pub name: Name,
    /// Its statements.
    pub statements: Vec<KeyStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatement {
    /// From its first token to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: KeyStatementKind,
}

/// What a statement of a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStatementKind {
    /// `algorithm name;`
    Algorithm(Name),
    /// `secret base64;`: the octets after decoding.
    Secret(Box<[u8]>),
    /// What does not fit.
    Malformed(Box<Malformed>),
}
