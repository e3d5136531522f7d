// expect: deadline
new Function('for (;;) try { new Function("for(;;);")() } catch {}')()
