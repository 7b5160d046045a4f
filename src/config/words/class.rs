//! Classes and subclasses (ISC `server/confpars.c:parse_class_declaration`).

use super::declarations::{Kind, Place};
use super::lexer::Kind as Word;
use super::{Lost, Walk};
use crate::config::build::ClassDraft;

impl Walk<'_> {
    /// `word`: which of the four declarations.
    pub(super) fn class(&mut self, place: Place, word: &str) {
        let name = self.next();
        if name.kind != Word::String {
            return self.refuse("Expecting class name");
        }
        let name = name.c_text().to_vec();
        let mut class = if word == "class" {
            self.act(|builder| builder.open_class(place.scope, &name))
        } else {
            if self.act(|builder| builder.find_superclass(&name)).is_err() {
                return self.cursor.skip_to_semicolon();
            }
            let value = if word == "subclass" {
                match self.peek().kind {
                    Word::String => self.next().text.to_vec(),
                    Word::Number | Word::NumberOrName => match self.hex_list() {
                        Some(octets) => octets,
                        None => return,
                    },
                    _ => return self.warn("Expecting string or hex list."),
                }
            } else {
                name.clone()
            };
            let block = !self.peek().is(b';');
            let Ok(class) = self.act(|builder| builder.open_subclass(&name, &value, block)) else { return };
            if !block {
                self.next();
                return;
            }
            class
        };
        if !self.left_brace() {
            return;
        }
        self.class_body(&mut class);
        self.act(|builder| builder.close_class(class));
    }

    fn class_body(&mut self, class: &mut ClassDraft) {
        let inner = Place::new(Kind::Class, class.scope);
        self.statements(inner, None, |walk, word, _| match word {
            "dynamic" | "deleted" => {
                walk.next();
                match word {
                    "dynamic" => walk.builder.set_class_dynamic(class),
                    _ => walk.builder.set_class_deleted(class),
                }
                Some(walk.cursor.semicolon())
            }
            "match" => Some(walk.class_match(class)),
            "spawn" => Some(walk.spawn(class)),
            "lease" => Some(walk.lease_limit(class)),
            _ => None,
        });
    }

    /// Each of these: false when dhcpd takes the class for finished.
    fn class_match(&mut self, class: &mut ClassDraft) -> bool {
        if self.act(|builder| builder.expect_match(class)).is_err() {
            self.cursor.skip_to_semicolon();
            return false;
        }
        self.next();
        if !self.peek().is_word("if") {
            return self.submatch(class, false);
        }
        self.next();
        if self.act(|builder| builder.begin_match_if(class)).is_err() {
            self.cursor.skip_to_semicolon();
            return false;
        }
        match self.boolean_expression() {
            Ok(Some(_)) => {
                self.cursor.semicolon();
            }
            Ok(None) => self.refuse("expecting boolean expr."),
            Err(Lost) => {}
        }
        true
    }

    fn spawn(&mut self, class: &mut ClassDraft) -> bool {
        self.next();
        if self.act(|builder| builder.expect_spawn(class)).is_err() {
            self.cursor.skip_to_semicolon();
            return false;
        }
        if !self.next().is_word("with") {
            self.refuse("expecting with after spawn");
            return false;
        }
        self.submatch(class, true)
    }

    fn submatch(&mut self, class: &mut ClassDraft, spawn: bool) -> bool {
        if self.act(|builder| builder.begin_submatch(class, spawn)).is_err() {
            self.cursor.skip_to_semicolon();
            return false;
        }
        match self.data_expression() {
            Ok(Some(_)) => {
                self.cursor.semicolon();
            }
            Ok(None) => self.refuse("expecting data expr."),
            Err(Lost) => {}
        }
        true
    }

    fn lease_limit(&mut self, class: &mut ClassDraft) -> bool {
        self.next();
        let mut text = "expecting \"limit\"";
        let mut token = self.next();
        if token.is_word("limit") {
            text = "expecting a number";
            token = self.next();
            if token.kind == Word::Number {
                self.builder.set_lease_limit(class, Self::atoi(&token));
                self.cursor.semicolon();
                return true;
            }
        }
        self.warn(text);
        if !token.is(b';') {
            self.cursor.skip_to_semicolon();
        }
        false
    }
}
