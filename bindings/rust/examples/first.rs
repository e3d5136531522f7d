// SPDX-License-Identifier: Apache-2.0
//! Runs a program, and shows the report of one that never ends.

use curfew::{Limits, Options};

fn main() -> curfew::Result<()> {
    println!("{}", curfew::run("6 * 7", &Options::default())?.value::<i32>()?);

    let options = Options { limits: Limits::new().timeout("500ms")?, ..Default::default() };
    let report = curfew::run("for (;;);", &options)?;
    println!("{} at line {:?}", report.outcome, report.error.and_then(|error| error.stack[0].line));
    Ok(())
}
