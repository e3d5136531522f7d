// SPDX-License-Identifier: Apache-2.0
//! Measures the Rust crate. The commands are those of ../bench.py.

use curfew::{default_engine, HostFunction, Limits, Options, Program, Source};
use serde_json::json;
use std::io::BufRead;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn program(source: Source) -> curfew::Result<Program> {
    let program = default_engine()?.program(source)?;
    program.compile(&Limits::new())?;
    Ok(program)
}

fn main() -> curfew::Result<()> {
    let add = program(Source::js("export default x => x + 1"))?;
    let next = HostFunction::json("next", |values| Ok(json!(values[0].as_i64().unwrap_or(0) + 1)));
    let calls = program(Source::js("export default n => { for (let i = 0; i < n; i++) host.next(i) }").function(next))?;
    let waits = program(Source::js("new Promise((resolve) => setTimeout(resolve, 1e9))"))?;
    let limits = Limits::new().timeout("10m")?.host_calls(u64::MAX)?;

    let mut waiting = Vec::new();

    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (name, count) = line.split_once(' ').unwrap_or_default();
        let count: usize = count.parse().unwrap_or(0);
        let began = Instant::now();
        let answer = match name {
            "fresh" => {
                let mut samples = Vec::with_capacity(count);
                for i in 0..count {
                    let one = Instant::now();
                    add.run(&Options { params: vec![json!(i)], ..Default::default() })?;
                    samples.push(one.elapsed().as_nanos() as u64);
                }
                json!({ "samples_ns": samples })
            }
            "call" => {
                calls
                    .run(&Options { params: vec![json!(count)], limits, ..Default::default() })?
                    .value::<serde_json::Value>()?;
                json!({ "ns": began.elapsed().as_nanos() as f64 / count as f64 })
            }
            "wait" => {
                let options = Options { limits, ..Default::default() };
                waiting = (0..count).map(|_| waits.start(&options)).collect::<curfew::Result<Vec<_>>>()?;
                while default_engine()?.stats().regions_in_use < count as u64 {
                    sleep(Duration::from_millis(10));
                }
                json!({ "start_s": began.elapsed().as_secs_f64() })
            }
            _ => {
                waiting.iter().for_each(|run| run.cancel());
                for run in waiting.drain(..) {
                    assert_eq!(run.wait()?.outcome, "cancelled");
                }
                while default_engine()?.stats().regions_in_use > 0 {
                    sleep(Duration::from_millis(1));
                }
                json!({ "cancel_s": began.elapsed().as_secs_f64() })
            }
        };
        println!("{answer}");
    }
    Ok(())
}
