// SPDX-License-Identifier: Apache-2.0
// A field of a class.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: <anonymous> class_field.js:7:* | <anonymous> class_field.js:7:* | Busy class_field.js:8:* | <anonymous> class_field.js:9:*
class Busy {
	x = (() => { for (;;); })();
}
new Busy();
