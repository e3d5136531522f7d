// SPDX-License-Identifier: Apache-2.0
// (action): the text of the call of this function that is going on, from the file that it is in. undefined: the file
// cannot be read, or the call is not found there.
const CLOSING = { '(': ')', '[': ']', '{': '}' };

function callSite(action) {
	const before = Error.prepareStackTrace, holder = {};
	Error.prepareStackTrace = (_, sites) => sites;
	try {
		Error.captureStackTrace(holder, action);
		return [...holder.stack].find((site) => site.getLineNumber() > 0);
	} catch {
		return undefined;
	} finally {
		Error.prepareStackTrace = before;
	}
}

// The end of a string, a template, a comment or a regular expression that begins here; otherwise undefined.
function skip(text, at, last) {
	const find = (pattern) => {
		pattern.lastIndex = at;
		return pattern.test(text) ? pattern.lastIndex : undefined;
	};
	if (text[at] === '\'' || text[at] === '"')
		return find(/'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y);
	if (text.startsWith('//', at) || text.startsWith('/*', at))
		return find(/\/\/.*|\/\*[^]*?\*\//y);
	if (text[at] === '/' && /[(,=:[!&|?{};+*%<>~^-]|^$/.test(last))
		return find(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y);
	if (text[at] !== '`')
		return undefined;
	for (let i = at + 1; i < text.length; i++) {
		if (text[i] === '\\')
			i++;
		else if (text.startsWith('${', i))
			i = bracketEnd(text, i + 1) - 1;
		else if (text[i] === '`')
			return i + 1;
	}
	return undefined;
}
// The end of the bracket that begins here. Beyond the text: there is none.
function bracketEnd(text, start) {
	const open = [];
	let last = '';
	for (let at = start; at < text.length; at++) {
		const end = skip(text, at, last);
		if (end !== undefined) {
			last = text.startsWith('//', at) || text.startsWith('/*', at) ? last : 'x';
			at = end - 1;
			continue;
		}
		const letter = text[at];
		if (Object.hasOwn(CLOSING, letter))
			open.push(CLOSING[letter]);
		else if (letter === open.at(-1) && open.pop() && open.length === 0)
			return at + 1;
		if (!/\s/.test(letter))
			last = letter;
	}
	return text.length + 1;
}

module.exports = (action) => {
	const site = callSite(action), file = site?.getFileName();
	const text = file && binding.sourceOf(file);
	if (text === undefined)
		return undefined;
	const lines = text.split('\n'), line = site.getLineNumber() - 1;
	const before = lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0), named = [...lines[line] ?? ''].slice(0, site.getColumnNumber() - 1).join('');
	// The position of a call is that of the name of its function: what it is a property of comes before.
	const column = named.length - /(?:[\w$]+\s*\??\.\s*)*$/.exec(named)[0].length, start = before + column;
	const open = /^[\w$.?\s]*\(/.exec(text.slice(start, start + 1000));
	const end = open ? bracketEnd(text, start + open[0].length - 1) : text.length + 1;
	if (end > text.length)
		return undefined;
	// Further lines are moved to the left with the first one.
	return text.slice(start, end).split('\n').map((part, i) => i === 0 ? part : '  ' + part.slice(Math.min(column, /^[ \t]*/.exec(part)[0].length))).join('\n');
};
