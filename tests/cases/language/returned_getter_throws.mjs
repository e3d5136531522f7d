// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: TypeError
// error.message: the value has no JSON at .list[0].lazy: boom
// error.cause.name: RangeError
// error.cause.message: boom
export default () => ({ list: [{ get lazy() { throw new RangeError('boom') } }] });
