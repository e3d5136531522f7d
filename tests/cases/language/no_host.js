// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: []
['require', 'process', 'std', 'os', 'Deno', 'Bun', 'module', 'exports', 'print', 'load', 'read', 'quit', 'gc', 'scriptArgs', 'SharedArrayBuffer',
	'WebAssembly', 'importScripts', '__dirname'].filter(name => name in globalThis);
