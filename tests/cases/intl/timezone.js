// SPDX-License-Identifier: Apache-2.0
// args: --timezone America/New_York
// outcome: ok
// value: []
// Local time uses the zone, with its summer time, even in distant years. The results are those of Node 20 with TZ set.
const expected = [
	["new Date(0).getHours()", 19],
	["new Date(2024, 6, 1).toISOString()", "2024-07-01T04:00:00.000Z"],
	["new Date(2024, 0, 1).toISOString()", "2024-01-01T05:00:00.000Z"],
	["String(new Date(2024, 6, 1, 12))", "Mon Jul 01 2024 12:00:00 GMT-0400 (Eastern Daylight Time)"],
	["String(new Date(2024, 0, 1, 12))", "Mon Jan 01 2024 12:00:00 GMT-0500 (Eastern Standard Time)"],
	["new Date(2024, 2, 10, 2, 30).toISOString()", "2024-03-10T07:30:00.000Z"],
	["new Date(2024, 10, 3, 1, 30).toISOString()", "2024-11-03T05:30:00.000Z"],
	["new Date(2150, 6, 1).getTimezoneOffset()", 240],
	["new Date(2150, 0, 1).getTimezoneOffset()", 300],
	["new Date(1950, 6, 1).getTimezoneOffset()", 240],
	["new Date('2024-07-01T12:00').toISOString()", "2024-07-01T16:00:00.000Z"],
	["new Date('2024-07-01').toISOString()", "2024-07-01T00:00:00.000Z"],
	["Date.parse(String(new Date(1720000000000)))", 1720000000000],
	["new Intl.DateTimeFormat().resolvedOptions().timeZone", "America/New_York"],
	["new Date(0).toLocaleString()", "12/31/1969, 7:00:00 PM"],
	["new Date(0).toLocaleString('en-US', { timeZone: 'UTC' })", "1/1/1970, 12:00:00 AM"],
	["new Date(NaN).getHours()", NaN],
	["(d => (d.setHours(0, 0, 0, 0), d.toISOString()))(new Date(Date.UTC(2024, 6, 1)))", "2024-06-30T04:00:00.000Z"],
	["new Date(0).toDateString()", "Wed Dec 31 1969"],
];
expected.filter(([source, answer]) => !Object.is((0, eval)(source), answer)).map(([source]) => [source, (0, eval)(source)]);
