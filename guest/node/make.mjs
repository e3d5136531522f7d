// SPDX-License-Identifier: Apache-2.0
// make.mjs MODULES OUT: writes the pack that src/js/build_image.c puts into the library. It has Node's modules and the
// remover of TypeScript's types as scripts, each one function (require, module, exports, binding). guest/intl/make.mjs
// describes the format.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { absent, textOf } from './absent.mjs';
import { withFastBuffer } from './fast_buffer.mjs';

const [modules, out] = process.argv.slice(2);
const here = path.dirname(new URL(import.meta.url).pathname);
const esbuild = createRequire(path.join(modules, 'x.js'))('esbuild');
const files = { 'assert/strict': 'assert_strict', 'fs/promises': 'fs_promises', 'readline/promises': 'readline_promises', 'stream/consumers': 'stream_consumers', 'stream/promises': 'stream_promises', 'stream/web': 'stream_web', 'test/reporters': 'test_reporters', 'timers/promises': 'timers_promises' };
// Those that have no name without "node:", since packages have it.
const prefixed = ['sea', 'sqlite', 'test', 'test/reporters'];
const own = fs.readdirSync(path.join(here, 'modules')).map((file) => file.replace(/\.js$/, '')).filter((name) => !Object.values(files).includes(name));
const internal = fs.readdirSync(path.join(here, 'internal')).map((file) => 'internal/' + file.replace(/\.js$/, ''));
const names = [...own, ...Object.keys(files), ...Object.keys(absent), 'util/types', 'path/posix', 'path/win32', 'sys'].sort();

// Node's own modules are required at run time. Packages are bundled.
const resolver = { name: 'curfew', setup(build) {
	build.onResolve({ filter: /.*/ }, ({ path: wanted, kind, resolveDir }) => {
		const bare = wanted.replace(/^node:/, '').replace(/\/$/, '');
		if (kind === 'entry-point')
			return undefined;
		if (bare === 'abort-controller')
			return { path: 'abort-controller', namespace: 'globals' };
		if (bare === 'qs')
			return { path: 'querystring', external: true };
		if ((names.includes(bare) || internal.includes(bare)) && !wanted.startsWith('.'))
			return { path: bare, external: true };
		if (wanted.startsWith('../node_modules/'))
			return { path: path.join(modules, wanted.slice('../node_modules/'.length)) };
		return wanted.startsWith('.') ? undefined : { path: createRequire(path.join(modules, 'x.js')).resolve(wanted, { paths: [resolveDir, path.dirname(modules)] }) };
	});
	build.onLoad({ filter: /.*/, namespace: 'globals' }, () => ({ contents: 'module.exports = { AbortController, AbortSignal };' }));
} };

// Start-up work of sucrase, and notes for each token, that nothing here needs: [file, text to replace, replacement].
const patches = [
	['parser/util/identifier.js', /for \(let i = 128; i < 65536; i\+\+\) \{\s*IS_IDENTIFIER_CHAR\[i\] = 1;\s*\}/, 'IS_IDENTIFIER_CHAR.fill(1, 128);'],
	['parser/tokenizer/index.js', /(export class Token \{\s*constructor\(\) \{[\s\S]*?this\.isType = state\.isType;)([\s\S]*?)\}/,
		(_, kept, defaults) => kept + '}static{Object.assign(Token.prototype,{' + defaults.replace(/this\.(\w+) = (\w+);/g, '$1:$2,') + '})}'],
];
const sucrase = { name: 'sucrase', setup(build) {
	build.onLoad({ filter: /sucrase.dist.esm.*\.js$/ }, ({ path: file }) => {
		let contents = fs.readFileSync(file, 'utf8');
		for (const [name, pattern, replacement] of patches.filter(([name]) => file.endsWith('/esm/' + name))) {
			if (!pattern.test(contents))
				throw new Error(name + ' is not the one that is known');
			contents = contents.replace(pattern, replacement);
		}
		return { contents: withNumbers(contents, file) };
	});
} };

// Errors of packages get a code as in Node, by which programs distinguish them.
const coded = { name: 'coded', setup(build) {
	build.onLoad({ filter: /node_modules.buffer.index\.js$/ }, ({ path: file }) => ({ contents: withFastBuffer(fs.readFileSync(file, 'utf8')).replace(/throw new (RangeError|TypeError)\(/g, 'throw coded($1, ') + `
function coded(Kind, message) {
	const code = Kind === RangeError ? (/multiple of/.test(message) ? 'ERR_INVALID_BUFFER_SIZE' : 'ERR_OUT_OF_RANGE') : /^Unknown encoding/.test(message) ? 'ERR_UNKNOWN_ENCODING' : 'ERR_INVALID_ARG_TYPE';
	return Object.assign(new Kind(message), { code });
}` }));
	// The module of paths asks where it is, but seldom.
	build.onLoad({ filter: /path-browserify.index\.js$/ }, ({ path: file }) => ({ contents: fs.readFileSync(file, 'utf8').replace('process.cwd()', "require('process').cwd()") }));
} };

// Inlines its enumerations as numbers, and the two functions that it calls most: they take half of the time.
const load = createRequire(path.join(modules, 'x.js'));
const enums = { tt: load('./sucrase/dist/parser/tokenizer/types.js').TokenType, charCodes: load('./sucrase/dist/parser/util/charcodes.js').charCodes,
	ContextualKeyword: load('./sucrase/dist/parser/tokenizer/keywords.js').ContextualKeyword };
function withNumbers(contents, file) {
	for (const [name, values] of Object.entries(enums)) {
		if (!/(types|charcodes|keywords)\.js$/.test(file))
			contents = contents.replace(new RegExp('\\b' + name + '\\.(\\w+)\\b', 'g'), (all, key) => typeof values[key] === 'number' ? values[key] : all);
	}
	if (/import \{[^}]*\bstate\b[^}]*\} from/.test(contents))
		contents = contents.replace(/(?<![\w.])match\((\d+)\)/g, '(state.type===$1)');
	return contents.replace(/this\.tokens\.matches1\((\d+)\)/g, '(this.tokens.tokens[this.tokens.tokenIndex].type===$1)');
}

const bundle = (options) => esbuild.buildSync ? esbuild.build({ bundle: true, write: false, format: 'cjs', target: 'es2022', minifySyntax: true, minifyWhitespace: true, nodePaths: [modules],
	logLevel: 'error', legalComments: 'none', plugins: [resolver, sucrase, coded], ...options }).then(({ outputFiles }) => outputFiles[0].text) : undefined;

const free = (code, name) => new RegExp('(?<![\\w$.])' + name + '(?![\\w$]|\\s*:)').test(code);
function wrap(code, name) {
	const head = ['use strict'].map((word) => "'" + word + "';");
	if (name !== 'process' && free(code.replace(/require\(["']process["']\)/g, ''), 'process'))
		head.push("const process = require('process');");
	if (name !== 'buffer' && free(code, 'Buffer') && !/\b(const|let|var|class)\s*(\{[^}]*)?\bBuffer\b/.test(code))
		head.push("const { Buffer } = require('buffer');");
	if (free(code, 'global'))
		head.push('const global = globalThis;');
	return '(function (require, module, exports, binding) {' + head.join('') + code + '\n})';
}

const entries = [];
for (const name of [...names, ...internal]) {
	const file = internal.includes(name) ? path.join(here, name + '.js') : path.join(here, 'modules', (files[name] ?? name) + '.js');
	const alias = { 'util/types': "module.exports = require('util').types;", 'path/posix': "module.exports = require('path');", 'path/win32': "module.exports = require('path').win32;", sys: "module.exports = require('util');" }[name];
	const code = alias ?? (absent[name] ? textOf(name) : await bundle({ entryPoints: [file] }));
	entries.push({ name: 'node/' + name, bytes: Buffer.from(wrap(code, name)) });
}
entries.push({ name: 'node', bytes: Buffer.from('(' + JSON.stringify(names.map((name) => prefixed.includes(name) ? 'node:' + name : name).sort()) + ')') });
const typescript = await bundle({ entryPoints: [path.join(here, 'typescript.js')] });
entries.push({ name: 'typescript', bytes: Buffer.from('(function (module, exports) {' + typescript + '\n})') });
entries.sort((a, b) => (a.name < b.name ? -1 : 1));
fs.writeFileSync(out, Buffer.concat(entries.flatMap(({ name, bytes }) => [Buffer.from('script ' + name + ' ' + bytes.length + '\n'), bytes])));
