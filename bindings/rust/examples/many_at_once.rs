// SPDX-License-Identifier: Apache-2.0
//! A thousand runs that wait: none of them holds a thread.

use curfew::{default_engine, Options, Source};
use serde_json::json;

fn main() -> curfew::Result<()> {
    let program = default_engine()?.program(Source::js(
        "export default async (n) => { await new Promise((done) => setTimeout(done, 50)); return n; }",
    ))?;
    let start = |n: i64| program.start(&Options { params: vec![json!(n)], ..Default::default() });
    let runs = (0..1000).map(start).collect::<curfew::Result<Vec<_>>>()?;
    let mut sum = 0;
    for run in runs {
        sum += run.wait()?.value::<i64>()?;
    }
    println!("{sum}");
    Ok(())
}
