# SPDX-License-Identifier: Apache-2.0
"""Keeps the results that a program had when its time was up, and follows its progress."""

import curfew

program = curfew.program("""
    let done = 0;
    while (!curfew.signal.aborted) { done += 1; if (done % 1000 === 0) curfew.checkpoint({ done }); if (done === 1000) curfew.progress("begun"); }
    ({ done: done > 0, finished: false })
""")
seen = []
report = program.run(limits={"timeout": "1s", "grace": "1s", "host_calls": "unlimited"}, on_event=seen.append)
print(report.outcome, report.stop.mode, report.value, report.partial["done"] >= 1000)
print([event.data for event in seen if event.kind == "progress"])
