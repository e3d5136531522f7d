// SPDX-License-Identifier: Apache-2.0
//! Writes the file according to the plan.
use crate::meter::Copy;
use crate::scan::{Binary, Body, Change, Kind, Module, Scan, Section};
use crate::splice::Splice;
use crate::{begin, bulk, data, meter, Options};
use std::ops::Range;
use wasm_encoder::{Encode, SectionId};
use wasmparser::BinaryReader;

/// i64
const NUMBER_TYPE: u8 = 0x7e;
/// The size of the header of a module or component.
const HEADER_BYTES: usize = 8;
/// The order of a module's sections.
const ORDER: [SectionId; 13] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Table,
    SectionId::Memory,
    SectionId::Tag,
    SectionId::Global,
    SectionId::Export,
    SectionId::Start,
    SectionId::Element,
    SectionId::DataCount,
    SectionId::Code,
    SectionId::Data,
];

fn position(id: u8) -> usize {
    ORDER.iter().position(|&section| section as u8 == id).unwrap_or(ORDER.len())
}

/// Writes a module or component.
pub(crate) fn emit<'a>(wasm: &'a [u8], scan: &Scan, options: Options) -> Splice<'a> {
    let mut out = Splice::new(wasm);
    emit_binary(&mut out, &scan.root, options, scan.begins_in_code);
    out
}

fn emit_binary(out: &mut Splice, binary: &Binary, options: Options, begins_in_code: bool) {
    out.copy(binary.start..binary.start + HEADER_BYTES);
    match binary.kind {
        Kind::Module => ModuleWriter::new(out, binary, options, begins_in_code).emit(binary),
        Kind::Component => emit_component(out, binary, options, begins_in_code),
    }
}

fn emit_component(out: &mut Splice, component: &Binary, options: Options, begins_in_code: bool) {
    let mut end = component.start + HEADER_BYTES;
    for section in &component.sections {
        match &section.inner {
            Some(binary) => {
                let mut inner = out.inner();
                emit_binary(&mut inner, binary, options, begins_in_code);
                out.hide(&[section.id]);
                out.append_sized(inner);
            }
            None => out.copy(end..section.content.end),
        }
        end = section.content.end;
    }
}

struct ModuleWriter<'a, 'w> {
    out: &'a mut Splice<'w>,
    module: &'a Module,
    options: Options,
    /// Set if the module is metered.
    meter: Option<meter::Writer>,
    /// Whether it has one memory, which it does not import.
    memory_is_own: bool,
    /// The bodies of functions that write its data. Empty: its segments stay active.
    begins: Vec<Vec<begin::Part>>,
}

impl<'a, 'w> ModuleWriter<'a, 'w> {
    fn new(out: &'a mut Splice<'w>, binary: &'a Binary, options: Options, begins_in_code: bool) -> Self {
        let module = &binary.module;
        let has_code = !module.bodies.is_empty();
        let meter = (options.meter && has_code).then(|| meter::Writer::new(module.memories.len() as u32));
        let content = |id: SectionId| binary.section(id).map(|section| section.content.clone());
        let memory_is_own = module.memories.len() == 1 && content(SectionId::Memory).is_some_and(|own| own.len() > 1);
        let writes = content(SectionId::Data)
            .filter(|_| begins_in_code)
            .map_or(Vec::new(), |data| data::writes(out.source(), &data, memory_is_own));
        let mut writer = ModuleWriter { out, module, options, meter, memory_is_own, begins: Vec::new() };
        if !writes.is_empty() {
            let first = module.functions + module.bulks.len() as u32;
            writer.begins = begin::bodies(writer.out.source(), module, &writes, options.chunk.bytes, first);
        }
        writer
    }

    /// The types of the memories that are added.
    fn memories(&self) -> Vec<Vec<u8>> {
        self.meter.iter().map(|_| memory_type(meter::MEMORY)).collect()
    }

    /// Whether the module stays unchanged.
    fn is_left_alone(&self) -> bool {
        self.memories().is_empty() && self.helpers() == 0 && self.module.asked.is_none()
    }

    /// The sections that have to exist.
    fn needed(&self) -> Vec<SectionId> {
        let mut needed = Vec::new();
        if !self.memories().is_empty() {
            needed.push(SectionId::Memory);
        }
        if !self.begins.is_empty() {
            let more = [SectionId::Type, SectionId::Function, SectionId::Start, SectionId::DataCount, SectionId::Code];
            needed.extend(more);
        }
        needed.sort_by_key(|&id| position(id as u8));
        needed
    }

    fn emit(mut self, binary: &Binary) {
        let mut end = binary.start + HEADER_BYTES;
        if self.is_left_alone() {
            let last = binary.sections.last().map_or(end, |section| section.content.end);
            return self.out.copy(end..last);
        }
        let mut due = self.needed();
        due.retain(|&id| binary.section(id).is_none());
        let mut due = due.into_iter().peekable();
        for section in &binary.sections {
            while let Some(id) =
                due.next_if(|&id| section.custom.is_none() && position(id as u8) < position(section.id))
            {
                self.emit_new(id, binary);
            }
            self.emit_section(section, end..section.content.end);
            end = section.content.end;
        }
        // Code or data comes last, and stands in a file that needs any of them.
        debug_assert!(due.next().is_none());
    }

    /// Writes a section that the file does not have.
    fn emit_new(&mut self, id: SectionId, binary: &Binary) {
        match id {
            SectionId::Memory => self.emit_list(id, &self.memories()),
            SectionId::Type => self.emit_list(id, &self.helper_types()),
            SectionId::Function => self.emit_list(id, &self.helper_functions()),
            SectionId::Start => self.emit_start(id as u8),
            SectionId::Code => self.emit_code(id as u8),
            _ => {
                let data = binary.section(SectionId::Data).map_or(0..0, |section| section.content.clone());
                let count = leb128(self.out.count_at(data).0);
                self.out.hide(&[id as u8]);
                self.out.number(count.len() as u32);
                self.out.hide(&count);
            }
        }
    }

    fn emit_section(&mut self, section: &Section, whole: Range<usize>) {
        match section.id {
            _ if section.custom.as_ref().is_some_and(|custom| holds_code_offsets(&custom.name)) => {}
            id if id == SectionId::Memory as u8 => self.emit_longer(id, &section.content, &self.memories()),
            id if id == SectionId::Type as u8 => self.emit_longer(id, &section.content, &self.helper_types()),
            id if id == SectionId::Function as u8 => self.emit_longer(id, &section.content, &self.helper_functions()),
            id if id == SectionId::Start as u8 && !self.begins.is_empty() => self.emit_start(id),
            id if id == SectionId::Code as u8 => self.emit_code(id),
            id if id == SectionId::Data as u8 && (self.memory_is_own || !self.begins.is_empty()) => {
                let mut content = self.out.inner();
                data::emit(&mut content, &section.content, self.memory_is_own, !self.begins.is_empty());
                self.out.hide(&[id]);
                self.out.append_sized(content);
            }
            _ => self.out.copy(whole),
        }
    }

    /// The function that starts an instance is the last one that writes data.
    fn emit_start(&mut self, id: u8) {
        let before = self.module.bulks.len() + self.begins.len() - 1;
        let index = leb128(self.module.functions + before as u32);
        self.out.hide(&[id]);
        self.out.number(index.len() as u32);
        self.out.hide(&index);
    }

    /// Writes a section that is a list of new items.
    fn emit_list(&mut self, id: SectionId, items: &[Vec<u8>]) {
        let mut content = self.out.inner();
        content.number(items.len() as u32);
        for item in items {
            content.hide(item);
        }
        self.out.hide(&[id as u8]);
        self.out.append_sized(content);
    }

    /// Writes a section that is a list, with more items at its end.
    fn emit_longer(&mut self, id: u8, content: &Range<usize>, more: &[Vec<u8>]) {
        let (count, items) = self.out.count_at(content.clone());
        let mut longer = self.out.inner();
        longer.number(count + more.len() as u32);
        longer.copy(items);
        for item in more {
            longer.hide(item);
        }
        self.out.hide(&[id]);
        self.out.append_sized(longer);
    }

    /// A module without functions has nothing to interrupt.
    fn has_landing(&self) -> bool {
        self.options.landing && !(self.module.bodies.is_empty() && self.begins.is_empty())
    }

    /// The number of functions that are added.
    fn helpers(&self) -> u32 {
        self.module.bulks.len() as u32 + u32::from(self.has_landing()) + self.begins.len() as u32
    }

    fn helper_types(&self) -> Vec<Vec<u8>> {
        let module = self.module;
        let bulks = module.bulks.iter().map(|bulk| function_type(bulk.parameters(module), &bulk.results(module)));
        let others = usize::from(self.has_landing()) + self.begins.len();
        bulks.chain((0..others).map(|_| function_type(Vec::new(), &[]))).collect()
    }

    fn helper_functions(&self) -> Vec<Vec<u8>> {
        (0..self.helpers()).map(|helper| leb128(self.module.types + helper)).collect()
    }

    fn emit_code(&mut self, id: u8) {
        let mut code = self.out.inner();
        code.number(self.module.bodies.len() as u32 + self.helpers());
        let module = self.module;
        for body in &module.bodies {
            let mut inner = code.inner();
            self.emit_body(&mut inner, body);
            code.append_sized(inner);
        }
        for &bulk in &module.bulks {
            let mut inner = code.inner();
            inner.hide(&bulk::body(bulk, self.options.chunk, module, self.meter));
            code.append_sized(inner);
        }
        for parts in &self.begins {
            let mut inner = code.inner();
            for part in parts {
                match part.at {
                    Some(at) => inner.add(&part.bytes, at),
                    None => inner.hide(&part.bytes),
                }
            }
            code.append_sized(inner);
        }
        if self.has_landing() {
            let mut inner = code.inner();
            inner.hide(&landing());
            code.append_sized(inner);
        }
        self.out.hide(&[id]);
        self.out.append_sized(code);
    }

    /// Writes a function's locals, and one more if the meter needs it. Returns where the rest begins.
    fn emit_locals(&self, out: &mut Splice, body: &Body) -> usize {
        if body.copy == Copy::Nowhere {
            return body.range.start;
        }
        let (groups, locals) = out.count_at(body.range.start..body.start);
        out.number(groups + 1);
        out.copy(locals);
        out.hide(&[1, NUMBER_TYPE]);
        body.start
    }

    fn emit_body(&mut self, out: &mut Splice, body: &Body) {
        let mut end = self.emit_locals(out, body);
        let mut is_first = true;
        for change in &body.changes {
            match change {
                Change::Charge(charge) => {
                    out.copy(end..charge.at);
                    end = charge.at;
                    if let Some(meter) = &self.meter {
                        out.add(&meter.charge(*charge, body.copy, is_first), charge.at);
                    }
                    is_first = false;
                }
                Change::Reload { at } => {
                    out.copy(end..*at);
                    end = *at;
                    if let Some(meter) = &self.meter {
                        out.add(&meter.reload(body.copy), *at);
                    }
                }
                Change::Answer { range } => {
                    out.copy(end..range.start);
                    out.add(&self.meter.map_or_else(never, |meter| meter.is_out_of_fuel(body.copy)), range.start);
                    end = range.end;
                }
                Change::Call { range, bulk } => {
                    out.copy(end..range.start);
                    out.add(&call(self.module.functions + *bulk as u32), range.start);
                    end = range.end;
                }
            }
        }
        out.copy(end..body.range.end);
    }
}

/// Whether a custom section contains code offsets, which are no longer right.
fn holds_code_offsets(name: &str) -> bool {
    name.starts_with(".debug_") || name.starts_with("metadata.code.")
}

fn leb128(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

fn memory_type(memory: wasm_encoder::MemoryType) -> Vec<u8> {
    let mut bytes = Vec::new();
    memory.encode(&mut bytes);
    bytes
}

/// The body of a function that traps.
fn landing() -> Vec<u8> {
    let mut function = wasm_encoder::Function::new([]);
    function.instructions().unreachable().end();
    function.into_raw_body()
}

fn function_type(parameters: Vec<wasm_encoder::ValType>, results: &[wasm_encoder::ValType]) -> Vec<u8> {
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function(parameters, results.iter().copied());
    let mut section = Vec::new();
    types.encode(&mut section);
    section[2..].to_vec() // without the size of the section and its count, one byte each
}

/// The constant false.
fn never() -> Vec<u8> {
    let mut bytes = Vec::new();
    wasm_encoder::Instruction::I32Const(0).encode(&mut bytes);
    bytes
}

fn call(function: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    wasm_encoder::Instruction::Call(function).encode(&mut bytes);
    bytes
}

impl Splice<'_> {
    /// The number of items of a list in the source, and the range of the items.
    fn count_at(&self, list: Range<usize>) -> (u32, Range<usize>) {
        let mut reader = BinaryReader::new(&self.source()[list.clone()], list.start);
        let count = reader.read_var_u32().expect("a validated list has a count");
        (count, reader.original_position()..list.end)
    }
}
