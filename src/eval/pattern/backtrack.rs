//! Matching patterns with back-references, by trying.
//!
//! Such patterns cannot be matched in linear time, so the number of steps is bounded; glibc takes as long as it takes.

use super::syntax::{Node, Set, is_word};

/// How many steps one match may take.
const MAX_STEPS: u32 = 2_000_000;

/// How long a compiled pattern may be.
const MAX_PROGRAM: usize = 20_000;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    slots: usize,
    ignore_case: bool,
}

#[derive(Debug)]
enum Instruction {
    Set(Box<Set>),
    Assert(Node),
    /// Go on there first, then here.
    Split(usize, usize),
    Jump(usize),
    /// Remember the place in a slot.
    Save(usize),
    /// What the group matched must follow.
    BackReference(usize),
    /// Fail if nothing was matched since the slot was saved: a loop must not go round on nothing.
    Progress(usize),
    Match,
}

impl Program {
    /// `None` if the pattern is too long.
    pub(super) fn compile(root: &Node, ignore_case: bool) -> Option<Self> {
        // Ten groups can be referred to: two slots each.
        let mut program = Self { instructions: Vec::new(), slots: 20, ignore_case };
        program.emit(root)?;
        program.push(Instruction::Match)?;
        Some(program)
    }

    fn push(&mut self, instruction: Instruction) -> Option<usize> {
        if self.instructions.len() >= MAX_PROGRAM {
            return None;
        }
        self.instructions.push(instruction);
        Some(self.instructions.len() - 1)
    }

    fn emit(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                self.push(Instruction::Set(set.clone()))?;
            }
            Node::BackReference(group) => {
                self.push(Instruction::BackReference(*group))?;
            }
            Node::Group(number, inner) if *number <= 9 => {
                self.push(Instruction::Save(2 * number))?;
                self.emit(inner)?;
                self.push(Instruction::Save(2 * number + 1))?;
            }
            Node::Group(_, inner) => self.emit(inner)?,
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.emit(node)?;
                }
            }
            Node::Choice(branches) => {
                let mut ends = Vec::new();
                for branch in branches {
                    let split = self.push(Instruction::Split(0, 0))?;
                    self.emit(branch)?;
                    ends.push(self.push(Instruction::Jump(0))?);
                    let next = self.instructions.len();
                    self.set_target(split, Instruction::Split(split + 1, next));
                }
                // The last alternative of the last branch: none matches.
                self.push(Instruction::Set(Box::default()))?;
                let end = self.instructions.len();
                for at in ends {
                    self.set_target(at, Instruction::Jump(end));
                }
            }
            Node::Repeat { inner, least, most } => {
                for _ in 0..*least {
                    self.emit(inner)?;
                }
                match most {
                    None => {
                        let slot = self.slots;
                        self.slots += 1;
                        let split = self.push(Instruction::Split(0, 0))?;
                        self.push(Instruction::Save(slot))?;
                        self.emit(inner)?;
                        self.push(Instruction::Progress(slot))?;
                        self.push(Instruction::Jump(split))?;
                        let next = self.instructions.len();
                        self.set_target(split, Instruction::Split(split + 1, next));
                    }
                    Some(most) => {
                        let mut splits = Vec::new();
                        for _ in *least..*most {
                            splits.push(self.push(Instruction::Split(0, 0))?);
                            self.emit(inner)?;
                        }
                        let end = self.instructions.len();
                        for split in splits {
                            self.set_target(split, Instruction::Split(split + 1, end));
                        }
                    }
                }
            }
            assertion => {
                self.push(Instruction::Assert(assertion.clone()))?;
            }
        }
        Some(())
    }

    fn set_target(&mut self, at: usize, instruction: Instruction) {
        if let Some(place) = self.instructions.get_mut(at) {
            *place = instruction;
        }
    }

    /// Whether the pattern matches anywhere. Too many steps count as no match.
    pub(super) fn is_match(&self, subject: &[u8]) -> bool {
        let mut steps = MAX_STEPS;
        (0..=subject.len()).any(|start| self.matches_at(subject, start, &mut steps))
    }

    fn matches_at(&self, subject: &[u8], start: usize, steps: &mut u32) -> bool {
        let mut slots: Vec<Option<usize>> = vec![None; self.slots];
        let mut trail = vec![Undo::Try(0, start)];
        while let Some(undo) = trail.pop() {
            let (mut at, mut place) = match undo {
                Undo::Try(at, place) => (at, place),
                Undo::Restore(slot, old) => {
                    if let Some(slot) = slots.get_mut(slot) {
                        *slot = old;
                    }
                    continue;
                }
            };
            while let Some(instruction) = self.instructions.get(at) {
                *steps = match steps.checked_sub(1) {
                    Some(left) => left,
                    None => return false,
                };
                at += 1;
                match instruction {
                    Instruction::Match => return true,
                    Instruction::Set(set) => match subject.get(place) {
                        Some(&octet) if set.contains(octet) => place += 1,
                        _ => break,
                    },
                    Instruction::Assert(assertion) => {
                        if !holds(assertion, subject, place) {
                            break;
                        }
                    }
                    Instruction::Split(first, second) => {
                        trail.push(Undo::Try(*second, place));
                        at = *first;
                    }
                    Instruction::Jump(target) => at = *target,
                    Instruction::Save(slot) => {
                        if let Some(saved) = slots.get_mut(*slot) {
                            trail.push(Undo::Restore(*slot, *saved));
                            *saved = Some(place);
                        }
                    }
                    Instruction::Progress(slot) => {
                        if slots.get(*slot).copied().flatten() == Some(place) {
                            break;
                        }
                    }
                    Instruction::BackReference(group) => {
                        let bounds = |slot| slots.get(slot).copied().flatten();
                        let (Some(from), Some(to)) = (bounds(2 * group), bounds(2 * group + 1)) else {
                            break;
                        };
                        let Some(there) = subject.get(from..to) else { break };
                        match subject.get(place..place + there.len()) {
                            Some(here) if self.same(here, there) => place += there.len(),
                            _ => break,
                        }
                    }
                }
            }
        }
        false
    }

    fn same(&self, here: &[u8], there: &[u8]) -> bool {
        if self.ignore_case { here.eq_ignore_ascii_case(there) } else { here == there }
    }
}

enum Undo {
    Try(usize, usize),
    Restore(usize, Option<usize>),
}

fn holds(assertion: &Node, subject: &[u8], place: usize) -> bool {
    let word = |at: Option<usize>| at.and_then(|at| subject.get(at)).is_some_and(|&octet| is_word(octet));
    let (before, after) = (word(place.checked_sub(1)), word(Some(place)));
    match assertion {
        Node::Start => place == 0,
        Node::End => place == subject.len(),
        Node::WordBoundary => before != after,
        Node::NotWordBoundary => before == after,
        Node::WordStart => !before && after,
        Node::WordEnd => before && !after,
        _ => true,
    }
}
