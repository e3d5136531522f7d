// SPDX-License-Identifier: Apache-2.0
const { setTimeout, clearTimeout } = binding.timers;

// Timers of objects that have a method _onTimeout, as older packages use them.
const enroll = (item, delay) => { item._idleTimeout = delay; };
const unenroll = (item) => {
	clearTimeout(item._timer);
	item._timer = undefined;
	item._idleTimeout = -1;
};
const active = (item) => {
	clearTimeout(item._timer);
	if (item._idleTimeout >= 0)
		item._timer = setTimeout(() => item._onTimeout?.(), item._idleTimeout);
};
module.exports = { ...binding.timers, promises: require('timers/promises'), enroll, unenroll, active, _unrefActive: active };
