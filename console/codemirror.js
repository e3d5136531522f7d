// SPDX-License-Identifier: Apache-2.0
// The parts of CodeMirror that the console uses. console/build bundles this into one file, codemirror.js, which
// web/editor.js imports. No other file of the console uses CodeMirror.

export { EditorState, Compartment, StateEffect, StateField } from '@codemirror/state';
export {
	EditorView,
	Decoration,
	WidgetType,
	keymap,
	lineNumbers,
	highlightActiveLine,
	highlightActiveLineGutter,
	highlightSpecialChars,
	drawSelection,
	dropCursor,
	gutterLineClass,
	GutterMarker,
} from '@codemirror/view';
export { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
export { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting, HighlightStyle } from '@codemirror/language';
export { javascriptLanguage, typescriptLanguage } from '@codemirror/lang-javascript';
export { wastLanguage } from '@codemirror/lang-wast';
export { search, searchKeymap, highlightSelectionMatches } from '@codemirror/search';
export { tags } from '@lezer/highlight';
