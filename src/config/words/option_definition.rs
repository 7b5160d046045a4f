//! Option names, spaces and definitions (ISC `common/parse.c:parse_option_name` and others).

use super::expression::Found;
use super::lexer::{Kind, Token};
use super::{Lost, Walk};
use crate::config::build::{Resolution, TypeLetters};
use crate::config::network::ScopeId;
use crate::options::OptionId;
use crate::syntax::{Number, OptionSpaceClause, Span};

/// The longest format dhcpd builds.
const LONGEST_FORMAT: usize = 128;

/// A type as far as it is read.
#[derive(Default)]
struct Type {
    letters: String,
    record: bool,
    /// `array of`: 1 before the whole type, 2 before a member of a record; 0 once that member is done.
    array: u8,
    /// Nothing may follow: `encapsulate` came.
    encapsulates: bool,
    /// Nothing may follow in a record. It stays, whatever comes.
    ends: bool,
}

impl Type {
    fn is_member_array(&self) -> bool {
        self.array > u8::from(self.record)
    }
}

impl Walk<'_> {
    /// The rest of an `option` statement among declarations, `option` being consumed: a space, a definition or a value
    /// (ISC `server/confpars.c:parse_statement`, case OPTION). `root`: right in the file. What comes out is the new
    /// value of `declaration`.
    pub(super) fn option_declaration(&mut self, scope: ScopeId, root: bool, declaration: bool) -> bool {
        if self.peek().is_word("space") {
            if root {
                self.space();
                return declaration;
            }
            self.act(|builder| builder.refuse_definition(true));
            self.cursor.skip_to_semicolon();
            return false;
        }
        let Some((resolution, name)) = self.option_resolution() else { return declaration };
        if self.peek().is_word("code") {
            if !root {
                self.act(|builder| builder.refuse_definition(false));
                self.cursor.skip_to_semicolon();
                return false;
            }
            self.next();
            self.builder.begin_definition(resolution);
            self.definition(resolution, &name);
            return declaration;
        }
        match resolution {
            Resolution::Known(option) => {
                self.option_value(scope, option);
            }
            Resolution::New(space) => {
                let text = [b"unknown option ", self.space_name(space).as_slice(), b".", &name].concat();
                self.warn(text);
                self.cursor.skip_to_semicolon();
            }
        }
        declaration
    }

    /// ISC `parse_option_name` with `allocate` 1 (`declare`, of a `host-identifier`) or 0. None: said and skipped as
    /// ISC does.
    pub(super) fn option_name(&mut self, declare: bool) -> Option<OptionId> {
        let (resolution, name) = self.option_resolution()?;
        let space = match resolution {
            Resolution::Known(option) => return Some(option),
            Resolution::New(space) => self.space_name(space),
        };
        if declare {
            self.warn([b"unknown option ", space.as_slice(), b".", &name].concat());
            self.cursor.skip_to_brace(1);
        } else {
            self.warn([b"no option named ", name.as_slice(), b" in space ", &space].concat());
            self.cursor.skip_to_semicolon();
        }
        None
    }

    fn space_name(&self, space: crate::options::SpaceId) -> Vec<u8> {
        self.builder.config().spaces.space(space).name.as_bytes().to_vec()
    }

    /// What an option's name means, and the name without its space.
    fn option_resolution(&mut self) -> Option<(Resolution, Vec<u8>)> {
        let mut token = self.next();
        let mut space = None;
        let mut missing = "expecting identifier after option keyword.";
        if token.is_identifier() && self.peek().is(b'.') {
            self.next();
            space = Some(token);
            token = self.next();
            missing = "expecting identifier after '.'";
        }
        if !token.is_identifier() {
            self.warn(missing);
            if !token.is(b';') {
                self.cursor.skip_to_semicolon();
            }
            return None;
        }
        let resolved =
            self.act(|builder| builder.resolve_option(space.as_ref().map(Token::c_text), token.c_text()));
        match resolved {
            Ok(resolution) => Some((resolution, token.c_text().to_vec())),
            Err(_) => {
                self.cursor.skip_to_semicolon();
                None
            }
        }
    }

    /// ISC `parse_option_space_decl`. Its errors skip nothing.
    fn space(&mut self) {
        self.next();
        let name = self.next();
        if !name.is_identifier() {
            self.warn("expecting identifier.");
            self.cursor.skip_to_semicolon();
            return;
        }
        let mut clauses = Vec::new();
        loop {
            let token = self.next();
            let clause = match token.kind {
                Kind::Char(b';') => break,
                Kind::Keyword("code") => self
                    .space_clause("width", "expecting width token.", "expecting number 1, 2, 4.")
                    .map(OptionSpaceClause::CodeWidth),
                Kind::Keyword("length") => self
                    .space_clause("width", "expecting width token.", "expecting number 1 or 2.")
                    .map(OptionSpaceClause::LengthWidth),
                Kind::Keyword("hash") => self
                    .space_clause("size", "expecting size token.", "expecting a 10base number")
                    .map(OptionSpaceClause::HashSize),
                Kind::End => {
                    // dhcpd says this for ever.
                    self.warn("Unexpected token.");
                    return;
                }
                _ => {
                    self.warn("Unexpected token.");
                    continue;
                }
            };
            let Some(clause) = clause else { return };
            // A number that will not do ends the statement at once; the name is not defined.
            let text = match &clause {
                OptionSpaceClause::CodeWidth(number) if !matches!(number.value, 1 | 2 | 4) => {
                    format!("invalid code width ({}), expecting a 1, 2 or 4.", number.value)
                }
                OptionSpaceClause::LengthWidth(number) if !matches!(number.value, 1 | 2) => {
                    format!("invalid length width ({}) expecting 1 or 2.", number.value)
                }
                OptionSpaceClause::HashSize(number) if number.value < 0 => {
                    format!("invalid hash length: {}", number.value)
                }
                _ => {
                    clauses.push(clause);
                    continue;
                }
            };
            self.warn(text);
            return;
        }
        // Nothing is left to be refused.
        let _ = self.act(|builder| builder.define_space(name.c_text(), &clauses));
    }

    fn space_clause(&mut self, word: &str, no_word: &str, no_number: &str) -> Option<Number> {
        if !self.next().is_word(word) {
            self.warn(no_word);
            return None;
        }
        let token = self.next();
        if token.kind != Kind::Number {
            self.warn(no_number);
            return None;
        }
        Some(Number { value: Self::atoi(&token), text: token.c_text().into(), span: Span::default() })
    }

    /// ISC `parse_option_code_definition`.
    fn definition(&mut self, resolution: Resolution, name: &[u8]) {
        let token = self.next();
        if token.kind != Kind::Number {
            let _ = self.lose_statement::<()>("expecting option code number.");
            return;
        }
        let code = Self::atoi(&token);
        if !self.next().is(b'=') {
            let _ = self.lose_statement::<()>("expecting \"=\"");
            return;
        }
        if let Ok(Some(letters)) = self.option_type() {
            let _ = self.act(|builder| {
                builder.define_option(resolution, name, code, TypeLetters::from_letters(letters))
            });
        }
    }

    /// Everything up to the semicolon, as format letters.
    fn option_type(&mut self) -> Found<String> {
        let mut written = Type::default();
        let mut token = self.next();
        if token.is_word("array") {
            self.expect_of()?;
            written.array = 1;
            token = self.next();
        }
        if token.is(b'{') {
            written.record = true;
            token = self.next();
        }
        loop {
            let letter = self.member(token, &mut written)?;
            if written.letters.len() >= LONGEST_FORMAT {
                return self.lose_type(&written, "too many types in record.");
            }
            written.letters.push(letter);
            if !written.record {
                break;
            }
            let after = self.next();
            if written.is_member_array() {
                if written.letters.len() >= LONGEST_FORMAT {
                    return self.lose_record("too many types in record.");
                }
                written.array = 0;
                written.letters.push('a');
            }
            if after.is(b',') {
                if written.ends {
                    let what = if letter == 't' { "text" } else { "string" };
                    return self.lose_record(&format!("{what} must be at end of record."));
                }
                token = self.next();
                continue;
            }
            if !after.is(b'}') {
                return self.lose_record("expecting right brace.");
            }
            break;
        }
        if !self.cursor.semicolon() {
            // dhcpd says so once more, and skips once more.
            self.warn("semicolon expected.");
            self.cursor.skip_to_semicolon();
            if written.record {
                self.cursor.skip_to_semicolon();
            }
            return Err(Lost);
        }
        if written.encapsulates && written.array > 0 {
            return self.lose("Arrays of encapsulations don't make sense.");
        }
        if written.array > 0 {
            written.letters.push(if written.is_member_array() { 'a' } else { 'A' });
        }
        Ok(Some(written.letters))
    }

    fn expect_of(&mut self) -> Result<(), Lost> {
        if self.next().is_word("of") { Ok(()) } else { self.lose_statement("expecting \"of\".") }
    }

    /// An error in a type that may be in a record: out of the record, then out of the statement.
    fn lose_type<T>(&mut self, written: &Type, text: impl AsRef<[u8]>) -> Result<T, Lost> {
        self.warn(text);
        self.cursor.skip_to_brace(usize::from(written.record));
        if written.record {
            self.cursor.skip_to_semicolon();
        }
        Err(Lost)
    }

    fn lose_record<T>(&mut self, text: &str) -> Result<T, Lost> {
        self.warn(text);
        self.cursor.skip_to_brace(1);
        self.cursor.skip_to_semicolon();
        Err(Lost)
    }

    /// One type. Its last letter comes out, those before it are added.
    fn member(&mut self, token: Token, written: &mut Type) -> Result<char, Lost> {
        let mut token = token;
        if written.encapsulates {
            return self.lose_statement("encapsulate must always be the last item.");
        }
        if token.is_word("array") {
            if written.array > 0 {
                return self.lose_type(written, "no nested arrays.");
            }
            self.expect_of()?;
            written.array = u8::from(written.record) + 1;
            token = self.next();
            if written.record && token.is(b'{') {
                self.warn("only uniform array inside record.");
                self.cursor.skip_to_brace(2);
                self.cursor.skip_to_semicolon();
                return Err(Lost);
            }
            if token.is_word("array") {
                return self.lose_type(written, "no nested arrays.");
            }
        }
        let Kind::Keyword(word) = token.kind else { return self.unknown_type(&token, written) };
        let letter = match word {
            "boolean" => 'f',
            "integer" => self.integer_type(true, written)?,
            "signed" | "unsigned" => {
                if !self.next().is_word("integer") {
                    return self.lose_type(written, "expecting \"integer\" keyword.");
                }
                self.integer_type(word == "signed", written)?
            }
            "ip-address" => 'I',
            "ip6-address" => '6',
            "domain-name" => self.last_type('d', written)?,
            "domain-list" => {
                let compressed = self.peek().is_word("compressed");
                if compressed {
                    self.next();
                    written.letters.push('D');
                }
                self.last_type(if compressed { 'c' } else { 'D' }, written)?
            }
            "text" => self.last_type('t', written)?,
            "string" => self.last_type('X', written)?,
            "encapsulate" => self.encapsulation(written)?,
            "zerolen" => {
                if written.array > 0 {
                    return self.lose_type(written, "array incompatible with zerolen.");
                }
                written.ends = true;
                'Z'
            }
            _ => return self.unknown_type(&token, written),
        };
        Ok(letter)
    }

    fn unknown_type<T>(&mut self, token: &Token, written: &Type) -> Result<T, Lost> {
        self.lose_type(written, [b"unknown data type ", token.c_text()].concat())
    }

    /// A type that arrays cannot have and that ends a record.
    fn last_type(&mut self, letter: char, written: &mut Type) -> Result<char, Lost> {
        if written.array > 0 {
            return self.lose_type(written, "arrays of text strings not yet supported.");
        }
        written.ends = true;
        Ok(letter)
    }

    fn integer_type(&mut self, signed: bool, written: &Type) -> Result<char, Lost> {
        let token = self.next();
        if token.kind != Kind::Number {
            return self.lose_type(written, "expecting number.");
        }
        let letter = match Self::atoi(&token) {
            8 => 'b',
            16 => 's',
            32 => 'l',
            _ => {
                let text = [token.c_text(), b" bit precision is not supported."].concat();
                return self.lose_type(written, text);
            }
        };
        Ok(if signed { letter } else { letter.to_ascii_uppercase() })
    }

    fn encapsulation(&mut self, written: &mut Type) -> Result<char, Lost> {
        let token = self.next();
        if !token.is_identifier() {
            return self.lose_statement("expecting option space identifier");
        }
        let name = token.c_text();
        if self.builder.config().spaces.space_named(name).is_none() {
            return self.lose_statement([b"unknown option space ", name].concat());
        }
        if name.len() + written.letters.len() + 2 > LONGEST_FORMAT {
            return self.lose_type(written, "too many types in record.");
        }
        written.letters.push('E');
        written.letters.push_str(&String::from_utf8_lossy(name));
        written.encapsulates = true;
        Ok('.')
    }
}
