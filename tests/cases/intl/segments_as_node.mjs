// SPDX-License-Identifier: Apache-2.0
// Words and sentences are those of Node 20, and so is what counts as a word (marked "*").
// args: --timeout 60s
// outcome: ok
// value: [["don't*| |3.5*| |km*","foo*|@|bar.com*| |12*|:|30*| |$|5.00*| |50*|%","a\u0301\u200d.b*| |1\ufe0f;0*","\u2460| |\u0663*| \u0301| |\u2167*","l'homme*| |aujourd'hui*","\u05e9\u05dc\u05d5\u05dd*| |\u05e2\"\u05d3*","\ud83c\udde9\ud83c\uddea|\ud83c\uddeb\ud83c\uddf7|\ud83c\uddee| |\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67| |x*","\u30ab\u30bf\u30ab\u30ca*","a*|\r\n|b*|\t|\u2028|c*"],["Mr. |Smith came. |Dr. |No?","etc. (and so on) more. z.B. das.","3.14 is. |\"Quote.\" |He said \"Go!\" |She went.","!\u0301)|% Yes. |\u201cNo\u0301.\u201d\u0301 |A","one\n|two\r\n|three","A.B.C. |D"]]
const texts = {
 word: ["don't 3.5 km", "foo@bar.com 12:30 $5.00 50%", "a\u0301\u200d.b 1\ufe0f;0", "① ٣ \u0301 Ⅷ", "l'homme aujourd'hui", 'שלום ע"ד', '🇩🇪🇫🇷🇮 👨‍👩‍👧 x', 'カタカナ', 'a\r\nb\t\u2028c'],
 sentence: ['Mr. Smith came. Dr. No?', 'etc. (and so on) more. z.B. das.', '3.14 is. "Quote." He said "Go!" She went.', '!\u0301)% Yes. \u201cNo\u0301.\u201d\u0301 A', 'one\ntwo\r\nthree', 'A.B.C. D'],
};
// What contains a place is the segment that the iteration finds there.
const joined = ['a🏽🇩🇪🇫x. B', 'one.' + ' '.repeat(300) + 'Two', '\n\u200da b', 'x' + '🇩🇪'.repeat(200)];
for (const granularity of ['grapheme', 'word', 'sentence']) {
	for (const text of joined) {
		const segments = new Intl.Segmenter('en', { granularity }).segment(text);
		for (const { segment, index } of segments) {
			for (const place of [index, index + segment.length - 1])
				if (segments.containing(place).index !== index) throw new Error(`${granularity} ${place}`);
		}
	}
}
export default Object.entries(texts).map(([granularity, list]) => {
	const segmenter = new Intl.Segmenter(granularity === 'word' ? 'en' : 'de', { granularity });
	return list.map((text) => [...segmenter.segment(text)].map(({ segment, isWordLike }) => segment + (isWordLike ? '*' : '')).join('|'));
});
