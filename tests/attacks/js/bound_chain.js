// expect: deadline threw stack memory
// SPDX-License-Identifier: Apache-2.0
let f = () => { for (;;); }; for (let i = 0; i < 50000; i++) f = f.bind(null, i); try { f() } catch {} for (;;) try { f() } catch {}
