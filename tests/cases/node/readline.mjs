// SPDX-License-Identifier: Apache-2.0
// Lines of streams, with every kind of line end, and in pieces cut anywhere.
// args: --node
// outcome: ok
// value: {"events":["one","two","","three","vier ü","close"],"iterated":5000,"questions":["Name? ","Ann",["rest"]],"late":"ERR_USE_AFTER_CLOSE","none":"ERR_INVALID_ARG_TYPE","stopped":["a",true]}
import readline, { createInterface } from 'node:readline';
import { createInterface as promised } from 'node:readline/promises';
import { once } from 'node:events';
import { Readable, PassThrough } from 'node:stream';

const result = {}, bytes = Buffer.from('one\r\ntwo\r\n\nthree\rvier ü');
const events = result.events = [], all = createInterface({ input: Readable.from([...bytes].map((byte) => Buffer.from([byte]))) });
all.on('line', (line) => events.push(line)).on('close', () => events.push('close'));
await once(all, 'close');

let iterated = 0;
for await (const line of createInterface({ input: Readable.from([Array.from({ length: 5000 }, (_, i) => i).join('\n')]) }))
	iterated += line === String(iterated);
result.iterated = iterated;

const input = new PassThrough(), output = new PassThrough(), asked = promised({ input, output }), rest = [];
setTimeout(() => input.write('Ann\nrest\n'), 1);
asked.on('line', (line) => rest.push(line));
const name = await asked.question('Name? ');
result.questions = [output.read().toString(), name, rest];
asked.close();
try { readline.Interface.prototype.question.call(asked, 'x', () => {}); } catch (error) { result.late = error.code; }
try { createInterface({}); } catch (error) { result.none = error.code; }

const broken = createInterface(Readable.from(['a\nb\nc\n']));
for await (const line of broken) {
	result.stopped = [line];
	break;
}
result.stopped.push(broken.closed);
export default result;
