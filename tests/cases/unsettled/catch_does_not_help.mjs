// SPDX-License-Identifier: Apache-2.0
// Nothing is thrown, so no catch and no finally runs.
// outcome: unsettled
// frames: <anonymous> catch_does_not_help.mjs:5:*
try { await new Promise(() => {}); } catch { console.log("caught"); } finally { console.log("finally"); }
