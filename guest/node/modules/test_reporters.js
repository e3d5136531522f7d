// SPDX-License-Identifier: Apache-2.0
const absent = (name) => () => { throw Object.assign(new Error(`test/reporters.${name} is not here: node:test reports as TAP here`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }); };
module.exports = Object.fromEntries(['dot', 'junit', 'lcov', 'spec', 'tap'].map((name) => [name, absent(name)]));
