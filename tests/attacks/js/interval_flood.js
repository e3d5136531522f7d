// expect: deadline timers
let n = 0; const tick = () => { n++; setInterval(tick, 0); setInterval(tick, 1) }; tick()
