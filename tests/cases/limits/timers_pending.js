// SPDX-License-Identifier: Apache-2.0
// Only pending timers count.
// args: --timers 3
// outcome: ok
// used.timers_peak: 3
// value: 30
let fired = 0;
const turn = () => new Promise(go => setTimeout(() => { fired++; go() }, 1));
for (let i = 0; i < 10; i++) await Promise.all([turn(), turn(), turn()]);
export default fired;
