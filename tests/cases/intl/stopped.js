// SPDX-License-Identifier: Apache-2.0
// args: --timeout 300ms
// outcome: deadline
// Intl's computations run in the guest, so they are stopped like the program itself.
for (;;)
	new Intl.DateTimeFormat('de', { dateStyle: 'full', timeStyle: 'full', timeZone: 'Europe/Berlin' }).format(0);
