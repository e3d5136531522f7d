// SPDX-License-Identifier: Apache-2.0
// A test compiles this file. The correct code compiles, and each marked line is an error.
import * as curfew from 'curfew';

const report: curfew.Report = await curfew.run('1', { limits: { timeout: '1s', memory: 4194304, hostCalls: Infinity }, params: [1, { a: 'b' }] });
const outcome: string = report.orThrow().outcome;
const engine = new curfew.Engine({ threads: 2 });
const program = engine.program('1', { functions: { add: (a: number, b: number) => a + b, typed: { call: async () => 1, type: '->i' } } });
const run: curfew.Run = program.start({ events: true, signal: AbortSignal.timeout(1) });
for await (const event of run.events())
	console.log(event.kind, event.data);
const session: curfew.Session = program.session({ secrets: { A: 'b' } });
const total: number | null = session.totals().fuel;
const unit: 'duration' | 'bytes' | 'count' = curfew.LIMITS.timeout.unit;
console.log(outcome, total, unit, engine.stats().runsActive);

// @ts-expect-error there is no such limit
await curfew.run('1', { limits: { tiemout: '1s' } });
// @ts-expect-error a signal cannot abort a synchronous run
curfew.runSync('1', { signal: AbortSignal.timeout(1) });
// @ts-expect-error params are an array
await curfew.run('1', { params: 'x' });
// @ts-expect-error a synchronous run cannot call functions
curfew.runSync('1', { functions: {} });
