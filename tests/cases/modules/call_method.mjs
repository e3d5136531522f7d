// SPDX-License-Identifier: Apache-2.0
// --call finds a method of the default export, as handlers of other systems have.
// args: --call fetch --params [2]
// outcome: ok
// value: [2,"this"]
export default { of: 'this', async fetch(request) { return [request, this.of]; } };
