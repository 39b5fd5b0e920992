//! The form of an inventory in the cache: the text of each entry, as it is after layers are merged, and the few facts
//! that most commands show or ask for. An entry is read from its text only if a command needs more. Where the cache is,
//! and when it holds, is decided in `ops`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::backstage::unplaced::{UnplacedKind, UnplacedPart};
use super::details::{EntryFacts, LazyDetails};
use super::error::Errors;
use super::problem::{Problem, ProblemKind};
use super::read::InventoryPart;
use super::{Component, Inventory, SourceMap};
use crate::base::packed::{PackedReader, PackedWriter};
use crate::base::yaml::Position;
use crate::base::yaml::tree::Location;
use crate::model::reference::Reference;

/// Stands for the head among the numbers of entries.
const HEAD: usize = u32::MAX as usize;
/// Fewest bytes of an entry.
const ENTRY: usize = 8;

impl Inventory {
    /// Writes the inventory for [`Self::stored`], with the names of the backing services against which its needs were
    /// checked. Returns `false` if that would save nothing: it has no entry with a file of its own.
    pub fn store(&self, writer: &mut PackedWriter) -> bool {
        if self.components.iter().all(|one| one.source_map.number().is_some()) {
            return false;
        }
        writer.text(&self.origin);
        writer.byte(self.has_head.into());
        if self.has_head {
            self.source_map.store(writer);
        }
        writer.short(self.backing_services.len());
        self.backing_services.iter().for_each(|name| writer.text(name));
        let numbers: HashMap<usize, usize> =
            self.components.iter().enumerate().map(|(at, one)| (one.source_map.text_id(), at)).collect();
        let facts = self.facts(&numbers);
        writer.short(self.components.len());
        for (component, facts) in self.components.iter().zip(facts) {
            store_component(component, facts, writer);
        }
        self.store_problems(&numbers, writer);
        true
    }

    /// Returns what is known of the details of each entry.
    fn facts(&self, numbers: &HashMap<usize, usize>) -> Vec<EntryFacts> {
        let mut all: Vec<EntryFacts> = self
            .components
            .iter()
            .map(|component| {
                let mut facts = EntryFacts::default();
                facts.add(EntryFacts::RUNNABLE, component.is_runnable());
                facts.add(EntryFacts::HAS_LOGIN, component.addresses().any(|address| address.contains('@')));
                facts
            })
            .collect();
        for problem in &self.problems {
            let fact = match problem.what {
                ProblemKind::UnknownRepository(_) => EntryFacts::LACKS_REPOSITORY,
                ProblemKind::NoHost(_) => EntryFacts::HAS_NO_HOST,
                ProblemKind::UnknownNeed { .. } => EntryFacts::HAS_UNKNOWN_NEED,
                ProblemKind::UnknownKey { .. } | ProblemKind::Unread(_) => continue,
            };
            let at = numbers.get(&problem.source_map.text_id());
            at.and_then(|at| all.get_mut(*at)).into_iter().for_each(|facts| facts.add(fact, true));
        }
        all
    }

    /// Writes the texts that have unknown keys, in the order of the findings, and the findings that no text tells.
    fn store_problems(&self, numbers: &HashMap<usize, usize>, writer: &mut PackedWriter) {
        let head = self.source_map.text_id();
        let mut with_unknown_keys: Vec<usize> = Vec::new();
        let mut unread: Vec<(&str, &str)> = Vec::new();
        for problem in &self.problems {
            match &problem.what {
                ProblemKind::UnknownKey { .. } => {
                    let text = problem.source_map.text_id();
                    let at = if text == head { Some(HEAD) } else { numbers.get(&text).copied() };
                    with_unknown_keys.extend(at);
                }
                ProblemKind::Unread(why) => unread.push((problem.source_map.file(), why)),
                _ => {}
            }
        }
        with_unknown_keys.dedup();
        writer.short(with_unknown_keys.len());
        with_unknown_keys.iter().for_each(|at| writer.short(*at));
        writer.short(unread.len());
        for (path, why) in unread {
            writer.text(path);
            writer.text(why);
        }
        writer.short(self.unplaced.len());
        for part in &self.unplaced {
            writer.text(&part.spot.file);
            writer.short(part.spot.position.line);
            writer.short(part.spot.position.column);
            writer.text(&part.message);
            let kind = UnplacedKind::ALL.iter().position(|kind| *kind == part.kind);
            writer.byte(kind.and_then(|at| u8::try_from(at).ok()).unwrap_or_default());
        }
    }

    /// Reads an inventory that [`Self::store`] wrote; `None` for anything else. It is what reading its files again
    /// would give, without its layers, whose ages change.
    #[must_use]
    pub fn stored(reader: &mut PackedReader<'static>) -> Option<Self> {
        let mut read = Self::empty(reader.text()?, 0);
        let mut problems_of_head = Vec::new();
        if reader.byte()? != 0 {
            let (part, problems) = InventoryPart::stored_head(SourceMap::stored(reader)?)?;
            problems_of_head = problems;
            let mut errors = Errors::default();
            read.take(part, &mut errors);
            errors.none().ok()?;
        }
        let services = reader.count(4)?;
        let services = (0..services).map(|_| Some(reader.text()?.to_owned())).collect::<Option<Vec<_>>>()?;
        read.checked_services = Some(services);
        let mut of_head: Vec<Option<Component>> =
            std::mem::take(&mut read.components).into_iter().map(Some).collect();
        let count = reader.count(ENTRY)?;
        read.components.reserve_exact(count);
        for _ in 0..count {
            let component = stored_component(reader, &mut of_head)?;
            read.components.push(component);
        }
        read.read_stored_problems(problems_of_head, reader)?;
        Some(read)
    }

    fn read_stored_problems(
        &mut self,
        mut head: Vec<Problem>,
        reader: &mut PackedReader<'static>,
    ) -> Option<()> {
        for _ in 0..reader.count(4)? {
            let at = reader.short()? as usize;
            if at == HEAD {
                self.problems.append(&mut head);
            } else {
                self.problems.extend(InventoryPart::problems_of_entry(&self.components.get(at)?.source_map)?);
            }
        }
        self.finish_stored();
        for _ in 0..reader.count(4)? {
            let (path, why) = (reader.text()?, reader.text()?);
            self.note_unread(path.to_owned(), Cow::Borrowed(why));
        }
        for _ in 0..reader.count(8)? {
            let file = Arc::from(reader.text()?);
            let position = Position { line: reader.short()? as usize, column: reader.short()? as usize };
            let message = reader.text()?.to_owned();
            let kind = *UnplacedKind::ALL.get(usize::from(reader.byte()?))?;
            self.unplaced.push(UnplacedPart { spot: Location { file, position }, message, kind });
        }
        Some(())
    }
}

fn store_component(component: &Component, facts: EntryFacts, writer: &mut PackedWriter) {
    match component.source_map.number() {
        // Its text is that of the head.
        Some(number) => {
            writer.byte(1);
            writer.short(number as usize);
        }
        None => {
            writer.byte(0);
            writer.text(&component.reference.category);
            writer.text(&component.reference.name);
            writer.optional(component.description.as_deref());
            writer.optional(component.infrastructure.as_deref());
            writer.short(component.people.len());
            component.people.iter().for_each(|one| writer.text(one));
            writer.byte(facts.bits());
            component.source_map.store(writer);
        }
    }
    writer.optional(component.kind.as_deref());
}

fn stored_component(
    reader: &mut PackedReader<'static>,
    of_head: &mut [Option<Component>],
) -> Option<Component> {
    let mut component = if reader.byte()? == 1 {
        of_head.get_mut(reader.short()? as usize)?.take()?
    } else {
        let reference = Reference::new(reader.text()?, reader.text()?);
        let (description, infrastructure) = (reader.optional()?, reader.optional()?);
        let people = reader.count(4)?;
        let people = (0..people).map(|_| Some(Cow::Borrowed(reader.text()?))).collect::<Option<Vec<_>>>()?;
        let facts = EntryFacts::of_bits(reader.byte()?)?;
        Component {
            reference,
            description: description.map(Cow::Borrowed),
            kind: None,
            infrastructure: infrastructure.map(Cow::Borrowed),
            people,
            source_map: SourceMap::stored(reader)?,
            details: LazyDetails::unread(facts),
        }
    };
    component.kind = reader.optional()?.map(Cow::Borrowed);
    Some(component)
}
