//! Classes and subclasses (ISC `server/confpars.c:parse_class_declaration`).

use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic};
use crate::config::network::{Class, ClassId, ScopeId};
use crate::config::tree::{Expr, Octets};
use std::collections::HashMap;
use std::sync::Arc;

/// A class between its braces.
#[derive(Clone, Debug)]
pub struct ClassDraft {
    /// The class, new or declared before.
    pub id: ClassId,
    /// Where its statements go.
    pub scope: ScopeId,
    new: bool,
    subclass: bool,
    match_if_seen: bool,
    submatch_seen: bool,
    deleted: bool,
}

impl Builder {
    /// Opens a `class`: a class of that name is extended.
    pub fn open_class(&mut self, parent: ScopeId, name: &[u8]) -> ClassDraft {
        let (id, new) = match self.find_class(name) {
            Some(id) => (id, false),
            None => {
                let name = self.name(name);
                let scope = self.open_scope(parent);
                (self.push_class(name, None, None, scope, None), true)
            }
        };
        let scope = self.class_scope(id);
        ClassDraft {
            id,
            scope,
            new,
            subclass: false,
            match_if_seen: false,
            submatch_seen: false,
            deleted: false,
        }
    }

    /// Opens a `subclass` (or, with the name as value, a `vendor-class` or `user-class`) of a class that must be there.
    /// Without a block it uses its class's scope; with one it gets its own inside that, one more each time.
    pub fn open_subclass(&mut self, class: &[u8], value: &[u8], block: bool) -> Result<ClassDraft, Refused> {
        let superclass = self.find_superclass(class)?;
        let value = Octets::new(value);
        let parent = self.config.classes.get(superclass.index());
        let known = parent.and_then(|class| class.subclasses.get(&value).copied());
        let id = match known {
            Some(id) => id,
            None => {
                let (name, limit) =
                    parent.map(|class| (class.name.clone(), class.lease_limit)).unwrap_or_default();
                let scope = self.class_scope(superclass);
                let id = self.push_class(name, Some(superclass), Some(value.clone()), scope, limit);
                if let Some(class) = self.config.classes.get_mut(superclass.index()) {
                    class.subclasses.insert(value, id);
                }
                id
            }
        };
        let mut scope = self.class_scope(id);
        if block {
            scope = self.open_scope(scope);
            if let Some(class) = self.config.classes.get_mut(id.index()) {
                class.scope = scope;
            }
        }
        Ok(ClassDraft {
            id,
            scope,
            new: false,
            subclass: true,
            match_if_seen: false,
            submatch_seen: false,
            deleted: false,
        })
    }

    /// The class a subclass belongs to. Asked before the subclass's value is read.
    pub fn find_superclass(&mut self, name: &[u8]) -> Result<ClassId, Refused> {
        let known = self.find_class(name);
        known.ok_or_else(|| self.refuse(Code::ClassUnknown, octets!("no class named ", name)))
    }

    /// `match if CONDITION;`
    pub fn set_match_if(&mut self, draft: &mut ClassDraft, condition: Expr) -> Result<(), Refused> {
        self.begin_match_if(draft)?;
        if let Some(class) = self.config.classes.get_mut(draft.id.index()) {
            class.match_if = Some(Arc::new(condition));
        }
        Ok(())
    }

    /// Whether `match if` may stand here: once, and in no subclass. Asked before its condition is read.
    pub fn begin_match_if(&mut self, draft: &mut ClassDraft) -> Result<(), Refused> {
        self.expect_match(draft)?;
        if draft.match_if_seen {
            let isc = "A class may only have one 'match if' clause.";
            let diagnostic = Diagnostic::error(Code::MatchTwice, self.span, isc)
                .note("join the conditions with \"or\" or \"and\"");
            return Err(self.report(diagnostic));
        }
        draft.match_if_seen = true;
        Ok(())
    }

    /// `match DATA;` and `spawn with DATA;`
    pub fn set_submatch(&mut self, draft: &mut ClassDraft, data: Expr, spawn: bool) -> Result<(), Refused> {
        if spawn {
            self.expect_spawn(draft)?;
        }
        self.expect_match(draft)?;
        self.begin_submatch(draft, spawn)?;
        if let Some(class) = self.config.classes.get_mut(draft.id.index()) {
            class.submatch = Some(Arc::new(data));
        }
        Ok(())
    }

    /// `spawn` has no place in a subclass.
    pub fn expect_spawn(&mut self, draft: &ClassDraft) -> Result<(), Refused> {
        if draft.subclass {
            return Err(self.refuse(Code::MatchInSubclass, "invalid spawn in subclass."));
        }
        Ok(())
    }

    /// Whether `match` and `spawn with` may stand here: one of them once. Asked before the data is read.
    pub fn begin_submatch(&mut self, draft: &mut ClassDraft, spawn: bool) -> Result<(), Refused> {
        if let Some(class) = self.config.classes.get_mut(draft.id.index()) {
            class.spawning |= spawn;
        }
        if draft.submatch_seen {
            return Err(self.refuse(Code::MatchTwice, "can't override existing submatch/spawn."));
        }
        draft.submatch_seen = true;
        Ok(())
    }

    /// `match` has no place in a subclass.
    pub fn expect_match(&mut self, draft: &ClassDraft) -> Result<(), Refused> {
        if draft.subclass {
            return Err(self.refuse(Code::MatchInSubclass, "invalid match in subclass."));
        }
        Ok(())
    }

    /// `lease limit NUMBER;`
    pub fn set_lease_limit(&mut self, draft: &ClassDraft, limit: i32) {
        if let Some(class) = self.config.classes.get_mut(draft.id.index()) {
            // Zero is no limit for dhcpd; a negative number asks for more memory than there is.
            class.lease_limit = u32::try_from(limit).ok().filter(|limit| *limit > 0);
        }
    }

    /// `dynamic;` in a class.
    pub fn set_class_dynamic(&mut self, draft: &ClassDraft) {
        if let Some(class) = self.config.classes.get_mut(draft.id.index()) {
            class.dynamic = true;
        }
    }

    /// `deleted;` in a class.
    pub fn set_class_deleted(&mut self, draft: &mut ClassDraft) {
        draft.deleted = true;
    }

    /// The closing brace: from now on the class is found by its name, and clients are matched against it.
    pub fn close_class(&mut self, draft: ClassDraft) {
        self.seal_scope(draft.scope);
        let ClassDraft { id, new, subclass, deleted, .. } = draft;
        let Some(class) = self.config.classes.get_mut(id.index()) else { return };
        class.deleted |= deleted;
        let (name, superclass, value) = (class.name.clone(), class.superclass, class.hash_value.clone());
        if deleted {
            if subclass {
                let parent = superclass.and_then(|id| self.config.classes.get_mut(id.index()));
                if let (Some(parent), Some(value)) = (parent, value) {
                    parent.subclasses.remove(&value);
                }
            } else {
                self.classes.remove(&name);
                self.config.class_order.retain(|other| *other != id);
            }
        } else if new {
            self.classes.insert(name, id);
            self.config.class_order.push(id);
        }
    }

    /// Takes over what the classes of another builder that read the same declarations are said to be.
    pub(super) fn class_flags_from(&mut self, other: &[Class]) {
        if self.config.classes.len() == other.len() {
            for (class, other) in self.config.classes.iter_mut().zip(other) {
                (class.dynamic, class.lease_limit) = (other.dynamic, other.lease_limit);
            }
        }
    }

    fn push_class(
        &mut self,
        name: Arc<str>,
        superclass: Option<ClassId>,
        hash_value: Option<Octets>,
        scope: ScopeId,
        lease_limit: Option<u32>,
    ) -> ClassId {
        // As many as statements: fits.
        let id = ClassId(self.config.classes.len() as u32);
        self.config.classes.push(Class {
            name,
            superclass,
            hash_value,
            scope,
            match_if: None,
            submatch: None,
            spawning: false,
            subclasses: HashMap::new(),
            lease_limit,
            dynamic: false,
            deleted: false,
        });
        id
    }

    fn class_scope(&self, id: ClassId) -> ScopeId {
        self.config.classes.get(id.index()).map_or(ScopeId::ROOT, |class| class.scope)
    }

    /// The class of that name, once it is closed.
    pub fn find_class(&self, name: &[u8]) -> Option<ClassId> {
        let name = name.split(|c| *c == 0).next().unwrap_or_default();
        self.classes.get(&*String::from_utf8_lossy(name)).copied()
    }
}
