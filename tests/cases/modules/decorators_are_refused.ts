// SPDX-License-Identifier: Apache-2.0
// outcome: bad_program
// error.name: SyntaxError
// error.message: decorators need code to be generated: call the function that decorates instead
// frames: * decorators_are_refused.ts:7:11
function log(target: any) { return target; }
class A { @log method(): void {} }
