//! Groups (ISC `server/confpars.c:parse_group_declaration`, `common/memory.c:supersede_group`).

use super::Builder;
use crate::config::network::{Group, GroupId, ScopeId};
use std::sync::Arc;

/// A group between its braces.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// Its scope.
    pub scope: ScopeId,
    name: Option<Vec<u8>>,
    dynamic: bool,
    fixed: bool,
    deleted: bool,
}

impl Builder {
    /// Opens a `group`.
    pub fn open_group(&mut self, parent: ScopeId, name: Option<&[u8]>) -> GroupDraft {
        GroupDraft {
            scope: self.open_scope(parent),
            name: name.map(Into::into),
            dynamic: false,
            fixed: false,
            deleted: false,
        }
    }

    /// `dynamic;` in a group.
    pub fn set_group_dynamic(&mut self, group: &mut GroupDraft) {
        group.dynamic = true;
    }

    /// `static;` in a group.
    pub fn set_group_static(&mut self, group: &mut GroupDraft) {
        group.fixed = true;
    }

    /// `deleted;` in a group.
    pub fn set_group_deleted(&mut self, group: &mut GroupDraft) {
        group.deleted = true;
    }

    /// The closing brace of a group: a named one can be joined by hosts from now on.
    pub fn close_group(&mut self, mut draft: GroupDraft) {
        self.seal_scope(draft.scope);
        if self.lease_file {
            // The grammar has the flags where dhcpd reads them in a configuration, which is not everywhere.
            if let Some(told) = self.told.groups.pop_front().filter(|told| told.name == draft.name) {
                draft = GroupDraft { scope: draft.scope, ..told };
            }
            self.closed.groups.push_back(draft.clone());
        }
        let Some(name) = &draft.name else { return };
        let name = self.name(name);
        if self.lease_file {
            return self.close_group_of_lease_file(&draft, name);
        }
        if draft.deleted {
            if let Some(old) = self.groups.remove(&name).and_then(|id| self.config.groups.get_mut(id.index()))
            {
                old.deleted = true;
            }
            return;
        }
        // As many as statements: fits.
        let id = GroupId(self.config.groups.len() as u32);
        let old = self.groups.remove(&name);
        self.config.groups.push(Group {
            name: name.clone(),
            scope: draft.scope,
            dynamic: draft.dynamic,
            fixed: draft.fixed,
            deleted: old.is_some(),
        });
        // dhcpd deletes an older group of that name without entering the new one: neither can be joined then.
        match old {
            Some(old) => {
                if let Some(old) = self.config.groups.get_mut(old.index()) {
                    old.deleted = true;
                }
            }
            None => {
                self.groups.insert(name, id);
            }
        }
    }

    /// A group in the lease file replaces an older one of its name (dhcpd loses both). What is not dynamic is remembered
    /// when it is deleted.
    fn close_group_of_lease_file(&mut self, draft: &GroupDraft, name: Arc<str>) {
        let old = self.groups.get(&name).copied();
        let id = GroupId(self.config.groups.len() as u32);
        let old = old.and_then(|id| self.config.groups.get_mut(id.index()));
        if draft.deleted {
            if let Some(old) = old {
                old.deleted = true;
                if old.dynamic && !old.fixed {
                    self.groups.remove(&name);
                }
            }
            return;
        }
        let mut fixed = draft.fixed;
        if let Some(old) = old {
            fixed |= !old.dynamic || old.fixed;
            (old.deleted, old.fixed) = (true, false);
        }
        let (scope, dynamic) = (draft.scope, draft.dynamic);
        self.config.groups.push(Group { name: name.clone(), scope, dynamic, fixed, deleted: false });
        self.groups.insert(name, id);
    }

    /// The group of that name.
    pub fn find_group(&self, name: &[u8]) -> Option<GroupId> {
        self.groups.get(std::str::from_utf8(name).ok()?).copied()
    }
}
