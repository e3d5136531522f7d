// SPDX-License-Identifier: Apache-2.0
// Uses node:fs below a directory (tests/integration/files.py). files.json beside it has the results of Node 20.
import fs, { promises, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { pipeline } from 'node:stream/promises';
export default async (top) => {
	const told = {}, at = (...names) => path.join(top, ...names), refused = (action) => { try { action(); return 'nothing'; } catch (e) { return [e.code, e.errno ?? null, e.syscall ?? null, e.path?.replace(top, 'TOP') ?? null, e.message.replaceAll(top, 'TOP')]; } };
	told.read = [fs.readFileSync(at('text'), 'utf8'), fs.readFileSync(at('text')).length, (await readFile(at('text'), { encoding: 'utf8' })), await promisify(fs.readFile)(at('text'), 'latin1')];
	told.none = refused(() => fs.readFileSync(at('none'), 'utf8'));
	told.folder = refused(() => fs.readFileSync(top));
	told.stat = ((s) => [s.isFile(), s.isDirectory(), s.size, s.mtime instanceof Date, typeof s.mtimeMs])(fs.statSync(at('text')));
	told.statNone = [fs.statSync(at('none'), { throwIfNoEntry: false }) === undefined, fs.existsSync(at('none')), fs.existsSync(at('text')), refused(() => fs.accessSync(at('none')))];
	fs.mkdirSync(at('a/b/c'), { recursive: true });
	told.mkdir = [refused(() => fs.mkdirSync(at('a'))), fs.mkdirSync(at('a/b/d/e'), { recursive: true })?.replace(top, 'TOP'), refused(() => fs.mkdirSync(at('x/y')))];
	fs.writeFileSync(at('a/one'), 'one'); fs.appendFileSync(at('a/one'), ' more'); await promises.writeFile(at('a/two'), new Uint8Array([65, 66]));
	told.written = [fs.readFileSync(at('a/one'), 'utf8'), fs.readFileSync(at('a/two'), 'utf8'), refused(() => fs.writeFileSync(at('a/one'), 'x', { flag: 'wx' }))];
	told.readdir = [fs.readdirSync(at('a')), fs.readdirSync(at('a'), { withFileTypes: true }).map((e) => [e.name, e.isFile(), e.isDirectory()]), fs.readdirSync(at('a'), { recursive: true }).sort(), refused(() => fs.readdirSync(at('none')))];
	fs.renameSync(at('a/two'), at('a/three')); fs.copyFileSync(at('a/one'), at('a/four')); fs.symlinkSync('one', at('a/link'));
	told.links = [fs.readlinkSync(at('a/link')), fs.lstatSync(at('a/link')).isSymbolicLink(), fs.readFileSync(at('a/link'), 'utf8'), fs.realpathSync(at('a/link')).replace(top, 'TOP')];
	const fd = fs.openSync(at('a/one'), 'r+'), piece = Buffer.alloc(4);
	told.descriptor = [fs.readSync(fd, piece, 0, 4, 1), piece.toString(), fs.writeSync(fd, 'ONE', 0), fs.fstatSync(fd).size, (fs.ftruncateSync(fd, 5), fs.readFileSync(at('a/one'), 'utf8'))]; fs.closeSync(fd);
	told.closed = refused(() => fs.closeSync(fd))[0];
	fs.utimesSync(at('a/one'), 1, 2); told.times = fs.statSync(at('a/one')).mtimeMs;
	await pipeline(fs.createReadStream(at('big')), fs.createWriteStream(at('a/copy')));
	told.streams = [fs.statSync(at('a/copy')).size, fs.readFileSync(at('a/copy')).equals(fs.readFileSync(at('big')))];
	const ranged = []; for await (const chunk of fs.createReadStream(at('text'), { start: 1, end: 3, encoding: 'utf8' })) ranged.push(chunk); told.ranged = ranged.join('');
	told.streamError = await new Promise((done) => fs.createReadStream(at('none')).on('error', (e) => done(e.code)));
	const handle = await promises.open(at('a/one')); told.handle = [(await handle.readFile('utf8')), (await handle.stat()).size]; await handle.close();
	told.callback = await new Promise((done) => fs.readFile(at('none'), (e, data) => done([e.code, data ?? null])));
	told.lines = []; for await (const line of (await promises.open(at('text'))).readLines()) told.lines.push(line);
	told.rm = [refused(() => fs.rmSync(at('a'))).slice(0, 1), refused(() => fs.rmdirSync(at('a'))), (fs.rmSync(at('a'), { recursive: true }), fs.existsSync(at('a'))), refused(() => fs.rmSync(at('a')))[0], (fs.rmSync(at('a'), { force: true }), 'forced'), refused(() => fs.unlinkSync(at('none')))];
	told.arguments = [refused(() => fs.readFileSync(undefined))[0], refused(() => fs.readFileSync('a\0b'))[0], refused(() => fs.readFile(at('text')))[0], refused(() => fs.openSync(at('text'), 'q'))[0], constants.O_CREAT];
	const made = fs.mkdtempSync(at('made-')); told.made = [path.basename(made).length, fs.statSync(made).isDirectory()]; fs.cpSync(at('tree'), path.join(made, 'tree'), { recursive: true }); told.cp = fs.readFileSync(path.join(made, 'tree/leaf'), 'utf8'); fs.rmSync(made, { recursive: true });
	const opened = []; for await (const entry of await promises.opendir(top)) opened.push(entry.name); told.opendir = opened.sort();
	return told;
};
