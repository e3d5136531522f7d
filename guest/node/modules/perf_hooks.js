// SPDX-License-Identifier: Apache-2.0
module.exports = { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, constants: {},
	PerformanceObserver: class PerformanceObserver { observe() {} disconnect() {} takeRecords() { return []; } },
	monitorEventLoopDelay: () => ({ enable() {}, disable() {}, min: 0, max: 0, mean: 0, percentile: () => 0 }), eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }) };
