// expect: deadline threw
for (;;) { await import('./import_itself.js'); } export {}
