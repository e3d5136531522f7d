// SPDX-License-Identifier: Apache-2.0
// An import waits for nothing at its top level, and so does everything that imports it.
// outcome: unsettled
// frames: <anonymous> lib/forever.mjs:2:*
import "./lib/forever.mjs";
