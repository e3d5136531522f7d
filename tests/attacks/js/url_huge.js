// expect: deadline memory threw
for (;;) { new URL('http://h/' + '../é?'.repeat(2 ** 18)); new URLSearchParams('&é=%ff'.repeat(2 ** 17)).sort() }
