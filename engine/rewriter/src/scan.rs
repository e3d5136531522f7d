// SPDX-License-Identifier: Apache-2.0
//! Reads a file once. It validates the file, checks its figures against the limits, and plans the changes.
use crate::bulk::{self, Bulk};
use crate::composition::{Beginning, Composition};
use crate::effort::Effort;
use crate::limits::{self, check};
use crate::meter::{Charge, Copy, Planner, IS_OUT_OF_FUEL};
use crate::{meter, Options, Refusal};
use std::collections::HashMap;
use std::ops::Range;
use wasm_encoder::SectionId;
use wasmparser::{
    BlockType, DataKind, ElementItems, Encoding, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    Import, MemoryType, ModuleArity, Operator, Parser, Payload, TableInit, TableType, TypeRef, ValidPayload, Validator,
    ValidatorResources,
};

/// The kind of a file, according to its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Module,
    Component,
}

/// A change of a function's body.
#[derive(Debug)]
pub(crate) enum Change {
    /// Adds a charge for a block.
    Charge(Charge),
    /// Reloads the meter's number before this offset.
    Reload { at: usize },
    /// Replaces the call in this range by its answer: whether the limit was exceeded.
    Answer { range: Range<usize> },
    /// Replaces the instruction in this range by a call of the function for a bulk instruction.
    Call { range: Range<usize>, bulk: usize },
}

impl Change {
    /// The offset of the change.
    fn at(&self) -> usize {
        match self {
            Change::Reload { at } => *at,
            Change::Charge(charge) => charge.at,
            Change::Answer { range } | Change::Call { range, .. } => range.start,
        }
    }
}

/// The body of a function, without its size.
#[derive(Debug)]
pub(crate) struct Body {
    pub range: Range<usize>,
    /// Where its locals end and its instructions begin.
    pub start: usize,
    /// Where the function keeps a copy of the meter's number. A local is a new one, after the function's own.
    pub copy: Copy,
    pub changes: Vec<Change>,
}

/// The facts about a module that are needed to append to it.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub types: u32,
    pub functions: u32,
    pub memories: Vec<MemoryType>,
    pub tables: Vec<TableType>,
    /// The function that starts an instance.
    pub start: Option<u32>,
    /// The imported function whose calls are replaced by the answer.
    pub asked: Option<u32>,
    pub bodies: Vec<Body>,
    /// The bulk instructions that get a function, in the order of these functions.
    pub bulks: Vec<Bulk>,
    bulk_indices: HashMap<Bulk, usize>,
}

/// The name and contents of a custom section.
#[derive(Debug)]
pub(crate) struct Custom {
    pub name: String,
    pub data: Range<usize>,
}

/// A section of a module or component.
#[derive(Debug)]
pub(crate) struct Section {
    pub id: u8,
    pub content: Range<usize>,
    /// Set for a custom section.
    pub custom: Option<Custom>,
    /// The module or component that the section contains.
    pub inner: Option<Binary>,
}

/// A module or component, on its own or inside a component.
#[derive(Debug)]
pub(crate) struct Binary {
    pub kind: Kind,
    /// The offset at which it begins.
    pub start: usize,
    pub sections: Vec<Section>,
    /// Set for a module.
    pub module: Module,
}

/// The result of reading a file.
pub(crate) struct Scan {
    pub root: Binary,
    pub imports_wasi: bool,
    /// Whether the instances begin with so much data that code has to write it (`begin`).
    pub begins_in_code: bool,
    /// Whether optimising the compiled code stays within the limits.
    pub can_be_optimised: bool,
}

/// Validates a file and plans how to rewrite it.
pub(crate) fn scan(wasm: &[u8], options: Options) -> Result<Scan, Refusal> {
    check("bytes of the file", wasm.len() as u64, limits::FILE_BYTES)?;
    let mut scanner = Scanner {
        options,
        validator: Validator::new_with_features(limits::FEATURES),
        allocations: FuncValidatorAllocations::default(),
        open: Vec::new(),
        composition: Composition::default(),
        functions: 0,
        elements: 0,
        effort_ns: 0,
        optimise_ns: 0,
        has_long_chains: false,
        imports_wasi: false,
    };
    let mut parser = Parser::new(0);
    parser.set_features(limits::FEATURES);
    for payload in parser.parse_all(wasm) {
        if let Some(root) = scanner.read(payload?)? {
            let begins_in_code = scanner.composition.check()?.data > limits::INSTANCE_DATA_BYTES && !options.asks;
            let can_be_optimised = scanner.optimise_ns <= limits::FILE_MS * 1_000_000 && !scanner.has_long_chains;
            return Ok(Scan { root, imports_wasi: scanner.imports_wasi, begins_in_code, can_be_optimised });
        }
    }
    unreachable!("a file that was read without an error has ended")
}

struct Scanner {
    options: Options,
    validator: Validator,
    allocations: FuncValidatorAllocations,
    /// The modules and components that are being read, the innermost last.
    open: Vec<Binary>,
    composition: Composition,
    /// Counts for the whole file.
    functions: u64,
    elements: u64,
    effort_ns: u64,
    optimise_ns: u64,
    /// Whether optimising one function exceeds the limits. Its memory grows in proportion: 3 KiB for a sum.
    has_long_chains: bool,
    imports_wasi: bool,
}

impl Scanner {
    /// Reads the next payload. Returns the outermost module or component when it has ended.
    fn read(&mut self, payload: Payload) -> Result<Option<Binary>, Refusal> {
        self.check(&payload)?;
        self.note_definitions(&payload);
        let valid = self.validator.payload(&payload)?;
        self.note_section(&payload);
        self.composition.read(&payload)?;
        match payload {
            Payload::Version { encoding, range, .. } => self.begin(encoding, range.start)?,
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (at, import) = import?;
                    self.composition.note(Beginning { definitions: 1, ..Beginning::default() });
                    self.note_wasi(import.module.starts_with("wasi_"));
                    self.note_import(at, &import)?;
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.note_table(table?.ty)?;
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter_with_offsets() {
                    let (at, memory) = memory?;
                    self.note_memory(at, memory)?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.note_wasi(import?.name.name.starts_with("wasi:"));
                }
            }
            Payload::StartSection { func, .. } => self.module().start = Some(func),
            // A module may have data and no code.
            Payload::CodeSectionStart { .. } | Payload::DataSection(_) => self.note_figures(),
            _ => {}
        }
        match valid {
            ValidPayload::Func(function, body) => self.read_body(function, &body)?,
            ValidPayload::End(_) => return Ok(self.end()),
            _ => {}
        }
        Ok(None)
    }

    fn check(&mut self, payload: &Payload) -> Result<(), Refusal> {
        match payload {
            Payload::TypeSection(section) => check("types of a module", section.count().into(), limits::TYPES),
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                check("functions", self.functions, limits::FUNCTIONS)
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let table = table?;
                    let elements = if let TableInit::Expr(_) = table.init { table.ty.initial } else { 0 };
                    self.composition.note(Beginning { elements, ..Beginning::default() });
                }
                Ok(())
            }
            Payload::DataSection(section) => {
                check("data segments of a module", section.count().into(), limits::SEGMENTS)?;
                for segment in section.clone() {
                    let segment = segment?;
                    let is_active = matches!(segment.kind, DataKind::Active { .. });
                    let data = if is_active { segment.data.len() as u64 } else { 0 };
                    self.composition.note(Beginning { data, ..Beginning::default() });
                }
                Ok(())
            }
            Payload::ElementSection(section) => {
                check("element segments of a module", section.count().into(), limits::SEGMENTS)?;
                for element in section.clone() {
                    let elements = match element?.items {
                        ElementItems::Functions(items) => u64::from(items.count()),
                        ElementItems::Expressions(_, items) => u64::from(items.count()),
                    };
                    self.elements += elements;
                    self.composition.note(Beginning { elements, ..Beginning::default() });
                }
                check("elements of all segments", self.elements, limits::ELEMENTS)
            }
            _ => Ok(()),
        }
    }

    fn note_definitions(&mut self, payload: &Payload) {
        let count = match payload {
            Payload::FunctionSection(section) => section.count(),
            Payload::TableSection(section) => section.count(),
            Payload::MemorySection(section) => section.count(),
            Payload::GlobalSection(section) => section.count(),
            Payload::TagSection(section) => section.count(),
            Payload::DataSection(section) => section.count(),
            _ => return,
        };
        self.composition.note(Beginning { definitions: count.into(), ..Beginning::default() });
    }

    fn note_section(&mut self, payload: &Payload) {
        if let (Some((id, content)), Some(binary)) = (payload.as_section(), self.open.last_mut()) {
            let custom = match payload {
                Payload::CustomSection(section) => {
                    let start = section.data_offset();
                    Some(Custom { name: section.name().into(), data: start..start + section.data().len() })
                }
                _ => None,
            };
            binary.sections.push(Section { id, content, custom, inner: None });
        }
    }

    /// Notes an import if the file itself has it, not a part of it.
    fn note_wasi(&mut self, is_wasi: bool) {
        self.imports_wasi |= is_wasi && self.open.len() == 1;
    }

    fn note_table(&mut self, table: TableType) -> Result<(), Refusal> {
        limits::check_table(&table)?;
        self.module().tables.push(table);
        Ok(())
    }

    /// A run is one thread, so that one signal stops it: there is nobody to share a memory with.
    fn note_memory(&mut self, at: usize, memory: MemoryType) -> Result<(), Refusal> {
        if memory.shared {
            return Err(Refusal::from_text(format!(
                "shared memories (threads) are not supported, because a run is one thread (at offset {at:#x})"
            )));
        }
        self.module().memories.push(memory);
        Ok(())
    }

    fn note_import(&mut self, at: usize, import: &Import) -> Result<(), Refusal> {
        let asks = self.options.asks && (import.module, import.name) == IS_OUT_OF_FUEL;
        let module = self.module();
        match import.ty {
            TypeRef::Table(table) => return self.note_table(table),
            TypeRef::Func(_) => {
                module.asked = module.asked.or(asks.then_some(module.functions));
                module.functions += 1; // Later this counts all functions: see `note_figures`.
            }
            TypeRef::Memory(memory) => return self.note_memory(at, memory),
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, encoding: Encoding, start: usize) -> Result<(), Refusal> {
        let kind = match encoding {
            Encoding::Module => Kind::Module,
            Encoding::Component => Kind::Component,
        };
        self.open.push(Binary { kind, start, sections: Vec::new(), module: Module::default() });
        check("components inside each other", self.open.len() as u64, limits::COMPONENT_DEPTH)
    }

    /// Closes the innermost module or component, and returns it if it was the outermost one.
    fn end(&mut self) -> Option<Binary> {
        let ended = self.open.pop()?;
        match self.open.last_mut().and_then(|outer| outer.sections.last_mut()) {
            Some(section) => section.inner = Some(ended),
            None => return Some(ended),
        }
        None
    }

    fn module(&mut self) -> &mut Module {
        &mut self.open.last_mut().expect("sections stand in something").module
    }

    fn note_figures(&mut self) {
        let Some(types) = self.validator.types(0) else { return };
        let figures = (types.core_type_count_in_module(), types.function_count());
        let module = self.module();
        (module.types, module.functions) = figures;
    }

    fn read_body(&mut self, function: FuncToValidate<ValidatorResources>, body: &FunctionBody) -> Result<(), Refusal> {
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let index = validator.index();
        check_function(index, "bytes", body.range().len() as u64, limits::FUNCTION_BYTES)?;
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        check_function(index, "locals", validator.len_locals().into(), limits::FUNCTION_LOCALS)?;
        let mut effort = Effort::new(body.range().len(), validator.len_locals());
        let mut branches = 0;

        reader.set_features(limits::FEATURES);
        let mut changes = Vec::new();
        let mut calls = false;
        let mut small_length = None;
        let start = reader.original_position();
        let mut planner = self.options.meter.then(|| Planner::new(start));
        while !reader.eof() {
            let at = reader.original_position();
            let operator = reader.peek_operator(&validator.visitor(at))?;
            reader.visit_operator(&mut validator.visitor(at))??;
            effort.read(&operator, validator.operand_stack_height(), block_values(&operator, &validator));
            if let Operator::BrTable { targets } = &operator {
                branches += u64::from(targets.len());
                check_function(index, "targets of br_table", branches, limits::FUNCTION_BRANCHES)?;
            }
            check_function(index, "nested blocks", effort.nesting(), limits::NESTING)?;
            let end = reader.original_position();
            if let Some(planner) = &mut planner {
                planner.read(&operator, end);
                if let (Some(length), Some(bulk)) = (small_length, Bulk::of(&operator)) {
                    planner.charge(bulk.cost(length));
                }
            }
            calls |= is_call(&operator);
            if matches!(operator, Operator::Call { function_index } if Some(function_index) == self.module().asked) {
                changes.push(Change::Answer { range: at..end });
                if let Some(planner) = &mut planner {
                    planner.forget_call();
                }
            }
            if let (None, Some(bulk)) = (small_length, Bulk::of(&operator)) {
                changes.push(Change::Call { range: at..end, bulk: self.module().index_of(bulk)? });
                if let Some(planner) = &mut planner {
                    planner.note_call(end);
                }
            }
            small_length = match operator {
                Operator::I32Const { value } if value as u32 <= bulk::LEFT_ALONE => Some(value as u32),
                Operator::I64Const { value } if value as u64 <= bulk::LEFT_ALONE.into() => Some(value as u32),
                _ => None,
            };
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        let mut copy = Copy::Nowhere;
        if let Some(planner) = planner {
            let plan = planner.finish(calls);
            effort.add_charges(plan.charges.len());
            if plan.charges.len() > meter::WITHOUT_COPY {
                copy = Copy::Local(validator.len_locals());
                changes.extend(plan.reloads.into_iter().map(|at| Change::Reload { at }));
            }
            changes.extend(plan.charges.into_iter().map(Change::Charge));
            // At the same offset a reload comes first, and a call, which replaces an instruction, last.
            changes.sort_by_key(|change| (change.at(), matches!(change, Change::Call { .. } | Change::Answer { .. })));
        }
        let effort_ns = if self.options.can_be_ended { 0 } else { effort.nanoseconds() };
        check_function(
            index,
            "estimated milliseconds for the compilation",
            effort_ns / 1_000_000,
            limits::FUNCTION_MS,
        )?;
        self.effort_ns += effort_ns;
        self.optimise_ns += effort.optimise_ns();
        self.has_long_chains |= effort.optimise_ns() > limits::FUNCTION_MS * 1_000_000;
        check(
            "estimated milliseconds for the compilation of all functions",
            self.effort_ns / 1_000_000,
            limits::FILE_MS,
        )?;
        self.allocations = validator.into_allocations();
        self.module().bodies.push(Body { range: body.range(), start, copy, changes });
        Ok(())
    }
}

impl Binary {
    /// The section of this kind.
    pub fn section(&self, id: SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id as u8)
    }

    /// Every module, in the order of the file.
    pub fn modules(&self) -> Vec<&Binary> {
        match self.kind {
            Kind::Module => vec![self],
            Kind::Component => {
                self.sections.iter().flat_map(|section| &section.inner).flat_map(Binary::modules).collect()
            }
        }
    }
}

impl Module {
    /// The number of imported functions, which come first.
    pub fn imported(&self) -> u32 {
        self.functions - self.bodies.len() as u32
    }

    /// The index of the function that executes this bulk instruction.
    fn index_of(&mut self, bulk: Bulk) -> Result<usize, Refusal> {
        if let Some(&index) = self.bulk_indices.get(&bulk) {
            return Ok(index);
        }
        let index = self.bulks.len();
        check("different bulk instructions of a module", index as u64 + 1, limits::BULK_INSTRUCTIONS)?;
        self.bulks.push(bulk);
        self.bulk_indices.insert(bulk, index);
        Ok(index)
    }
}

/// How many values a block takes and gives.
fn block_values(operator: &Operator, validator: &FuncValidator<ValidatorResources>) -> u32 {
    use Operator::*;
    let kind: BlockType = match operator {
        Block { blockty } | Loop { blockty } | If { blockty } => *blockty,
        TryTable { try_table } => try_table.ty,
        _ => return 0,
    };
    validator.block_type_arity(kind).map_or(0, |(parameters, results)| parameters + results)
}

fn is_call(operator: &Operator) -> bool {
    use Operator::*;
    matches!(
        operator,
        Call { .. }
            | CallIndirect { .. }
            | CallRef { .. }
            | ReturnCall { .. }
            | ReturnCallIndirect { .. }
            | ReturnCallRef { .. }
    )
}

/// Refuses a figure of a function that exceeds its limit.
fn check_function(function: u32, what: &str, figure: u64, limit: u64) -> Result<(), Refusal> {
    if figure > limit {
        return Err(Refusal::above(format_args!("{what} of function {function}"), figure, limit));
    }
    Ok(())
}
