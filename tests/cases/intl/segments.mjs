// SPDX-License-Identifier: Apache-2.0
// Segments are those of Node 20, and for long texts the time grows linearly with the length.
// args: --timeout 60s
// outcome: ok
// value: ["H|e|l|l|o|,| |w|o|r|l|d|!| |I|t| |i|s| |3|.|5| |k|m|.","é|a|\r\n|b","👨‍👩‍👧|🇩🇪|🇫🇷|x","न|म|स्ते","한|국|어","Hello|,| |world|!| |It| |is| |3.5| |km|.","éa|\r\n|b","👨‍👩‍👧|🇩🇪|🇫🇷|x","नमस्ते","한국어","He left. |Did he? |Yes!",6150,2950]
const texts = ['Hello, world! It is 3.5 km.', 'e\u0301a\r\nb', '👨‍👩‍👧🇩🇪🇫🇷x', 'नमस्ते', '한국어'];
const show = (granularity, text) => [...new Intl.Segmenter('en', { granularity }).segment(text)].map(({ segment }) => segment).join('|');
const long = 'One word more. '.repeat(400) + '👍🏽'.repeat(150);
export default [...texts.map((text) => show('grapheme', text)), ...texts.map((text) => show('word', text)), show('sentence', 'He left. Did he? Yes!'),
	...['grapheme', 'word'].map((granularity) => [...new Intl.Segmenter('en', { granularity }).segment(long)].length)];
