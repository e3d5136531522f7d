// expect: deadline threw stack memory
let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); try { p.x } catch {} for (;;) try { p.x } catch {}
