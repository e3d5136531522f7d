// SPDX-License-Identifier: Apache-2.0
// args: --deterministic --fuel 1G
// outcome: threw
// run: twice
throw new Error('random ' + Math.random());
