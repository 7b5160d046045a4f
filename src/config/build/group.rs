//! Groups (ISC `server/confpars.c:parse_group_declaration`, `common/memory.c:supersede_group`).

use super::Builder;
use crate::config::network::{Group, GroupId, ScopeId};

/// A group between its braces.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// Its scope.
    pub scope: ScopeId,
    name: Option<Vec<u8>>,
    dynamic: bool,
    deleted: bool,
}

impl Builder {
    /// Opens a `group`.
    pub fn open_group(&mut self, parent: ScopeId, name: Option<&[u8]>) -> GroupDraft {
        GroupDraft {
            scope: self.open_scope(parent),
            name: name.map(Into::into),
            dynamic: false,
            deleted: false,
        }
    }

    /// `dynamic;` in a group.
    pub fn set_group_dynamic(&mut self, group: &mut GroupDraft) {
        group.dynamic = true;
    }

    /// `deleted;` in a group.
    pub fn set_group_deleted(&mut self, group: &mut GroupDraft) {
        group.deleted = true;
    }

    /// The closing brace of a group: a named one can be joined by hosts from now on.
    pub fn close_group(&mut self, draft: GroupDraft) {
        self.seal_scope(draft.scope);
        let Some(name) = draft.name else { return };
        let name = self.name(&name);
        if draft.deleted {
            if let Some(old) = self.groups.remove(&name).and_then(|id| self.config.groups.get_mut(id.index()))
            {
                old.deleted = true;
            }
            return;
        }
        // As many as statements: fits.
        let id = GroupId(self.config.groups.len() as u32);
        self.config.groups.push(Group {
            name: name.clone(),
            scope: draft.scope,
            dynamic: draft.dynamic,
            deleted: false,
        });
        // dhcpd deletes an older group of that name without entering the new one: neither can be joined then.
        match self.groups.remove(&name) {
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

    /// The group of that name.
    pub fn find_group(&self, name: &[u8]) -> Option<GroupId> {
        self.groups.get(std::str::from_utf8(name).ok()?).copied()
    }
}
