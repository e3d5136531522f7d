// SPDX-License-Identifier: Apache-2.0
export const answer = 42;
export function fail() {
	throw new Error('from util');
}
export function spin() {
	for (;;);
}
