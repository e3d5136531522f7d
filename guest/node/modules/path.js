// SPDX-License-Identifier: Apache-2.0
const path = require('../node_modules/path-browserify/index.js');

path.posix = path;
path.win32 ??= Object.assign({}, path, { sep: '\\', delimiter: ';' });
path.toNamespacedPath ??= (name) => name;
module.exports = path;
