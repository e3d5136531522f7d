// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// used.fuel: null
1;
