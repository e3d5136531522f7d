// SPDX-License-Identifier: Apache-2.0
// TypeScript, and modules of Node's: curfew run --print examples/typed.ts sum 3 4
import { inspect } from 'node:util';

enum Kind { Sum = 'sum', Product = 'product' }

function combine(kind: Kind, numbers: readonly number[]): number {
	return numbers.reduce((a: number, b: number): number => kind === Kind.Sum ? a + b : a * b);
}

export default (kind: Kind, ...words: string[]): number => {
	console.error(inspect({ kind, words }));
	return combine(kind, words.map(Number));
};
