// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: TypeError
// error.message: by name
// A name that a program has set on an error is kept, whatever its class.
class Refusal extends Error {}
throw Object.assign(new Refusal('by name'), { name: 'TypeError' });
