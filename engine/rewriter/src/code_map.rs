// SPDX-License-Identifier: Apache-2.0
//! From offsets in a rewritten file back to what its author wrote.
use crate::lines::{Lines, Place};
use crate::names::{demangle, exported_name, function_name};
use crate::scan::{self, Binary};
use crate::splice::Origin;
use crate::{emit, Options, Refusal};
use std::collections::HashMap;
use std::ops::Range;
use wasm_encoder::SectionId;

/// A place in the file that was rewritten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The code is of the rewriting: a function that does a bulk instruction.
    pub hidden: bool,
    /// In the file as its author wrote it.
    pub offset: usize,
    /// The function's name as it was written, else the one it is exported by, else `func[INDEX]`.
    pub function: Option<String>,
    /// The source file.
    pub file: Option<String>,
    /// From 1; 0: not known.
    pub line: u32,
    /// From 1; 0: not known.
    pub column: u32,
}

/// Where every byte of a rewritten file comes from.
pub struct CodeMap {
    runs: Vec<(usize, Origin)>,
    modules: Vec<ModuleMap>,
}

/// What names the code of a module.
struct ModuleMap {
    /// Where the contents of its code section begin: addresses in DWARF count from there.
    code_start: usize,
    bodies: Vec<Range<usize>>,
    imported: u32,
    /// The contents of the export section.
    exports: Vec<u8>,
    /// The contents of the name section and of those for debugging, by name.
    sections: HashMap<String, Vec<u8>>,
    /// Read at first need.
    lines: Option<Lines>,
}

impl CodeMap {
    /// The map of a file, for the options that it was rewritten with.
    pub fn new(wasm: &[u8], options: Options) -> Result<CodeMap, Refusal> {
        let scan = scan::scan(wasm, options)?;
        let modules = scan.root.modules().into_iter().map(|module| ModuleMap::new(wasm, module)).collect();
        Ok(CodeMap { runs: emit::emit(wasm, &scan.root, options).into_runs(), modules })
    }

    /// The same, if a function of the file is what begins at `start`; adapters between components have offsets that mean
    /// nothing here, and are hidden.
    pub fn find_in(&mut self, start: usize, offset: usize) -> Vec<Location> {
        let here = (self.original(start), self.original(offset));
        let is_own = |module: &ModuleMap, at| module.body(at).is_some_and(|body| Some(module.bodies[body].start) == here.0);
        if here.1.is_some_and(|at| self.modules.iter().any(|module| is_own(module, at))) {
            return self.find(offset);
        }
        vec![Location { hidden: true, ..Location::default() }]
    }

    /// What stands at an offset of the rewritten file; inlined calls make several, innermost first.
    pub fn find(&mut self, offset: usize) -> Vec<Location> {
        let Some(offset) = self.original(offset) else {
            return vec![Location { hidden: true, ..Location::default() }];
        };
        for module in &mut self.modules {
            if let Some(found) = module.find(offset) {
                return found;
            }
        }
        vec![Location { offset, ..Location::default() }]
    }

    /// The offset in the file as it was; a guard or call that was added counts as what it was added for.
    fn original(&self, offset: usize) -> Option<usize> {
        let after = self.runs.partition_point(|(start, _)| *start <= offset);
        let (start, origin) = *self.runs.get(after.checked_sub(1)?)?;
        match origin {
            Origin::Copied(from) => Some(from + (offset - start)),
            Origin::Added(at) => Some(at),
            Origin::Hidden => None,
        }
    }
}

impl ModuleMap {
    fn new(wasm: &[u8], module: &Binary) -> ModuleMap {
        let content = |id: SectionId| {
            module.sections.iter().find(|section| section.id == id as u8).map(|section| section.content.clone())
        };
        let mut sections = HashMap::new();
        for section in &module.sections {
            match &section.custom {
                Some(custom) if custom.name == "name" || custom.name.starts_with(".debug_") => {
                    sections.entry(custom.name.clone()).or_insert_with(|| wasm[custom.data.clone()].to_vec());
                }
                _ => {}
            }
        }
        ModuleMap {
            code_start: content(SectionId::Code).map_or(0, |code| code.start),
            bodies: module.module.bodies.iter().map(|body| body.range.clone()).collect(),
            imported: module.module.imported(),
            exports: content(SectionId::Export).map_or_else(Vec::new, |exports| wasm[exports].to_vec()),
            sections,
            lines: None,
        }
    }

    /// Which function of this module an offset of the file is in.
    fn body(&self, offset: usize) -> Option<usize> {
        let body = self.bodies.partition_point(|body| body.start <= offset).checked_sub(1)?;
        self.bodies[body].contains(&offset).then_some(body)
    }

    /// What stands at an offset of the file, if that is in a function of this module.
    fn find(&mut self, offset: usize) -> Option<Vec<Location>> {
        let body = self.body(offset)?;
        let names = self.sections.get("name").map_or(&[][..], Vec::as_slice);
        let index = self.imported + body as u32;
        let name = function_name(names, index).map(demangle);
        let address = (offset - self.code_start) as u64;
        let mut places = self.lines().find(address);
        if places.is_empty() {
            places.push(Place::default());
        }
        // The outermost is the function itself.
        if let Some(outermost) = places.last_mut() {
            let exported = || exported_name(&self.exports, index).map_or_else(|| format!("func[{index}]"), demangle);
            outermost.function = name.or_else(|| outermost.function.take()).or_else(|| Some(exported()));
        }
        let locate =
            |Place { function, file, line, column }| Location { hidden: false, offset, function, file, line, column };
        Some(places.into_iter().map(locate).collect())
    }

    fn lines(&mut self) -> &mut Lines {
        let sections = &mut self.sections;
        self.lines.get_or_insert_with(|| Lines::new(|name| sections.get(name).cloned().unwrap_or_default()))
    }
}
