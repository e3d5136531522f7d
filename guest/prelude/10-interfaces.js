// SPDX-License-Identifier: Apache-2.0
// What Web IDL requires of every interface: which properties are enumerable, how arguments are counted and converted.

// Members are enumerable, unlike those of a class, and objects carry the interface's name.
function finishInterface(Interface, name) {
	for (const holder of [Interface.prototype, Interface]) {
		for (const key of ownKeys(holder)) {
			const isBuiltIn =
				holder === Interface ? key === 'length' || key === 'name' || key === 'prototype' : key === 'constructor';
			if (typeof key === 'string' && !isBuiltIn) defineProperty(holder, key, { __proto__: null, enumerable: true });
		}
	}
	defineProperty(Interface.prototype, Symbol.toStringTag, { __proto__: null, value: name, configurable: true });
}

function defineConstants(Interface, constants) {
	for (const holder of [Interface.prototype, Interface]) {
		for (const name of objectKeys(constants))
			defineProperty(holder, name, { __proto__: null, value: constants[name], enumerable: true });
	}
}

function expose(name, value, enumerable) {
	defineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
}

function needArguments(what, needed, given) {
	if (given < needed)
		throw new TypeError(what + ' needs ' + needed + ' argument' + (needed === 1 ? '' : 's') + ', got ' + given);
}

// A dictionary argument. undefined and null count as an empty one.
function toDictionary(value, what) {
	if (value === undefined || value === null) return { __proto__: null };
	if (!isObject(value)) throw new TypeError(what + ' is not an object');
	return value;
}

// A string without lone surrogates.
const toScalarString = value => wellFormed(toText(value));

// An unsigned integer up to 2^53 - 1. Anything else is an error.
function toEnforcedInteger(value, what) {
	const number = trunc(+value);
	if (!(number >= 0 && number <= 9007199254740991))
		throw new TypeError(what + ' is not in the range of an unsigned integer');
	return number + 0;
}

// The bytes of an ArrayBuffer or view, as a Uint8Array of the same memory. undefined: it is neither.
function bytesOf(source) {
	const kind = classOf(source);
	if (kind === 'ArrayBuffer') return bufferDetached(source) ? new Uint8Array(0) : new Uint8Array(source);
	if (kind === 'DataView') {
		if (bufferDetached(dataViewBuffer(source))) return new Uint8Array(0);
		return new Uint8Array(dataViewBuffer(source), dataViewOffset(source), dataViewBytes(source));
	}
	if (kind === undefined || typedArrayTag(source) === undefined) return undefined;
	// If the buffer is detached or was shrunk, offset and length are 0.
	const buffer = typedArrayBuffer(source);
	if (bufferDetached(buffer)) return new Uint8Array(0);
	return new Uint8Array(buffer, typedArrayOffset(source), typedArrayBytes(source));
}

// ---- Lists of pairs: name, value, name, value, ... The engine searches and moves, because a list may be long. ----

// The index of the first pair with a name, or -1.
function findPair(list, name, from = 0) {
	let i = searchArray(list, name, from);
	while (i % 2 !== 0 && i >= 0) i = searchArray(list, name, i + 1);
	return i;
}

// Removes the pairs with a name, from an index on; if `value` is given, only those that have it.
function removePairs(list, name, from = 0, value = undefined) {
	const first = findPair(list, name, from);
	if (first < 0) return;
	if (value === undefined && findPair(list, name, first + 2) < 0) {
		moveInArray(list, first, first + 2);
		list.length -= 2;
		return;
	}
	let kept = first;
	for (let i = first; i < list.length; i += 2) {
		if (list[i] === name && (value === undefined || list[i + 1] === value)) continue;
		list[kept] = list[i];
		list[kept + 1] = list[i + 1];
		kept += 2;
	}
	list.length = kept;
}

// Gives the first pair with a name a value, and removes the others.
function setPair(list, name, value) {
	const first = findPair(list, name);
	if (first < 0) {
		push(list, name);
		push(list, value);
		return;
	}
	list[first + 1] = value;
	removePairs(list, name, first + 2);
}

function valuesOfPairs(list, name) {
	const values = [];
	for (let i = findPair(list, name); i >= 0; i = findPair(list, name, i + 2)) push(values, list[i + 1]);
	return values;
}

// The prototype of these interfaces' iterators.
const iteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));

// (owner, 0 for names, 1 for values, 2 for both) -> an iterator over listOf(owner), which is a name, its value, the
// next name... It observes changes during the iteration, because it keeps no copy of the list, only its position.
const pairIteratorReaders = []; // each returns the remaining items of an iterator of its kind, like iteratorItems
function pairIteratorItems(value) {
	for (let i = 0; i < pairIteratorReaders.length; i++) {
		const items = pairIteratorReaders[i](value);
		if (items) return items;
	}
	return undefined;
}

function makePairIterator(name, listOf) {
	let newIterator;
	class PairIterator {
		#owner;
		#kind;
		#place = 0;
		next() {
			const list = listOf(this.#owner);
			const i = this.#place;
			if (i >= list.length) return { value: undefined, done: true };
			this.#place += 2;
			const value = this.#kind === 0 ? list[i] : this.#kind === 1 ? list[i + 1] : [list[i], list[i + 1]];
			return { value, done: false };
		}
		static {
			newIterator = (owner, kind) => {
				const iterator = new PairIterator();
				iterator.#owner = owner;
				iterator.#kind = kind;
				return iterator;
			};
			pairIteratorReaders.push(value => {
				if (!isObject(value) || !(#place in value)) return undefined;
				const list = listOf(value.#owner),
					kind = value.#kind,
					items = [kind === 2];
				for (let i = value.#place; i < list.length; i++) {
					if (kind === 2 || i % 2 === kind) push(items, list[i]);
				}
				return items;
			});
		}
	}
	setPrototypeOf(PairIterator.prototype, iteratorPrototype);
	finishInterface(PairIterator, name);
	delete PairIterator.prototype.constructor;
	return newIterator;
}
