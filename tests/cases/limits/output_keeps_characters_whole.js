// SPDX-License-Identifier: Apache-2.0
// args: --output 4
// outcome: output
// stdout~: ^é(\ufffd|�)?$|^éé$|^é$
for (;;) console.log('ééé');
