// SPDX-License-Identifier: Apache-2.0
// A filter: reads standard input as it comes, and writes it in upper case. Memory stays the same however much that is.
const upper = new TransformStream({
	transform(chunk, controller) {
		controller.enqueue(chunk.toUpperCase());
	},
});

await curfew.stdin.pipeThrough(new TextDecoderStream()).pipeThrough(upper).pipeTo(curfew.stdout);
