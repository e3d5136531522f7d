// SPDX-License-Identifier: Apache-2.0
// The position of a call is that of its function's name, wherever its arguments are and whatever they call.
// outcome: threw
// frames: build call_position.js:6:27 | make call_position.js:9:5 | <anonymous> call_position.js:15:6
// error.source_line: function build(o) { throw new Error('no'); }
function build(o) { throw new Error('no'); }
const make = {
	make(o) { return (0, this)
			.build(
				JSON.stringify(o),
				make.self(
					1)); },
	build, self: (x) => x,
};
make.make(
	{ a: make.self(1) },
);
