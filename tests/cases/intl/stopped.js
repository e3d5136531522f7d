// SPDX-License-Identifier: Apache-2.0
// args: --timeout 300ms
// outcome: deadline
// What Intl computes is computed in the guest: it is stopped like the program itself.
for (;;)
	new Intl.DateTimeFormat('de', { dateStyle: 'full', timeStyle: 'full', timeZone: 'Europe/Berlin' }).format(0);
