// SPDX-License-Identifier: Apache-2.0
module.exports = require('../node_modules/string_decoder/lib/string_decoder.js');
