// SPDX-License-Identifier: Apache-2.0
// Each member of each interface is enumerable and configurable, also one with the name `name`, and checks its object.
// outcome: ok
// value: []
const wrong = [];
for (const name of Object.getOwnPropertyNames(globalThis)) {
	const Interface = globalThis[name];
	// What ECMAScript has is not enumerable, and a class of the console or of Curfew is no interface.
	if (typeof Interface !== 'function' || !/^[A-Z]/.test(name) || !Interface.prototype?.[Symbol.toStringTag]) continue;
	if (/^(Map|Set|WeakMap|WeakSet|WeakRef|Promise|Symbol|BigInt|ArrayBuffer|DataView|FinalizationRegistry|Iterator|.*Array|.*Stack)$/.test(name)) continue;
	for (const key of Object.getOwnPropertyNames(Interface.prototype)) {
		const property = Object.getOwnPropertyDescriptor(Interface.prototype, key);
		const isConstant = typeof property.value === 'number';
		if (key === 'constructor') continue;
		if (!property.enumerable || (property.configurable === isConstant)) wrong.push(name + '.' + key);
		const read = property.get ?? (key === 'toJSON' ? property.value : undefined);
		try {
			if (read) Reflect.apply(read, {}, []).then?.(() => wrong.push(name + '.' + key + ' of another'), () => undefined);
			if (read && !/^(closed|ready)$/.test(key)) wrong.push(name + '.' + key + ' of another');
		} catch (error) {
			if (!(error instanceof TypeError)) wrong.push(name + '.' + key + ' throws ' + error.name);
		}
	}
}
wrong;
