// SPDX-License-Identifier: Apache-2.0
//! Cancels a run from another thread.

use curfew::{default_engine, Limits, Options, Source};
use std::{thread, time::Duration};

fn main() -> curfew::Result<()> {
    let options = Options { limits: Limits::new().timeout("30s")?, ..Default::default() };
    let run = default_engine()?.program(Source::js("for (;;);"))?.start(&options)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            run.cancel();
        });
    });
    println!("{}", run.wait()?.outcome);
    Ok(())
}
