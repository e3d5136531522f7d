// SPDX-License-Identifier: Apache-2.0
const { constants } = require('os');
module.exports = { ...constants.errno, ...constants.signals };
