// SPDX-License-Identifier: Apache-2.0
// args: --memory 16MiB
// outcome: memory
// stdout~: ^$
for (;;) {
	try {
		const kept = [];
		for (;;) kept.push(new Uint8Array(65536));
	} catch {
		console.log('caught');
	} finally {
		console.log('finally');
	}
}
