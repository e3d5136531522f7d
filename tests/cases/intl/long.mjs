// SPDX-License-Identifier: Apache-2.0
// The time for segments and lists grows with the length; it grew with its square, to minutes.
// args: --cpu 60s --timeout 5m
// outcome: ok
// value: [[130000,50000,10000],[35000,25000,5000],[10003,5004,1],[70000,4,129999],[69998,0,129999],[69992,0,129987],240002]
// limit: 330
const texts = ['Hello world. '.repeat(10000), 'One 👍🏽. '.repeat(5000), 'a.' + ' '.repeat(5000) + '\u0301'.repeat(5000) + '🇩🇪'.repeat(5000) + '👩\u200d'.repeat(5000)];
const kinds = ['grapheme', 'word', 'sentence'];
const counts = texts.map((text) => kinds.map((granularity) => [...new Intl.Segmenter('en', { granularity }).segment(text)].length));
const places = kinds.map((granularity) => {
	const segments = new Intl.Segmenter('en', { granularity }).segment(texts[0]);
	return [70000, 4, 129999].map((place) => segments.containing(place).index);
});
export default [...counts, ...places, new Intl.ListFormat('en').format(Array.from({ length: 40000 }, () => 'word')).length];
