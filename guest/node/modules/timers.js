// SPDX-License-Identifier: Apache-2.0
module.exports = { ...binding.timers, promises: require('timers/promises') };
