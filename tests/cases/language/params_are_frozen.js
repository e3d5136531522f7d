// SPDX-License-Identifier: Apache-2.0
// args: --params '[{"a":[1]}]'
// outcome: ok
// value: [true,true,true,[{"a":[1]}]]
[Object.isFrozen(curfew.params), Object.isFrozen(curfew.params[0]), Object.isFrozen(curfew.params[0].a), curfew.params];
