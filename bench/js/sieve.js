// SPDX-License-Identifier: Apache-2.0
// Tight loops over a typed array: the primes up to two million.
function sieve(n) {
	let a = new Uint8Array(n + 1), c = 0;
	for (let i = 2; i <= n; i++) {
		if (!a[i]) {
			c++;
			for (let j = i * 2; j <= n; j += i) a[j] = 1;
		}
	}
	return c;
}
sieve(2000000);
