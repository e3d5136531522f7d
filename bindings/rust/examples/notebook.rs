// SPDX-License-Identifier: Apache-2.0
//! Keeps a program's state between cells.

use curfew::{default_engine, Limits, Options, Source};

fn main() -> curfew::Result<()> {
    let session = default_engine()?.program(Source::js(""))?.session(&Options::default())?;
    for cell in ["const rows = [3, 1, 2]", "rows.sort(); rows.length", "rows.map((x) => x * 10)"] {
        println!("{}", session.eval(cell, &Limits::new())?.json_value);
    }
    Ok(())
}
