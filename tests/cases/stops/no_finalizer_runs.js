// SPDX-License-Identifier: Apache-2.0
// args: --timeout 100ms
// outcome: deadline
// stdout~: ^$
const registry = new FinalizationRegistry(() => console.log('finalized'));
for (let i = 0; ; i++) if (i % 100000 === 0) registry.register({});
