// SPDX-License-Identifier: Apache-2.0
//! Keeps the results that a program had when its time was up, and follows its progress.

use curfew::{Event, Limits, Options};
use std::sync::Arc;

const SOURCE: &str = "
    let done = 0;
    while (!curfew.signal.aborted) {
        done += 1;
        if (done % 1000 === 0) curfew.checkpoint({ done });
        if (done === 1000) curfew.progress('begun');
    }
    ({ done: done > 0, finished: false })";

fn main() -> curfew::Result<()> {
    let options = Options {
        limits: Limits::new().timeout("1s")?.grace("1s")?.host_calls(u64::MAX)?,
        on_event: Some(Arc::new(|event| {
            if let Event::Progress(value) = event {
                println!("{value}");
            }
        })),
        ..Default::default()
    };
    let report = curfew::run(SOURCE, &options)?;
    println!(
        "{} {} {} {}",
        report.outcome,
        report.stop.unwrap().mode,
        report.json_value,
        report.partial["done"].as_u64() >= Some(1000)
    );
    Ok(())
}
