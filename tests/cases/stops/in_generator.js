// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: numbers in_generator.js:7:* | <anonymous> in_generator.js:12:5
function* numbers() {
	try {
		for (;;);
	} finally {
		console.log('finally');
	}
}
[...numbers()];
