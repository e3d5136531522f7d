// SPDX-License-Identifier: Apache-2.0
// args: --cpu 100ms
// outcome: ok
// value: "waited"
// used.wall_us: >= 299000
new Promise(go => setTimeout(go, 300, 'waited'));
