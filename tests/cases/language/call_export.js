// SPDX-License-Identifier: Apache-2.0
// args: --call twice --params '[4]'
// outcome: ok
// value: 8
export const twice = x => 2 * x;
export default () => 'not this one';
