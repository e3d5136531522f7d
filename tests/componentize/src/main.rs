// SPDX-License-Identifier: Apache-2.0
//! Makes components for the tests. `componentize MODULE COMPONENT command` turns a WASI command into a component, and
//! `componentize MODULE COMPONENT WIT` a module with the exports of the only world in a WIT file.
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{embed_component_metadata, ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

fn make(module: &str, component: &str, kind: &str) -> Result<(), Box<dyn Error>> {
    let mut core = fs::read(module)?;
    let mut adapter = WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER;
    if kind != "command" {
        let mut resolve = Resolve::default();
        let package = resolve.push_file(Path::new(kind))?;
        let world = resolve.select_world(&[package], None)?;
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
        adapter = WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
    }
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&core)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?;
    fs::write(component, encoder.encode()?)?;
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().collect();
    let [_, module, component, kind] = words.as_slice() else {
        eprintln!("usage: componentize MODULE COMPONENT command|WIT");
        return ExitCode::from(2);
    };
    match make(module, component, kind) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("componentize: {module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
