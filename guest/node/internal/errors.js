// SPDX-License-Identifier: Apache-2.0
// Errors with the codes and messages of Node's.
const { inspect } = binding;

function received(value) {
	if (value === null || value === undefined)
		return ' Received ' + value;
	if (typeof value === 'function')
		return ' Received function ' + value.name;
	if (typeof value === 'object')
		return value.constructor?.name ? ' Received an instance of ' + value.constructor.name : ' Received ' + inspect(value, { depth: -1 });
	const shown = inspect(value);
	return ` Received type ${typeof value} (${shown.length > 28 ? shown.slice(0, 25) + '...' : shown})`;
}
const coded = (Kind, code, message) => {
	const error = new Kind(message);
	Object.defineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
	return error;
};
const kindOf = (name) => name.includes('.') ? 'property' : 'argument';
// expected: "of type string", "an instance of X", "one of type string or an instance of Buffer".
const wrongType = (name, expected, value) => { throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${name.endsWith(' argument') ? name : `"${name}" ${kindOf(name)}`} must be ${expected}.${received(value)}`); };
const wrongValue = (name, value, reason = 'is invalid') => { throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kindOf(name)} '${name}' ${reason}. Received ${inspect(value)}`); };
const withUnderscores = (value) => String(value).replace(/^(-?)(\d+)(n?)$/, (_, sign, digits, n) => sign + digits.replace(/\B(?=(\d{3})+$)/g, '_') + n);
const outOfRange = (name, range, value) => {
	const shown = typeof value === 'bigint' ? (value > 2n ** 32n || value < -(2n ** 32n) ? withUnderscores(value) : value) + 'n' : Number.isInteger(value) && Math.abs(value) > 2 ** 32 ? withUnderscores(value) : inspect(value);
	throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`);
};
const aborted = (cause) => Object.assign(coded(Error, 'ABORT_ERR', 'The operation was aborted'), { name: 'AbortError' }, cause === undefined ? {} : { cause });
const needs = {
	text: (value, name) => { if (typeof value !== 'string') wrongType(name, 'of type string', value); },
	number(value, name, min, max) {
		if (typeof value !== 'number')
			wrongType(name, 'of type number', value);
		if (value < min || value > max || Number.isNaN(value))
			outOfRange(name, min !== undefined && max !== undefined ? `>= ${min} && <= ${max}` : min !== undefined ? `>= ${min}` : `<= ${max}`, value);
	},
	integer(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
		if (typeof value !== 'number')
			wrongType(name, 'of type number', value);
		if (!Number.isInteger(value))
			outOfRange(name, 'an integer', value);
		if (value < min || value > max)
			outOfRange(name, `>= ${min} && <= ${max}`, value);
	},
	boolean: (value, name) => { if (typeof value !== 'boolean') wrongType(name, 'of type boolean', value); },
	callable: (value, name) => { if (typeof value !== 'function') wrongType(name, 'of type function', value); },
	object: (value, name) => { if (value === null || typeof value !== 'object') wrongType(name, 'of type object', value); },
	signal: (value, name) => { if (value !== undefined && (value === null || typeof value !== 'object' || !('aborted' in value))) wrongType(name, 'an instance of AbortSignal', value); },
};
module.exports = { coded, received, wrongType, wrongValue, outOfRange, aborted, needs };
