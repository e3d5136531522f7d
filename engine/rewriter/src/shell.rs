// SPDX-License-Identifier: Apache-2.0
//! The shell of a file has the same imports and exports, but no code to execute. It takes no time to compile, whatever
//! the file contains, and shows what the file is and whether it can be linked.
//!
//! Only the sections that describe the interface are read. In a module, exported functions of the same type become one
//! function. Bodies, data, elements and everything else that is not visible from outside are left out. In a component,
//! every module and component becomes its shell.
use crate::limits::{self, check};
use crate::{Kind, Refusal};
use std::collections::HashMap;
use std::ops::Range;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, Component, ConstExpr, Encode, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    RawSection, SectionId, TableSection,
};
use wasmparser::{
    Chunk, Encoding, ExportSectionReader, ExternalKind, GlobalSectionReader, ImportSectionReader, Parser, Payload,
    TableSectionReader, TypeRef, ValType,
};

/// A shell. Compiling it may still fail.
#[derive(Debug)]
pub struct Shell {
    pub bytes: Vec<u8>,
    pub kind: Kind,
    /// Whether the file imports something of WASI.
    pub imports_wasi: bool,
}

/// Makes the shell of a file. Nothing else of the file is validated.
pub fn shell(wasm: &[u8]) -> Result<Shell, Refusal> {
    check("bytes of the file", wasm.len() as u64, limits::FILE_BYTES)?;
    let mut reader = Reader { wasm, depth: 0, imports_wasi: false };
    let (bytes, kind) = reader.binary(0..wasm.len())?;
    Ok(Shell { bytes, kind, imports_wasi: reader.imports_wasi })
}

struct Reader<'a> {
    wasm: &'a [u8],
    /// How many components surround the current one.
    depth: u64,
    imports_wasi: bool,
}

impl<'a> Reader<'a> {
    /// The shell of the module or component in a range of the file.
    fn binary(&mut self, range: Range<usize>) -> Result<(Vec<u8>, Kind), Refusal> {
        let mut parser = Parser::new(range.start as u64);
        parser.set_features(limits::FEATURES);
        let mut at = range.start;
        let mut kind = Kind::Module;
        let mut module = ModuleShell::default();
        let mut component = Component::new();

        loop {
            let rest = self.wasm.get(at..range.end).ok_or_else(ends_early)?;
            let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else { return Err(ends_early()) };
            let content = payload.as_section();
            at += consumed;
            match payload {
                Payload::Version { encoding: Encoding::Component, .. } => kind = Kind::Component,
                Payload::Version { .. } | Payload::CustomSection(_) => {}
                Payload::End(_) if kind == Kind::Module => return Ok((module.finish()?, kind)),
                Payload::End(_) => return Ok((component.finish(), kind)),
                // The bodies are not read.
                Payload::CodeSectionStart { range, .. } => {
                    parser.skip_section();
                    at = range.end;
                }
                Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                    at = unchecked_range.end;
                    self.add_inner(unchecked_range, content, &mut component)?;
                }
                payload if kind == Kind::Module => self.add_to_module(payload, content, &mut module)?,
                payload => self.add_to_component(&payload, content, &mut component),
            }
        }
    }

    fn add_inner(
        &mut self,
        range: Range<usize>,
        section: Option<(u8, Range<usize>)>,
        component: &mut Component,
    ) -> Result<(), Refusal> {
        self.depth += 1;
        check("components inside each other", self.depth, limits::COMPONENT_DEPTH)?;
        let (inner, _) = self.binary(range)?;
        self.depth -= 1;
        component.section(&RawSection { id: section.map_or(0, |(id, _)| id), data: &inner });
        Ok(())
    }

    fn add_to_component(&mut self, payload: &Payload, section: Option<(u8, Range<usize>)>, component: &mut Component) {
        if let Payload::ComponentImportSection(imports) = payload {
            let mut imports = imports.clone().into_iter().map_while(Result::ok);
            self.note_wasi(imports.any(|import| import.name.name.starts_with("wasi:")));
        }
        if let Some((id, content)) = section {
            component.section(&RawSection { id, data: &self.wasm[content] });
        }
    }

    fn add_to_module(
        &mut self,
        payload: Payload<'a>,
        section: Option<(u8, Range<usize>)>,
        module: &mut ModuleShell<'a>,
    ) -> Result<(), Refusal> {
        let raw = section.map(|(id, content)| (id, self.wasm[content].to_vec()));
        match payload {
            Payload::ImportSection(imports) => {
                self.note_wasi(module.read_imports(imports)?);
                module.sections.extend(raw);
            }
            Payload::FunctionSection(types) => {
                check("functions", types.count().into(), limits::FUNCTIONS)?;
                for kind in types {
                    module.types.push(kind?);
                }
                // The exports decide which functions are needed.
                module.functions_at = module.sections.len();
            }
            Payload::TypeSection(_) | Payload::MemorySection(_) | Payload::TagSection(_) => module.sections.extend(raw),
            Payload::TableSection(tables) => module.read_tables(tables)?,
            Payload::GlobalSection(globals) => module.read_globals(globals)?,
            Payload::ExportSection(exports) => module.read_exports(exports)?,
            _ => {}
        }
        Ok(())
    }

    /// Notes an import if the file itself has it, not a part of it.
    fn note_wasi(&mut self, is_wasi: bool) {
        self.imports_wasi |= is_wasi && self.depth == 0;
    }
}

/// The shell of a module, while it is read.
#[derive(Default)]
struct ModuleShell<'a> {
    /// Its sections so far, in order, without functions.
    sections: Vec<(u8, Vec<u8>)>,
    /// The index of the section before which the functions belong.
    functions_at: usize,
    /// The types of all functions of the file, imported ones first.
    types: Vec<u32>,
    imported: u32,
    exports: Vec<wasmparser::Export<'a>>,
}

impl<'a> ModuleShell<'a> {
    /// Returns whether an import is of WASI.
    fn read_imports(&mut self, imports: ImportSectionReader<'a>) -> Result<bool, Refusal> {
        let mut is_wasi = false;
        for import in imports.into_imports() {
            let import = import?;
            is_wasi |= import.module.starts_with("wasi_");
            match import.ty {
                TypeRef::Func(kind) | TypeRef::FuncExact(kind) => {
                    self.types.push(kind);
                    self.imported += 1;
                }
                TypeRef::Table(table) => limits::check_table(&table)?,
                _ => {}
            }
        }
        self.functions_at = self.sections.len() + 1;
        Ok(is_wasi)
    }

    fn read_tables(&mut self, tables: TableSectionReader) -> Result<(), Refusal> {
        let mut kept = TableSection::new();
        for table in tables {
            let table = table?.ty;
            limits::check_table(&table)?;
            kept.table(RoundtripReencoder.table_type(table).map_err(not_told)?);
        }
        self.add(SectionId::Table, &kept);
        Ok(())
    }

    fn read_globals(&mut self, globals: GlobalSectionReader) -> Result<(), Refusal> {
        let mut kept = GlobalSection::new();
        for global in globals {
            let kind = global?.ty;
            kept.global(RoundtripReencoder.global_type(kind).map_err(not_told)?, &zero(kind.content_type)?);
        }
        self.add(SectionId::Global, &kept);
        Ok(())
    }

    fn read_exports(&mut self, exports: ExportSectionReader<'a>) -> Result<(), Refusal> {
        self.exports = exports.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }

    fn add(&mut self, id: SectionId, section: &impl Encode) {
        let mut bytes = Vec::new();
        section.encode(&mut bytes);
        // The size precedes the contents.
        let size = bytes.iter().position(|byte| byte & 0x80 == 0).map_or(0, |last| last + 1);
        self.sections.push((id as u8, bytes.split_off(size)));
    }

    fn finish(mut self) -> Result<Vec<u8>, Refusal> {
        let mut functions = Shared { imported: self.imported, ..Shared::default() };
        let mut exports = ExportSection::new();
        for export in std::mem::take(&mut self.exports) {
            let (kind, index) = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    (ExportKind::Func, functions.index(export.index, &self.types)?)
                }
                ExternalKind::Table => (ExportKind::Table, export.index),
                ExternalKind::Memory => (ExportKind::Memory, export.index),
                ExternalKind::Global => (ExportKind::Global, export.index),
                ExternalKind::Tag => (ExportKind::Tag, export.index),
            };
            exports.export(export.name, kind, index);
        }
        self.add(SectionId::Export, &exports);
        self.add_functions(&functions.types);
        let mut module = wasm_encoder::Module::new();
        for (id, data) in &self.sections {
            module.section(&RawSection { id: *id, data });
        }
        Ok(module.finish())
    }

    /// Adds one function for each of these types. None of them is ever called.
    fn add_functions(&mut self, types: &[u32]) {
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for &kind in types {
            let mut body = Function::new([]);
            body.instructions().unreachable().end();
            functions.function(kind);
            code.function(&body);
        }
        self.add(SectionId::Code, &code);
        self.add(SectionId::Function, &functions);
        if let Some(section) = self.sections.pop() {
            let last = self.sections.len();
            self.sections.insert(self.functions_at.min(last), section);
        }
    }
}

/// The functions of a shell: the imported ones, and one for each type of an exported function.
#[derive(Default)]
struct Shared {
    imported: u32,
    by_type: HashMap<u32, u32>,
    types: Vec<u32>,
}

impl Shared {
    /// The index in the shell of a function of the file. `types` are the types of the file's functions.
    fn index(&mut self, index: u32, types: &[u32]) -> Result<u32, Refusal> {
        if index < self.imported {
            return Ok(index);
        }
        let Some(&kind) = types.get(index as usize) else {
            return Err(Refusal::from_text(format!("an export names function {index}, which is not there")));
        };
        let next = self.imported + self.types.len() as u32;
        let shared = *self.by_type.entry(kind).or_insert(next);
        if shared == next {
            self.types.push(kind);
        }
        Ok(shared)
    }
}

/// A constant of a type. A reference that is never null has none: that shell fails to compile.
fn zero(kind: ValType) -> Result<ConstExpr, Refusal> {
    Ok(match kind {
        ValType::I32 => ConstExpr::i32_const(0),
        ValType::I64 => ConstExpr::i64_const(0),
        ValType::F32 => ConstExpr::f32_const(0.0f32.into()),
        ValType::F64 => ConstExpr::f64_const(0.0f64.into()),
        ValType::V128 => ConstExpr::v128_const(0),
        ValType::Ref(kind) => ConstExpr::ref_null(RoundtripReencoder.heap_type(kind.heap_type()).map_err(not_told)?),
    })
}

fn ends_early() -> Refusal {
    Refusal::from_text("unexpected end of the file".into())
}

fn not_told<E: std::fmt::Display>(error: E) -> Refusal {
    Refusal::from_text(format!("a type of its interface cannot be told: {error}"))
}
