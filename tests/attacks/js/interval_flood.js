// expect: deadline timers
// SPDX-License-Identifier: Apache-2.0
let n = 0; const tick = () => { n++; setInterval(tick, 0); setInterval(tick, 1) }; tick()
