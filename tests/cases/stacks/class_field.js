// SPDX-License-Identifier: Apache-2.0
// A field of a class.
// args: --timeout 80ms
// outcome: deadline
// frames: <anonymous> class_field.js:7:* | <anonymous> class_field.js:7:* | Busy class_field.js:8:* | <anonymous> class_field.js:9:*
class Busy {
	x = (() => { for (;;); })();
}
new Busy();
