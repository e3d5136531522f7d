# SPDX-License-Identifier: Apache-2.0
"""A thousand runs that wait, in one event loop."""

import asyncio

import curfew


async def main():
    program = curfew.program(
        "export default async (n) => { await new Promise((done) => setTimeout(done, 50)); return n; }"
    )
    reports = await asyncio.gather(*(program.run_async(n) for n in range(1000)))
    print(sum(report.value for report in reports))


asyncio.run(main())
