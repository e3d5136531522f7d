// SPDX-License-Identifier: Apache-2.0
// Keeps a program's state between cells.
import * as curfew from 'curfew';

const session = curfew.program('').session();
for (const cell of ['const rows = [3, 1, 2]', 'rows.sort(); rows.length', 'rows.map((x) => x * 10)'])
	console.log((await session.eval(cell)).value);
