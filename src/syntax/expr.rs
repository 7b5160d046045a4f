//! Expressions (dhcp-eval(5)) as a tree.
//!
//! The tree means what dhcpd's parser makes of the text, odd precedence included. `Operation` lists its operands from
//! left to right as they are combined, so that a long chain is not deep; dhcpd nests `a = b or c = d or e = f` to the
//! right, here it is one chain of `or`, which comes to the same. Parentheses leave no node.
//!
//! A bare number is one hexadecimal octet in a data or untyped position and decimal in a numeric one; which it is
//! was decided when the tree was built ([`ExprKind::Hex`], [`ExprKind::Number`]). The type rules of dhcpd's parser
//! (`illegal expression relating different types` and the others, [`TypeFault`]) hold for every tree.

use super::ast::{Name, OptionName};
use super::source::Span;
use super::token::Word;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// From its first token to its last; outer parentheses are not included.
    pub span: Span,
    /// What it says.
    pub kind: ExprKind,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    // Data.
    /// `"text"`
    String(Box<[u8]>),
    /// `01:02:0a`, or a bare number in a data or untyped position.
    Hex(Box<[u8]>),
    /// `substring (data, offset, length)`
    Substring {
        /// The data.
        data: Box<Expr>,
        /// The first octet, from 0.
        offset: Box<Expr>,
        /// How many octets.
        length: Box<Expr>,
    },
    /// `suffix (data, length)`
    Suffix {
        /// The data.
        data: Box<Expr>,
        /// How many octets.
        length: Box<Expr>,
    },
    /// `lcase (data)`
    Lcase(Box<Expr>),
    /// `ucase (data)`
    Ucase(Box<Expr>),
    /// `concat (data, data, ...)`: two operands or more.
    Concat(Vec<Expr>),
    /// `pick-first-value (data, ...)` or `pick`: one operand or more.
    Pick(Vec<Expr>),
    /// `reverse (width, data)`
    Reverse {
        /// The width of a piece in octets.
        width: Box<Expr>,
        /// The data.
        data: Box<Expr>,
    },
    /// `binary-to-ascii (base, width, separator, data)`
    BinaryToAscii {
        /// The base.
        base: Box<Expr>,
        /// The width of a number in bits.
        width: Box<Expr>,
        /// What stands between two numbers.
        separator: Box<Expr>,
        /// The data.
        data: Box<Expr>,
    },
    /// `encode-int (value, width)`
    EncodeInt {
        /// The number.
        value: Box<Expr>,
        /// How wide.
        width: IntWidth,
    },
    /// `packet (offset, length)`
    Packet {
        /// The first octet, from 0.
        offset: Box<Expr>,
        /// How many octets.
        length: Box<Expr>,
    },
    /// `v6relay (relay, data)`
    V6Relay {
        /// Which relay.
        relay: Box<Expr>,
        /// What is evaluated there.
        data: Box<Expr>,
    },
    /// `gethostname ()`
    GetHostName,
    /// `gethostbyname ("name")`
    GetHostByName(Name),
    /// `option name`: from the client's packet.
    Option(OptionName),
    /// `config-option name`: from the reply being made.
    ConfigOption(OptionName),
    /// `hardware`
    Hardware,
    /// `leased-address`
    LeasedAddress,
    /// `host-decl-name`
    HostDeclName,
    /// `filename`
    Filename,
    /// `server-name`
    ServerName,
    /// `null`
    Null,

    // Numeric.
    /// A decimal number, as `atoi` reads it.
    Number(i32),
    /// `extract-int (data, width)`
    ExtractInt {
        /// The data.
        data: Box<Expr>,
        /// How wide.
        width: IntWidth,
    },
    /// `lease-time`
    LeaseTime,
    /// `client-state`
    ClientState,
    /// `nxdomain`, `booting` and the other named numbers.
    Constant(Constant),

    // Boolean.
    /// `exists name`
    Exists(OptionName),
    /// `known`
    Known,
    /// `static`
    Static,
    /// `check "collection"`
    Check(Name),
    /// `defined (variable)`
    Defined(Word),
    /// `not expression`
    Not(Box<Expr>),

    // Untyped until evaluated.
    /// A variable.
    Variable(Word),
    /// `function (argument, ...)`: one argument or more.
    Call {
        /// The function.
        name: Word,
        /// Its arguments.
        arguments: Vec<Expr>,
    },

    /// `first op1 e1 op2 e2 ...`, combined strictly from left to right: `((first op1 e1) op2 e2) ...`. At least one
    /// operator. Its type is that of its last operator.
    Operation {
        /// The leftmost operand.
        first: Box<Expr>,
        /// The operators and their right operands.
        rest: Vec<(BinaryOperator, Expr)>,
    },
}

/// The width of `extract-int` and `encode-int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntWidth {
    /// 8 bits
    Bits8,
    /// 16 bits
    Bits16,
    /// 32 bits
    Bits32,
}

/// A binary operator. There is no minus: dhcpd's lexer takes every `-` for the beginning of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `~=`
    RegexMatch,
    /// `~~`
    RegexMatchIgnoringCase,
    /// `and`
    And,
    /// `or`
    Or,
    /// `+`
    Add,
    /// `/`
    Divide,
    /// `*`
    Multiply,
    /// `%`
    Remainder,
    /// `&`
    BinaryAnd,
    /// `|`
    BinaryOr,
    /// `^`
    BinaryXor,
}

impl BinaryOperator {
    /// How tightly it binds; the larger, the tighter (ISC `common/tree.c:op_val`).
    pub fn precedence(self) -> u8 {
        use BinaryOperator::*;
        match self {
            BinaryAnd | BinaryOr | BinaryXor => 100,
            Equal | NotEqual | RegexMatch | RegexMatchIgnoringCase => 4,
            And | Or => 3,
            Add => 2,
            Multiply | Divide | Remainder => 1,
        }
    }
}

/// A number with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// `formerr`
    Formerr,
    /// `noerror`
    Noerror,
    /// `notauth`
    Notauth,
    /// `notimp`
    Notimp,
    /// `notzone`
    Notzone,
    /// `nxdomain`
    Nxdomain,
    /// `nxrrset`
    Nxrrset,
    /// `refused`
    Refused,
    /// `servfail`
    Servfail,
    /// `yxdomain`
    Yxdomain,
    /// `yxrrset`
    Yxrrset,
    /// `booting`
    Booting,
    /// `reboot`
    Reboot,
    /// `select`
    Select,
    /// `request`
    Request,
    /// `bound`
    Bound,
    /// `renew`
    Renew,
    /// `rebind`
    Rebind,
}

/// What type dhcpd's parser takes an expression for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExprType {
    /// Not known before it is evaluated: variables and function calls.
    Any,
    /// True or false.
    Boolean,
    /// Octets.
    Data,
    /// A number.
    Numeric,
}

impl Expr {
    /// The type of this expression.
    pub fn expr_type(&self) -> ExprType {
        use ExprKind::*;
        match &self.kind {
            String(_)
            | Hex(_)
            | Substring { .. }
            | Suffix { .. }
            | Lcase(_)
            | Ucase(_)
            | Concat(_)
            | Pick(_)
            | Reverse { .. }
            | BinaryToAscii { .. }
            | EncodeInt { .. }
            | Packet { .. }
            | V6Relay { .. }
            | GetHostName
            | GetHostByName(_)
            | Option(_)
            | ConfigOption(_)
            | Hardware
            | LeasedAddress
            | HostDeclName
            | Filename
            | ServerName
            | Null => ExprType::Data,
            Number(_) | ExtractInt { .. } | LeaseTime | ClientState | Constant(_) => ExprType::Numeric,
            Exists(_) | Known | Static | Check(_) | Defined(_) | Not(_) => ExprType::Boolean,
            Variable(_) | Call { .. } => ExprType::Any,
            Operation { rest, .. } => {
                rest.last().map_or(ExprType::Any, |(operator, _)| operator.result_type())
            }
        }
    }
}

impl Expr {
    /// The expressions right inside this one, from left to right.
    pub fn children(&self) -> Vec<&Expr> {
        use ExprKind::*;
        match &self.kind {
            Lcase(one) | Ucase(one) | Not(one) => vec![one],
            EncodeInt { value: one, .. } | ExtractInt { data: one, .. } => vec![one],
            Suffix { data, length } => vec![data, length],
            Reverse { width, data } => vec![width, data],
            Packet { offset, length } => vec![offset, length],
            V6Relay { relay, data } => vec![relay, data],
            Substring { data, offset, length } => vec![data, offset, length],
            BinaryToAscii { base, width, separator, data } => vec![base, width, separator, data],
            Concat(operands) | Pick(operands) | Call { arguments: operands, .. } => operands.iter().collect(),
            Operation { first, rest } => {
                std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand)).collect()
            }
            String(_) | Hex(_) | GetHostName | GetHostByName(_) | Option(_) | ConfigOption(_) | Hardware
            | LeasedAddress | HostDeclName | Filename | ServerName | Null | Number(_) | LeaseTime
            | ClientState | Constant(_) | Exists(_) | Known | Static | Check(_) | Defined(_)
            | Variable(_) => Vec::new(),
        }
    }
}

impl BinaryOperator {
    /// The type of what the operator yields.
    pub fn result_type(self) -> ExprType {
        use BinaryOperator::*;
        match self {
            Equal | NotEqual | RegexMatch | RegexMatchIgnoringCase | And | Or => ExprType::Boolean,
            Add | Divide | Multiply | Remainder | BinaryAnd | BinaryOr | BinaryXor => ExprType::Numeric,
        }
    }
}

/// How an expression breaks the type rules that dhcpd applies while parsing. The text is dhcpd's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeFault {
    /// Left and right side have different types.
    #[error("illegal expression relating different types")]
    DifferentTypes,
    /// A boolean is compared.
    #[error("expecting data/numeric expression")]
    DataOrNumeric,
    /// The right side of `~=` is not data.
    #[error("expecting data expression")]
    RegexData,
    /// `and` or `or` with something that is not boolean.
    #[error("expecting boolean expressions")]
    Booleans,
    /// Arithmetic with something that is not numeric.
    #[error("expecting numeric expressions")]
    Numerics,
    /// `not` before something that is not boolean, which a variable is not.
    #[error("boolean expression expected")]
    NotBoolean,
    /// The whole expression must be boolean.
    #[error("Expecting a boolean expression.")]
    WantBoolean,
    /// The whole expression must be data.
    #[error("Expecting a data expression.")]
    WantData,
    /// The whole expression must be numeric.
    #[error("Expecting a numeric expression.")]
    WantNumeric,
}
