// SPDX-License-Identifier: Apache-2.0
// Static, private and public methods.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: run class_method.js:8:* | #inner class_method.js:11:* | go class_method.js:14:* | <anonymous> class_method.js:17:*
class A {
	static run() {
		for (;;);
	}
	#inner() {
		A.run();
	}
	go() {
		this.#inner();
	}
}
new A().go();
