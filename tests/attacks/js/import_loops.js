// expect: host_calls
for (;;) { try { await import('./import_loops.js?' + Math.random()) } catch {} } export {}
