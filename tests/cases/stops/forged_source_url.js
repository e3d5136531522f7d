// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: hot *:1:* | ...
eval('(function hot() { for (;;); })() //# sourceURL=forged.js');
