// expect: host_calls
for (;;) crypto.getRandomValues(new Uint8Array(65536))
