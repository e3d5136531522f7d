// expect: deadline memory
const s = btoa('a'.repeat(2 ** 22)); for (;;) { atob(s); btoa(s) }
