// SPDX-License-Identifier: Apache-2.0
const { constants: { dlopen, errno, priority, signals } } = require('os');
module.exports = { ...dlopen, ...errno, ...priority, ...signals, ...require('fs').constants, ...require('crypto').constants };
