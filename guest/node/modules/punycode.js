// SPDX-License-Identifier: Apache-2.0
module.exports = require('../node_modules/punycode/punycode.js');
