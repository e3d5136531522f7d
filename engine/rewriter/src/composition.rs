// SPDX-License-Identifier: Apache-2.0
//! Counts how many instances a component creates.
//!
//! Components are functions over imports. How many instances they create, and so how much there is to compile, is known
//! only after instantiating them. Here that is done with nothing but components and their exports.
use crate::limits::{self, check};
use crate::Refusal;
use std::collections::HashMap;
use std::rc::Rc;
use wasmparser::{
    ComponentAlias, ComponentExternalKind as Sort, ComponentInstance, ComponentOuterAliasKind, Encoding, Payload,
};

/// A named item of an index space.
type Named = (String, Sort, u32);

/// A step of a component, as far as it matters here. Each appends to an index space.
enum Step {
    Import { name: String, sort: Sort },
    Define { component: usize },
    Instantiate { component: u32, arguments: Vec<Named> },
    Bundle { items: Vec<Named> },
    AliasExport { sort: Sort, instance: u32, name: String },
    AliasOuterComponent { count: u32, index: u32 },
    Export { name: String, sort: Sort, index: u32 },
}

/// The components of a file, collected while it is read.
#[derive(Default)]
pub(crate) struct Composition {
    /// Every component, in the order in which they begin. The file's own is the first.
    components: Vec<Vec<Step>>,
    /// The components that are being read, the innermost last. None stands for a module.
    open: Vec<Option<usize>>,
}

impl Composition {
    /// Reads the next payload of a valid file.
    pub fn read(&mut self, payload: &Payload) -> Result<(), Refusal> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => self.open.push(None),
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
                self.add(Step::AliasOuterComponent { count, index })
            }
            _ => {}
        }
    }

    /// Refuses a file that creates more instances than the limits allow.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut linker = Linker { components: &self.components, instances: 0, steps: 0 };
        if !self.components.is_empty() {
            linker.instantiate(&Closure { component: 0, scope: None }, &HashMap::new())?;
        }
        Ok(())
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

/// The components of an instance at the time when a component inside it was defined.
struct Scope {
    components: Vec<Item>,
    outer: Option<Rc<Scope>>,
}

/// What an index of a component refers to.
#[derive(Clone)]
enum Item {
    /// Something of the host's, or something that does not matter here.
    Other,
    Instance(Rc<HashMap<String, Item>>),
    Component(Rc<Closure>),
}

/// The index spaces of an instance.
#[derive(Default)]
struct Spaces {
    instances: Vec<Item>,
    components: Vec<Item>,
}

impl Spaces {
    fn push(&mut self, sort: Sort, item: Item) {
        match sort {
            Sort::Instance => self.instances.push(item),
            Sort::Component => self.components.push(item),
            _ => {}
        }
    }

    fn get(&self, sort: Sort, index: u32) -> Item {
        let space = match sort {
            Sort::Instance => &self.instances,
            Sort::Component => &self.components,
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
    instances: usize,
    steps: u64,
}

impl Linker<'_> {
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
                    let scope = Scope { components: spaces.components.clone(), outer: closure.scope.clone() };
                    let inner = Closure { component: *component, scope: Some(Rc::new(scope)) };
                    spaces.components.push(Item::Component(Rc::new(inner)));
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
                Step::AliasOuterComponent { count, index } => {
                    let item = outer_component(&spaces, closure, *count, *index);
                    spaces.components.push(item);
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

/// The component of this index, `count` components further out.
fn outer_component(spaces: &Spaces, closure: &Closure, count: u32, index: u32) -> Item {
    if count == 0 {
        return spaces.get(Sort::Component, index);
    }
    let mut scope = closure.scope.as_ref();
    for _ in 1..count {
        scope = scope.and_then(|inner| inner.outer.as_ref());
    }
    scope.and_then(|scope| scope.components.get(index as usize).cloned()).unwrap_or(Item::Other)
}
