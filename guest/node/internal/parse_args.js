// SPDX-License-Identifier: Apache-2.0
// util.parseArgs
const { coded, wrongType, needs } = require('internal/errors');

const bad = (code, message) => { throw coded(TypeError, 'ERR_PARSE_ARGS_' + code, message); };

// Each argument as one or more tokens.
function tokensOf(args, options) {
	const tokens = [], rest = [...args];
	const nameOf = (letter) => Object.keys(options).find((name) => Object.hasOwn(options, name) && options[name].short === letter) ?? letter;
	const isText = (name) => Object.hasOwn(options, name) && options[name].type === 'string';
	let index = -1, group = 0;
	while (rest.length > 0) {
		const arg = rest.shift(), next = rest[0];
		if (group > 0)
			group--;
		else
			index++;
		if (arg === '--') {
			tokens.push({ kind: 'option-terminator', index });
			return [...tokens, ...rest.map((value) => ({ kind: 'positional', index: ++index, value }))];
		}
		if (/^-[^-]$/.test(arg)) {
			const name = nameOf(arg[1]), takes = isText(name) && next !== undefined;
			tokens.push({ kind: 'option', name, rawName: arg, index, value: takes ? rest.shift() : undefined, inlineValue: takes ? false : undefined });
			if (takes)
				index++;
		} else if (/^-[^-]{2}/.test(arg) && !isText(nameOf(arg[1]))) {
			const expanded = [];
			for (let at = 1; at < arg.length; at++) {
				const isLast = at === arg.length - 1 || isText(nameOf(arg[at]));
				if (isLast && at < arg.length - 1) {
					expanded.push('-' + arg.slice(at));
					break;
				}
				expanded.push('-' + arg[at]);
			}
			rest.unshift(...expanded);
			group = expanded.length;
		} else if (/^-[^-]{2}/.test(arg)) {
			tokens.push({ kind: 'option', name: nameOf(arg[1]), rawName: '-' + arg[1], index, value: arg.slice(2), inlineValue: true });
		} else if (/^--[^=]+$/.test(arg)) {
			const name = arg.slice(2), takes = isText(name) && next !== undefined;
			tokens.push({ kind: 'option', name, rawName: arg, index, value: takes ? rest.shift() : undefined, inlineValue: takes ? false : undefined });
			if (takes)
				index++;
		} else if (/^--[^=]+=/.test(arg)) {
			const equals = arg.indexOf('=', 3), name = arg.slice(2, equals);
			tokens.push({ kind: 'option', name, rawName: '--' + name, index, value: arg.slice(equals + 1), inlineValue: true });
		} else {
			tokens.push({ kind: 'positional', index, value: arg });
		}
	}
	return tokens;
}

function checkUse(token, config, options) {
	const { name } = token, option = Object.hasOwn(options, name) ? options[name] : undefined;
	const negated = config.allowNegative && name.startsWith('no-') && Object.hasOwn(options, name.slice(3)) && options[name.slice(3)].type === 'boolean';
	if (!option && !negated)
		bad('UNKNOWN_OPTION', `Unknown option '${token.rawName}'` + (config.allowPositionals ?
			`. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${token.rawName}"` : ''));
	const shown = option?.short ? `-${option.short}, --${name}` : `--${name}`;
	if (option?.type === 'string' && typeof token.value !== 'string')
		bad('INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
	if (!(option?.type === 'string') && token.value !== undefined)
		bad('INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
	if (option?.type === 'string' && token.inlineValue === false && /^-./.test(token.value)) {
		const example = token.rawName.startsWith('--') ? `'${token.rawName}=-XYZ'` : `'--${name}=-XYZ' or '${token.rawName}-XYZ'`;
		bad('INVALID_OPTION_VALUE', `Option '${token.rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${token.rawName}'?\nTo specify an option argument starting with a dash use ${example}.`);
	}
}

function checkOptions(options) {
	needs.object(options, 'options');
	for (const [name, option] of Object.entries(options)) {
		const at = `options.${name}`;
		needs.object(option, at);
		if (option.type !== 'string' && option.type !== 'boolean')
			wrongType(`${at}.type`, '(\'string|boolean\')', option.type);
		if (Object.hasOwn(option, 'short')) {
			needs.text(option.short, `${at}.short`);
			if (option.short.length !== 1)
				throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property '${at}.short' must be a single character. Received ${binding.inspect(option.short)}`);
		}
		if (Object.hasOwn(option, 'multiple'))
			needs.boolean(option.multiple, `${at}.multiple`);
		if (option.default !== undefined) {
			const check = option.type === 'string' ? needs.text : needs.boolean;
			if (!option.multiple)
				check(option.default, `${at}.default`);
			else if (!Array.isArray(option.default))
				wrongType(`${at}.default`, 'an instance of Array', option.default);
			else
				option.default.forEach((value, i) => check(value, `${at}.default[${i}]`));
		}
	}
}

module.exports = function parseArgs(config = {}) {
	const { args = process.argv.slice(2), strict = true, allowPositionals = !strict, tokens: wantsTokens = false, allowNegative = false, options = {} } = config;
	if (!Array.isArray(args))
		wrongType('args', 'an instance of Array', args);
	for (const [name, value] of Object.entries({ strict, allowPositionals, tokens: wantsTokens, allowNegative }))
		needs.boolean(value, name);
	checkOptions(options);
	const tokens = tokensOf(args, options), result = { values: Object.create(null), positionals: [] };
	if (wantsTokens)
		result.tokens = tokens;
	const { values } = result;
	const store = (name, value, option) => {
		if (name === '__proto__')
			return;
		if (option?.multiple)
			(values[name] ??= []).push(value);
		else
			values[name] = value;
	};
	for (const token of tokens) {
		if (token.kind === 'positional') {
			if (!allowPositionals)
				bad('UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}'. This command does not take positional arguments`);
			result.positionals.push(token.value);
		}
		if (token.kind !== 'option')
			continue;
		if (strict)
			checkUse(token, { allowNegative, allowPositionals }, options);
		let { name, value = true } = token;
		if (allowNegative && name.startsWith('no-') && Object.hasOwn(options, name.slice(3))) {
			token.name = name = name.slice(3);
			value = false;
		}
		store(name, value, Object.hasOwn(options, name) ? options[name] : undefined);
	}
	for (const [name, option] of Object.entries(options)) {
		if (option.default !== undefined && values[name] === undefined)
			values[name] = option.default;
	}
	return result;
};
