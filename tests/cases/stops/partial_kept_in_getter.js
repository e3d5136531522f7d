// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// partial: [1]
curfew.checkpoint([1]);
try { curfew.checkpoint({ get a() { for (;;); } }); } finally { curfew.checkpoint('never'); }
