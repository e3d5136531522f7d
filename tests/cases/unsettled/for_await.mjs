// SPDX-License-Identifier: Apache-2.0
// A stream without a source.
// outcome: unsettled
// frames: <anonymous> for_await.mjs:6:*
for await (const chunk of new ReadableStream({ pull() { return new Promise(() => {}); } }))
	console.log(chunk);
