// SPDX-License-Identifier: Apache-2.0
// What node:net has that needs no socket.
const { coded, needs } = require('internal/errors');

const part = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)', v4 = `(?:${part}\\.){3}${part}`;
const isIPv4 = (text) => new RegExp(`^${v4}$`).test(`${text}`);
const isIPv6 = (text) => {
	const [address, zone] = `${text}`.split(/%(.*)/s);
	return (zone === undefined || /^[0-9a-zA-Z-.:]+$/.test(zone)) && /^[\da-f:.]*$/i.test(address) && /:/.test(address) && (!/\./.test(address) || isIPv4(address.slice(address.lastIndexOf(':') + 1))) && URL.canParse(`http://[${address}]/`);
};
const isIP = (text) => isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0;

// An address as a number, and how many bits it has. An IPv4 address in IPv6 is the IPv4 address.
function numberOf(address, family) {
	if (family === 'ipv4')
		return [address.split('.').reduce((all, byte) => all * 256n + BigInt(byte), 0n), 32];
	const plain = new URL(`http://[${address.split('%')[0]}]/`).hostname.slice(1, -1), [head, tail] = plain.split('::');
	const groups = (text) => text ? text.split(':') : [], a = groups(head), b = groups(tail);
	const all = tail === undefined ? a : [...a, ...new Array(8 - a.length - b.length).fill('0'), ...b];
	const value = all.reduce((sum, group) => sum * 65536n + BigInt('0x' + group), 0n);
	return value >> 32n === 0xffffn ? [value & 0xffffffffn, 32] : [value, 128];
}

class SocketAddress {
	#options;
	constructor(options = {}) {
		needs.object(options, 'options');
		const { family = 'ipv4', address = family === 'ipv4' ? '127.0.0.1' : '::', port = 0, flowlabel = 0 } = options;
		needs.text(family, 'options.family');
		if (!/^ipv[46]$/i.test(family))
			throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.family' must be one of: 'ipv4', 'ipv6'. Received ${binding.inspect(family)}`);
		needs.text(address, 'options.address');
		if (!(Number.isInteger(+port) && +port >= 0 && +port <= 65535))
			throw coded(RangeError, 'ERR_SOCKET_BAD_PORT', `options.port should be >= 0 and < 65536. Received ${binding.inspect(port)}.`);
		if (isIP(address) !== (family.toLowerCase() === 'ipv4' ? 4 : 6))
			throw coded(Error, 'ERR_INVALID_ADDRESS', 'Invalid socket address');
		this.#options = { address, port: +port, family: family.toLowerCase(), flowlabel };
	}
	get address() { return this.#options.address; }
	get port() { return this.#options.port; }
	get family() { return this.#options.family; }
	get flowlabel() { return this.#options.flowlabel; }
	toJSON() { return { ...this.#options }; }
	static isSocketAddress(value) { return Object(value) === value && #options in value; }
}

class BlockList {
	#rules = [];
	static isBlockList(value) { return Object(value) === value && #rules in value; }
	#read(address, family, name = 'address') {
		if (SocketAddress.isSocketAddress(address))
			return [address.address, address.family];
		needs.text(address, name);
		needs.text(family, 'family');
		return [new SocketAddress({ address, family }).address, family.toLowerCase()];
	}
	addAddress(address, family = 'ipv4') {
		const [text, kind] = this.#read(address, family), [value, bits] = numberOf(text, kind);
		this.#rules.unshift({ first: value, last: value, bits, text: `Address: ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} ${text}` });
	}
	addRange(start, end, family = 'ipv4') {
		const [from, kind] = this.#read(start, family, 'start'), [to] = this.#read(end, family, 'end'), [first, bits] = numberOf(from, kind), [last] = numberOf(to, kind);
		if (first > last)
			throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'start' must come before end. Received ${binding.inspect(start)}`);
		this.#rules.unshift({ first, last, bits, text: `Range: ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} ${from}-${to}` });
	}
	addSubnet(net, prefix, family = 'ipv4') {
		const [text, kind] = this.#read(net, family, 'net'), [value, bits] = numberOf(text, kind), width = kind === 'ipv4' ? 32 : 128;
		needs.integer(prefix, 'prefix', 0, width);
		const size = 1n << BigInt(Math.max(0, Math.min(bits, width - prefix))), first = value / size * size;
		this.#rules.unshift({ first, last: first + size - 1n, bits, text: `Subnet: ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} ${text}/${prefix}` });
	}
	check(address, family = 'ipv4') {
		let text, kind;
		try {
			[text, kind] = this.#read(address, family);
		} catch (error) {
			if (error.code === 'ERR_INVALID_ADDRESS')
				return false;
			throw error;
		}
		const [value, bits] = numberOf(text, kind);
		return this.#rules.some((rule) => rule.bits === bits && rule.first <= value && value <= rule.last);
	}
	get rules() { return this.#rules.map(({ text }) => text); }
}
module.exports = { isIP, isIPv4, isIPv6, SocketAddress, BlockList };
