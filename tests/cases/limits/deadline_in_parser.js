// SPDX-License-Identifier: Apache-2.0
// The deadline includes parsing.
// args: --timeout 150ms --memory 1GiB
// outcome: deadline
const text = 'a'.repeat(1e6).replaceAll('a', 'x=x+1;');
for (;;) new Function(text);
