// SPDX-License-Identifier: Apache-2.0
// No catch and no finally runs once a run is stopped.
// args: --timeout 100ms
// outcome: deadline
// stdout~: ^$
for (;;) {
	try {
		for (;;);
	} catch {
		console.log('caught');
	} finally {
		console.log('finally');
		continue;
	}
}
