// SPDX-License-Identifier: Apache-2.0
const picomatch = require('../node_modules/picomatch/posix.js');
const { posix } = require('path');

const compile = (pattern, windows = false) => picomatch(pattern, { nonegate: true, windows, nocase: windows, strictSlashes: false });
const matchesGlob = (path, pattern, windows) => compile(windows ? pattern.replace(/\\/g, '/') : pattern, windows)(windows ? path.replace(/\\/g, '/') : path);

// The files that fit a pattern, one by one. A directory is read only if the pattern can fit something in it.
function* globSync(patterns, { cwd = '/', exclude, withFileTypes = false } = {}) {
	const fs = require('fs'), seen = new Set();
	const root = typeof cwd === 'string' ? cwd : require('url').fileURLToPath(cwd);
	const isExcluded = typeof exclude === 'function' ? (entry, path) => exclude(withFileTypes ? entry : path) :
		((fits) => (_, path) => fits.some((one) => one(path)))((exclude ?? []).map((one) => compile(one)));
	for (const pattern of [patterns].flat()) {
		const { base } = picomatch.scan(pattern), fits = compile(pattern);
		const isPlain = base === pattern.replace(/\/+$/, ''), depth = pattern.includes('**') ? Infinity : pattern.split('/').length;
		const below = [isPlain ? posix.dirname(base) : base || '.'];
		while (below.length > 0) {
			const directory = below.shift();
			let entries;
			try {
				entries = fs.readdirSync(posix.resolve(root, directory), { withFileTypes: true });
			} catch {
				continue;
			}
			for (const entry of entries) {
				const path = directory === '.' ? entry.name : posix.join(directory, entry.name);
				if (isExcluded(entry, path))
					continue;
				if (fits(path) && !seen.has(path)) {
					seen.add(path);
					yield withFileTypes ? entry : path;
				}
				if (entry.isDirectory() && path.split('/').length < depth)
					below.push(path);
			}
		}
	}
}
module.exports = { matchesGlob, globSync };
