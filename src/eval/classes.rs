//! Matching a packet against the classes.
//!
//! Mirrors ISC `server/class.c:check_collection` and `classify`. It is here, below the engine, because the boolean
//! operator `check "default"` does it, too.

use super::boolean::evaluate_boolean;
use super::context::Context;
use super::data::evaluate_data;
use crate::config::Config;
use crate::config::network::{Class, ClassId};
use crate::log::Line;
use crate::options::Octets;
use std::collections::HashMap;

/// A packet can be a member of so many classes (ISC `PACKET_MAX_CLASSES`).
pub const MAX_CLASSES: usize = 5;

/// The ids of spawned subclasses begin here, beyond those of any configuration.
const FIRST: usize = 1 << 31;

/// The subclasses that `spawn with` made while serving.
#[derive(Clone, Debug, Default)]
pub struct Spawned {
    /// `None` where one was forgotten; the place is used again.
    subclasses: Vec<Option<Subclass>>,
    vacant: Vec<u32>,
    by_value: HashMap<(ClassId, Octets), ClassId>,
}

#[derive(Clone, Debug)]
struct Subclass {
    superclass: ClassId,
    value: Octets,
}

impl Spawned {
    /// The declaration that a class goes by: its own, or that of the class it was spawned from, whose scope and lease
    /// limit it shares.
    pub fn declaration<'c>(&self, config: &'c Config, class: ClassId) -> Option<&'c Class> {
        let declared = match self.subclass(class) {
            Some(subclass) => subclass.superclass,
            None => class,
        };
        config.classes.get(declared.index())
    }

    /// The superclass of a subclass, declared or spawned.
    pub fn superclass(&self, config: &Config, class: ClassId) -> Option<ClassId> {
        match self.subclass(class) {
            Some(subclass) => Some(subclass.superclass),
            None => config.classes.get(class.index())?.superclass,
        }
    }

    /// The value a subclass stands for, declared or spawned.
    pub fn value<'c>(&'c self, config: &'c Config, class: ClassId) -> Option<&'c Octets> {
        match self.subclass(class) {
            Some(subclass) => Some(&subclass.value),
            None => config.classes.get(class.index())?.hash_value.as_ref(),
        }
    }

    /// The subclass of a spawning class for a value, made if need be.
    pub fn subclass_for(&mut self, superclass: ClassId, value: &Octets) -> ClassId {
        if let Some(&class) = self.by_value.get(&(superclass, value.clone())) {
            return class;
        }
        let subclass = Some(Subclass { superclass, value: value.clone() });
        let place = self.vacant.pop().map(|place| place as usize);
        let index = FIRST + place.unwrap_or(self.subclasses.len());
        match place.and_then(|place| self.subclasses.get_mut(place)) {
            Some(vacant) => *vacant = subclass,
            None => self.subclasses.push(subclass),
        }
        // Memory is used up long before the numbers are.
        let class = ClassId(u32::try_from(index).unwrap_or(u32::MAX));
        self.by_value.insert((superclass, value.clone()), class);
        class
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_value.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_value.is_empty()
    }

    /// Forgets those that are not to be kept. One that nothing is billed to has no state: it is made again when its
    /// value comes again. dhcpd keeps them all, so that whoever makes values up uses up its memory.
    pub fn retain(&mut self, mut keep: impl FnMut(ClassId) -> bool) {
        let Self { subclasses, vacant, by_value } = self;
        by_value.retain(|_, class| {
            let kept = keep(*class);
            if !kept && let Some(place) = class.index().checked_sub(FIRST) {
                if let Some(subclass) = subclasses.get_mut(place) {
                    *subclass = None;
                }
                // It came from a class id, which has as many bits.
                vacant.push(place as u32);
            }
            kept
        });
    }

    fn subclass(&self, class: ClassId) -> Option<&Subclass> {
        self.subclasses.get(class.index().checked_sub(FIRST)?)?.as_ref()
    }
}

/// `check`: matches the packet against all classes in order of declaration; true if any matched. What matches is added
/// to the packet's classes, even if it is there already.
///
/// Class expressions see the variables of the scope the statements run in, none of a running call, and no options set
/// so far.
pub fn check(context: &mut Context<'_>) -> bool {
    // At start-up there is no packet to match, and dhcpd crashes.
    if context.request.is_none() || context.classes.is_none() {
        return false;
    }
    let frames = std::mem::take(&mut context.progress.frames);
    let reply = context.reply.take();
    let config = context.config;
    let mut any = false;
    for &class in &config.class_order {
        if let Some(member_of) = matching(class, context) {
            add(member_of, context);
            any = true;
        }
    }
    context.reply = reply;
    context.progress.frames = frames;
    any
}

/// The class or subclass that the packet is a member of by that class.
fn matching(id: ClassId, context: &mut Context<'_>) -> Option<ClassId> {
    let config = context.config;
    let class = config.classes.get(id.index())?;
    if let Some(condition) = &class.match_if {
        if evaluate_boolean(condition, context) != Some(true) {
            return None;
        }
        if class.submatch.is_none() {
            return Some(id);
        }
    }
    let value =
        evaluate_data(class.submatch.as_deref()?, context).filter(|value| !value.is_empty())?.into_octets();
    if let Some(&subclass) = class.subclasses.get(&value) {
        return Some(subclass);
    }
    class.spawning.then(|| context.memory.spawned.subclass_for(id, &value))
}

/// Makes the packet a member of a class (`add`, and what matching finds). Beyond the limit it only logs.
pub fn add(class: ClassId, context: &mut Context<'_>) {
    let (Some(request), Some(classes)) = (context.request, context.classes.as_deref_mut()) else { return };
    if classes.len() < MAX_CLASSES {
        classes.push(class);
        return;
    }
    let address = request.packet.header.hardware_address();
    let address: Vec<String> = address.iter().map(|octet| format!("{octet:02x}")).collect();
    context.emit(Line::error(format!("too many classes match {}", address.join(":"))));
}
