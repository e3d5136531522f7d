// SPDX-License-Identifier: Apache-2.0
// MIMEType and MIMEParams, as the standard "MIME Sniffing" describes them.
const { coded } = require('internal/errors');

const TOKEN = /[^!#$%&'*+\-.^_`|~A-Za-z0-9]/, QUOTED = /[^\t\u0020-\u007e\u0080-\u00ff]/, TRAILING_SPACE = /[\r\n\t ]*$/, LEADING_SPACE = /^[\r\n\t ]*/;
const lower = (text) => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
const refuse = (production, text, index) => {
	throw coded(TypeError, 'ERR_INVALID_MIME_SYNTAX', `The MIME syntax for a ${production} in "${text}" is invalid` + (index >= 0 ? ` at ${index}` : ''));
};
const token = (text, production) => {
	const at = text.search(TOKEN);
	if (text === '' || at >= 0)
		refuse(production, text, at);
	return text;
};
const encode = (value) => value === '' || TOKEN.test(value) ? '"' + value.replace(/["\\]/g, '\\$&') + '"' : value;

class MIMEParams {
	#data = new Map();
	delete(name) { this.#data.delete(`${name}`); }
	get(name) { return this.#data.get(`${name}`) ?? null; }
	has(name) { return this.#data.has(`${name}`); }
	set(name, value) {
		name = `${name}`;
		value = `${value}`;
		token(name, 'parameter name');
		const at = value.search(QUOTED);
		if (at >= 0)
			refuse('parameter value', value, at);
		this.#data.set(name, value);
	}
	* entries() { yield* this.#data.entries(); }
	* keys() { yield* this.#data.keys(); }
	* values() { yield* this.#data.values(); }
	toString() { return [...this.#data].map(([name, value]) => name + '=' + encode(value)).join(';'); }
	toJSON() { return this.toString(); }
	// Reads what follows the first semicolon. Parameters that are not valid are left out.
	static read(text) {
		const params = new MIMEParams();
		for (let at = 0; at < text.length;) {
			at += LEADING_SPACE.exec(text.slice(at))[0].length;
			const end = /[;=]|$/.exec(text.slice(at)).index + at, name = lower(text.slice(at, end));
			at = end + 1;
			if (text[end] !== '=')
				continue;
			let value;
			if (text[at] === '"') {
				const quoted = /^"((?:[^\\"]|\\[\s\S]?)*)("?)/.exec(text.slice(at));
				value = quoted[1].replace(/\\([\s\S])/g, '$1');
				at += quoted[0].length;
				at = /;|$/.exec(text.slice(at)).index + at + 1;
			} else {
				const stop = /;|$/.exec(text.slice(at)).index + at;
				value = text.slice(at, stop).replace(TRAILING_SPACE, '');
				at = stop + 1;
				if (value === '')
					continue;
			}
			if (name !== '' && !TOKEN.test(name) && !QUOTED.test(value) && !params.has(name))
				params.set(name, value);
		}
		return params;
	}
}
Object.defineProperty(MIMEParams.prototype, Symbol.iterator, { value: MIMEParams.prototype.entries, writable: true, configurable: true });

class MIMEType {
	#type;
	#subtype;
	#params;
	constructor(text) {
		text = `${text}`;
		const start = LEADING_SPACE.exec(text)[0].length, slash = text.indexOf('/', start);
		const type = text.slice(start, slash < 0 ? undefined : slash);
		const check = (production, part) => {
			const at = part.search(TOKEN);
			if (part === '' || at >= 0 || slash < 0)
				refuse(production, text, at);
			return lower(part);
		};
		this.#type = check('type', type);
		const semicolon = text.indexOf(';', slash), raw = text.slice(slash + 1, semicolon < 0 ? undefined : semicolon);
		this.#subtype = check('subtype', raw.replace(TRAILING_SPACE, ''));
		this.#params = read(semicolon < 0 ? '' : text.slice(semicolon + 1));
	}
	get type() { return this.#type; }
	set type(value) { this.#type = lower(token(`${value}`, 'type')); }
	get subtype() { return this.#subtype; }
	set subtype(value) { this.#subtype = lower(token(`${value}`, 'subtype')); }
	get essence() { return this.#type + '/' + this.#subtype; }
	get params() { return this.#params; }
	toString() {
		const params = this.#params.toString();
		return this.essence + (params === '' ? '' : ';' + params);
	}
	toJSON() { return this.toString(); }
}
const { read } = MIMEParams;
delete MIMEParams.read;
module.exports = { MIMEType, MIMEParams };
