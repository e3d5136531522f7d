// SPDX-License-Identifier: Apache-2.0
//! Gives a program a host function.

use curfew::{default_engine, HostFunction, Options, Source};
use serde_json::json;

fn main() -> curfew::Result<()> {
    let in_stock = HostFunction::json("inStock", |arguments| match arguments.first().and_then(|name| name.as_str()) {
        Some("apples") => Ok(json!(3)),
        Some(_) => Ok(json!(0)),
        None => Err("inStock takes a name".into()),
    });
    let source =
        Source::js("export default (names) => names.filter((name) => host.inStock(name) > 0)").function(in_stock);
    let options = Options { params: vec![json!(["apples", "pears", "plums"])], ..Default::default() };
    println!("{}", default_engine()?.run(source, &options)?.json_value);
    Ok(())
}
