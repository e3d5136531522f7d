// SPDX-License-Identifier: Apache-2.0
//! Counts how many instances a component creates, and what they begin with.
//!
//! Components are functions over imports. How many instances they create, and so how much there is to compile and to
//! initialize, is known only after instantiating them. Here that is done with nothing but components, modules and their
//! exports.
use crate::limits::{self, check};
use crate::Refusal;
use std::collections::HashMap;
use std::rc::Rc;
use wasmparser::{
    ComponentAlias, ComponentExternalKind as Sort, ComponentInstance, ComponentOuterAliasKind, Encoding, Instance,
    Payload,
};

/// What the host does for an instance of a module when it begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beginning {
    /// Bytes that active data segments write.
    pub data: u64,
    /// Elements that active segments write and passive segments hold, and those of tables that begin with a value.
    pub elements: u64,
    /// Functions, tables, memories, globals, tags and data segments, including those that are imported.
    pub definitions: u64,
}

impl Beginning {
    fn add(&mut self, other: Beginning) {
        self.data = self.data.saturating_add(other.data);
        self.elements = self.elements.saturating_add(other.elements);
        self.definitions = self.definitions.saturating_add(other.definitions);
    }
}

/// A named item of an index space.
type Named = (String, Sort, u32);

/// A step of a component, as far as it matters here. Each appends to an index space.
enum Step {
    Import { name: String, sort: Sort },
    Define { component: usize },
    DefineModule { module: usize },
    InstantiateModule { module: u32 },
    Instantiate { component: u32, arguments: Vec<Named> },
    Bundle { items: Vec<Named> },
    AliasExport { sort: Sort, instance: u32, name: String },
    AliasOuter { sort: Sort, count: u32, index: u32 },
    Export { name: String, sort: Sort, index: u32 },
}

/// The components of a file, collected while it is read.
#[derive(Default)]
pub(crate) struct Composition {
    /// Every component, in the order in which they begin. The file's own is the first.
    components: Vec<Vec<Step>>,
    /// What every module begins with, in the order in which they begin.
    modules: Vec<Beginning>,
    /// The components that are being read, the innermost last. None stands for a module.
    open: Vec<Option<usize>>,
}

impl Composition {
    /// Reads the next payload of a valid file.
    pub fn read(&mut self, payload: &Payload) -> Result<(), Refusal> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                self.add(Step::DefineModule { module: self.modules.len() });
                self.modules.push(Beginning::default());
                self.open.push(None);
            }
            Payload::Version { .. } => self.begin()?,
            Payload::End(_) => {
                self.open.pop();
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    let import = import?;
                    self.add(Step::Import { name: import.name.name.into(), sort: import.ty.kind() });
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.add(Step::InstantiateModule { module: module_index });
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    self.add(instance_step(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.add_alias(alias?);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    self.add(Step::Export { name: export.name.name.into(), sort: export.kind, index: export.index });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Refusal> {
        let component = self.components.len();
        check("components", component as u64 + 1, limits::COMPONENTS)?;
        if component > 0 {
            self.add(Step::Define { component });
        }
        self.components.push(Vec::new());
        self.open.push(Some(component));
        Ok(())
    }

    fn add(&mut self, step: Step) {
        if let Some(Some(component)) = self.open.last() {
            self.components[*component].push(step);
        }
    }

    fn add_alias(&mut self, alias: ComponentAlias) {
        match alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                self.add(Step::AliasExport { sort: kind, instance: instance_index, name: name.into() })
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                self.add(Step::AliasOuter { sort: Sort::Component, count, index })
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                self.add(Step::AliasOuter { sort: Sort::Module, count, index })
            }
            _ => {}
        }
    }

    /// Adds to what the module that is being read begins with.
    pub fn note(&mut self, more: Beginning) {
        if let Some(module) = self.modules.last_mut() {
            module.add(more);
        }
    }

    /// What all instances of the file begin with. Refuses a file that creates more than the limits allow.
    pub fn check(&self) -> Result<Beginning, Refusal> {
        let mut linker = Linker {
            components: &self.components,
            modules: &self.modules,
            instances: 0,
            steps: 0,
            beginning: Beginning::default(),
        };
        if self.components.is_empty() {
            linker.begin(0)?;
        } else {
            linker.instantiate(&Closure { component: 0, scope: None }, &HashMap::new())?;
        }
        Ok(linker.beginning)
    }
}

fn named(name: &str, sort: Sort, index: u32) -> Named {
    (name.into(), sort, index)
}

fn instance_step(instance: ComponentInstance) -> Step {
    match instance {
        ComponentInstance::Instantiate { component_index, args } => Step::Instantiate {
            component: component_index,
            arguments: args.iter().map(|item| named(item.name, item.kind, item.index)).collect(),
        },
        ComponentInstance::FromExports(items) => {
            Step::Bundle { items: items.iter().map(|item| named(item.name.name, item.kind, item.index)).collect() }
        }
    }
}

/// A component together with the scope of its outer aliases.
struct Closure {
    component: usize,
    scope: Option<Rc<Scope>>,
}

/// The components and modules of an instance at the time when a component inside it was defined.
struct Scope {
    components: Vec<Item>,
    modules: Vec<Item>,
    outer: Option<Rc<Scope>>,
}

/// What an index of a component refers to.
#[derive(Clone)]
enum Item {
    /// Something of the host's, or something that does not matter here.
    Other,
    Instance(Rc<HashMap<String, Item>>),
    Component(Rc<Closure>),
    Module(usize),
}

/// The index spaces of an instance.
#[derive(Default)]
struct Spaces {
    instances: Vec<Item>,
    components: Vec<Item>,
    modules: Vec<Item>,
}

impl Spaces {
    fn push(&mut self, sort: Sort, item: Item) {
        match sort {
            Sort::Instance => self.instances.push(item),
            Sort::Component => self.components.push(item),
            Sort::Module => self.modules.push(item),
            _ => {}
        }
    }

    fn get(&self, sort: Sort, index: u32) -> Item {
        let space = match sort {
            Sort::Instance => &self.instances,
            Sort::Component => &self.components,
            Sort::Module => &self.modules,
            _ => return Item::Other,
        };
        space.get(index as usize).cloned().unwrap_or(Item::Other)
    }

    fn collect(&self, items: &[Named]) -> HashMap<String, Item> {
        items.iter().map(|(name, sort, index)| (name.clone(), self.get(*sort, *index))).collect()
    }
}

/// Instantiates components, and counts.
struct Linker<'a> {
    components: &'a [Vec<Step>],
    modules: &'a [Beginning],
    instances: usize,
    steps: u64,
    beginning: Beginning,
}

impl Linker<'_> {
    /// Instantiates a module.
    fn begin(&mut self, module: usize) -> Result<(), Refusal> {
        self.beginning.add(self.modules[module]);
        let sum = &self.beginning;
        check("elements that all instances begin with", sum.elements, limits::INSTANCE_ELEMENTS)?;
        check("definitions of all module instances", sum.definitions, limits::INSTANCE_DEFINITIONS)
    }

    /// Instantiates a component, and returns its exports.
    fn instantiate(&mut self, closure: &Closure, imports: &HashMap<String, Item>) -> Result<Item, Refusal> {
        self.instances += 1;
        check("component instances", self.instances as u64, limits::COMPONENT_INSTANCES)?;
        let steps = &self.components[closure.component];
        self.steps += steps.len() as u64;
        check("definitions of all component instances", self.steps, limits::COMPONENT_DEFINITIONS)?;

        let mut spaces = Spaces::default();
        let mut exports = HashMap::new();
        for step in steps {
            match step {
                Step::Import { name, sort } => spaces.push(*sort, imports.get(name).cloned().unwrap_or(Item::Other)),
                Step::Define { component } => {
                    let scope = Scope {
                        components: spaces.components.clone(),
                        modules: spaces.modules.clone(),
                        outer: closure.scope.clone(),
                    };
                    let inner = Closure { component: *component, scope: Some(Rc::new(scope)) };
                    spaces.components.push(Item::Component(Rc::new(inner)));
                }
                Step::DefineModule { module } => spaces.modules.push(Item::Module(*module)),
                Step::InstantiateModule { module } => {
                    if let Item::Module(module) = spaces.get(Sort::Module, *module) {
                        self.begin(module)?;
                    }
                }
                Step::Instantiate { component, arguments } => {
                    let instance = match spaces.get(Sort::Component, *component) {
                        Item::Component(inner) => self.instantiate(&inner, &spaces.collect(arguments))?,
                        _ => Item::Other,
                    };
                    spaces.instances.push(instance);
                }
                Step::Bundle { items } => spaces.instances.push(Item::Instance(Rc::new(spaces.collect(items)))),
                Step::AliasExport { sort, instance, name } => {
                    let item = match spaces.get(Sort::Instance, *instance) {
                        Item::Instance(exports) => exports.get(name).cloned().unwrap_or(Item::Other),
                        _ => Item::Other,
                    };
                    spaces.push(*sort, item);
                }
                Step::AliasOuter { sort, count, index } => {
                    let item = outer_item(&spaces, closure, *sort, *count, *index);
                    spaces.push(*sort, item);
                }
                Step::Export { name, sort, index } => {
                    let item = spaces.get(*sort, *index);
                    exports.insert(name.clone(), item.clone());
                    spaces.push(*sort, item);
                }
            }
        }
        Ok(Item::Instance(Rc::new(exports)))
    }
}

/// The component or module of this index, `count` components further out.
fn outer_item(spaces: &Spaces, closure: &Closure, sort: Sort, count: u32, index: u32) -> Item {
    if count == 0 {
        return spaces.get(sort, index);
    }
    let mut scope = closure.scope.as_ref();
    for _ in 1..count {
        scope = scope.and_then(|inner| inner.outer.as_ref());
    }
    let items = scope.map(|scope| if sort == Sort::Module { &scope.modules } else { &scope.components });
    items.and_then(|items| items.get(index as usize).cloned()).unwrap_or(Item::Other)
}
