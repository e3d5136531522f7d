// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Refusal
// error.message: not today
// error.cause.name: Reason
// error.errors: null
// A class of the program's that extends one of the language's and sets no name is shown by its own.
class Reason extends RangeError {}
class Refusal extends TypeError {}
throw new Refusal('not today', { cause: new Reason('late') });
