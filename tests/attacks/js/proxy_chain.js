// expect: deadline threw stack memory
// SPDX-License-Identifier: Apache-2.0
let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); try { p.x } catch {} for (;;) try { p.x } catch {}
