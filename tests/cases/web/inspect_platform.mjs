// SPDX-License-Identifier: Apache-2.0
// Headers, streams and the like are shown as in Node.
// outcome: ok
// stdout: Headers { 'X-B': '1, 3', Accept: '2', 'set-cookie': 'a=1, b=2' }
// stdout: Headers { 'x-a': '3', B: '4' } [ [ 'b', '4' ], [ 'x-a', '3' ] ] Headers { 'x-a': '3', B: '4' } Headers { 'x-a': '3', B: '4', 'content-type': 'text/plain;charset=UTF-8' }
// stdout: ReadableStreamBYOBReader {
// stdout:   stream: ReadableStream { locked: true, state: 'readable', supportsBYOB: true },
// stdout:   readIntoRequests: 0,
// stdout:   close: Promise { <pending> }
// stdout: }
// stdout: ReadableStreamDefaultReader {
// stdout:   stream: ReadableStream { locked: true, state: 'readable', supportsBYOB: false },
// stdout:   readRequests: 1,
// stdout:   close: Promise { <pending> }
// stdout: }
// stdout: WritableStreamDefaultWriter {
// stdout:   stream: WritableStream { locked: true, state: 'writable' },
// stdout:   close: Promise { <pending> },
// stdout:   ready: Promise { undefined },
// stdout:   desiredSize: 1
// stdout: }
// stdout: TransformStream {
// stdout:   readable: ReadableStream { locked: false, state: 'readable', supportsBYOB: false },
// stdout:   writable: WritableStream { locked: false, state: 'writable' },
// stdout:   backpressure: true
// stdout: }
// stdout: CompressionStream {
// stdout:   readable: ReadableStream { locked: false, state: 'readable', supportsBYOB: false },
// stdout:   writable: WritableStream { locked: false, state: 'writable' }
// stdout: } TextEncoderStream {
// stdout:   encoding: 'utf-8',
// stdout:   readable: ReadableStream { locked: false, state: 'readable', supportsBYOB: false },
// stdout:   writable: WritableStream { locked: false, state: 'writable' }
// stdout: } TextDecoderStream {
// stdout:   encoding: 'utf-16le',
// stdout:   fatal: true,
// stdout:   ignoreBOM: false,
// stdout:   readable: ReadableStream { locked: false, state: 'readable', supportsBYOB: false },
// stdout:   writable: WritableStream { locked: false, state: 'writable' }
// stdout: }
// stdout: CountQueuingStrategy { highWaterMark: 1 } ByteLengthQueuingStrategy { highWaterMark: 2 }
// stdout: PerformanceMark {
// stdout:   name: 'm',
// stdout:   entryType: 'mark',
// stdout:   startTime: 5,
// stdout:   duration: 0,
// stdout:   detail: { a: 1 }
// stdout: }
// stdout: PerformanceMeasure {
// stdout:   name: 'n',
// stdout:   entryType: 'measure',
// stdout:   startTime: 1,
// stdout:   duration: 2,
// stdout:   detail: null
// stdout: }
console.log(new Headers([['X-B', '1'], ['Accept', '2'], ['x-b', '3'], ['set-cookie', 'a=1'], ['Set-Cookie', 'b=2']]));
const headers = new Headers({ 'X-A': '1', b: '2' });
headers.set('x-a', '3');
headers.delete('b');
headers.append('B', '4');
console.log(headers, [...headers], new Headers(headers), new Response('x', { headers }).headers);
const bytes = new ReadableStream({ type: 'bytes' });
console.log(bytes.getReader({ mode: 'byob' }));
const reader = new ReadableStream().getReader();
reader.read().catch(() => {});
console.log(reader);
console.log(new WritableStream().getWriter());
console.log(new TransformStream());
console.log(new CompressionStream('gzip'), new TextEncoderStream(), new TextDecoderStream('utf-16le', { fatal: true }));
console.log(new CountQueuingStrategy({ highWaterMark: 1 }), new ByteLengthQueuingStrategy({ highWaterMark: 2 }));
console.log(performance.mark('m', { startTime: 5, detail: { a: 1 } }));
console.log(performance.measure('n', { start: 1, end: 3 }));
