// SPDX-License-Identifier: Apache-2.0
// The editor: CodeMirror in a shadow root, where it puts its styles into adopted style sheets, which the page's
// Content-Security-Policy allows without a nonce. The edits of each document are kept for this tab.

import {
	Compartment,
	Decoration,
	EditorState,
	EditorView,
	GutterMarker,
	HighlightStyle,
	StateEffect,
	StateField,
	WidgetType,
	bracketMatching,
	defaultKeymap,
	drawSelection,
	dropCursor,
	gutterLineClass,
	highlightActiveLine,
	highlightActiveLineGutter,
	highlightSelectionMatches,
	highlightSpecialChars,
	history,
	historyKeymap,
	indentOnInput,
	indentUnit,
	indentWithTab,
	javascriptLanguage,
	keymap,
	lineNumbers,
	search,
	searchKeymap,
	syntaxHighlighting,
	tags,
	typescriptLanguage,
	wastLanguage,
} from './codemirror.js';
import { keep, make, recall } from './dom.js';

const theme = EditorView.theme({
	'&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: 'var(--code-size)' },
	'&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
	'.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto' },
	'.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
	'.cm-cursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
	'.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', border: 'none' },
	'.cm-lineNumbers .cm-gutterElement': { padding: '0 10px 0 12px', minWidth: '2.5em' },
	'.cm-activeLine': { backgroundColor: 'var(--line-active)' },
	'.cm-activeLineGutter': { backgroundColor: 'var(--line-active)', color: 'var(--text)' },
	'.cm-selectionBackground': { backgroundColor: 'var(--selection)' },
	'&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
	'.cm-selectionMatch': { backgroundColor: 'var(--selection)' },
	'&.cm-focused .cm-matchingBracket': { backgroundColor: 'transparent', outline: '1px solid var(--faint)' },
	'.cm-marked': { backgroundColor: 'var(--mark-background)', boxShadow: 'inset 3px 0 0 var(--mark)' },
	'.cm-gutterElement.cm-marked-gutter': { color: 'var(--mark)', fontWeight: '700' },
	'.cm-mark-text': { color: 'var(--mark)', marginLeft: '2em', font: 'italic 0.92em var(--sans)' },
	'.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', borderColor: 'var(--rule)' },
	'.cm-textfield, .cm-button': {
		background: 'var(--surface)',
		color: 'var(--text)',
		border: '1px solid var(--control)',
	},
	'.cm-searchMatch': { backgroundColor: 'var(--mark-background)' },
});

const colours = syntaxHighlighting(
	HighlightStyle.define([
		{ tag: tags.keyword, color: 'var(--code-keyword)' },
		{ tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
		{ tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
		{ tag: tags.comment, color: 'var(--code-comment)', fontStyle: 'italic' },
		{ tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'var(--code-function)' },
		{ tag: [tags.typeName, tags.className], color: 'var(--code-type)' },
		{ tag: tags.invalid, textDecoration: 'underline wavy' },
	]),
);

class MarkText extends WidgetType {
	constructor(text) {
		super();
		this.text = text;
	}

	eq(other) {
		return other.text === this.text;
	}

	toDOM() {
		return make('span', { class: 'cm-mark-text', text: `◂ ${this.text}` });
	}
}

const setMark = StateEffect.define();
const markLine = Decoration.line({ class: 'cm-marked', attributes: { 'data-marked': '' } });
const gutterMark = new (class extends GutterMarker {
	elementClass = 'cm-marked-gutter';
})();

const EMPTY = { lines: Decoration.none, gutter: Decoration.none };

// Remove the mark as soon as the text changes, because it is no longer the text that ran.
const markField = StateField.define({
	create: () => EMPTY,
	update(value, transaction) {
		for (const effect of transaction.effects) {
			if (effect.is(setMark)) return effect.value === null ? EMPTY : markOf(transaction.state, effect.value);
		}
		return transaction.docChanged ? EMPTY : value;
	},
	provide: field => [
		EditorView.decorations.from(field, value => value.lines),
		gutterLineClass.from(field, value => value.gutter),
	],
});

function markOf(state, { line, text }) {
	if (line < 1 || line > state.doc.lines) return EMPTY;
	const { from, to } = state.doc.line(line);
	const widget = Decoration.widget({ widget: new MarkText(text), side: 1 });
	return {
		lines: Decoration.set([markLine.range(from), widget.range(to)]),
		gutter: Decoration.none.update({ add: [gutterMark.range(from)] }),
	};
}

/** The editor. Dispatches 'change' when the user has changed the text. */
export class Editor extends EventTarget {
	/**
	 * @param {HTMLElement} host
	 * @param {{run: () => void}} actions
	 */
	constructor(host, { run }) {
		super();
		this.language = new Compartment();
		this.document = null;
		const root = host.attachShadow({ mode: 'open', delegatesFocus: true });
		const box = make('div', { part: 'box' });
		root.append(box);
		this.extensions = [
			lineNumbers(),
			highlightActiveLineGutter(),
			highlightSpecialChars(),
			history(),
			drawSelection(),
			dropCursor(),
			EditorState.allowMultipleSelections.of(true),
			indentOnInput(),
			bracketMatching(),
			highlightActiveLine(),
			highlightSelectionMatches(),
			search({ top: true }),
			indentUnit.of('\t'),
			EditorState.tabSize.of(4),
			keymap.of([
				{
					key: 'Mod-Enter',
					run: () => {
						run();
						return true;
					},
				},
				...defaultKeymap,
				...searchKeymap,
				...historyKeymap,
				indentWithTab,
			]),
			EditorView.contentAttributes.of({
				'aria-label': 'Text of the program',
				'aria-description': 'Tab indents; Escape, then Tab leaves the editor',
			}),
			EditorView.updateListener.of(update => update.docChanged && this.#changed()),
			this.language.of([]),
			markField,
			theme,
			colours,
		];
		this.view = new EditorView({ parent: box, root, state: EditorState.create({ extensions: this.extensions }) });
	}

	#changed() {
		const { id, source } = this.document;
		keep(`text.${id}`, this.text === source ? null : this.text);
		this.dispatchEvent(new Event('change'));
	}

	get text() {
		return this.view.state.doc.toString();
	}

	get isEdited() {
		return this.document !== null && this.text !== this.document.source;
	}

	/** Shows a document, with the user's last edits. */
	open(shown) {
		this.document = shown;
		const doc = recall(`text.${shown.id}`) ?? shown.source;
		this.view.setState(EditorState.create({ doc, extensions: this.extensions }));
		this.setLanguage(shown.lang);
	}

	/** Drops the edits of the document. Undo restores them. */
	reset() {
		this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: this.document.source } });
	}

	/** @param {string} lang js, mjs, ts, mts or wat */
	setLanguage(lang) {
		const languages = { wat: wastLanguage, ts: typescriptLanguage, mts: typescriptLanguage };
		this.view.dispatch({ effects: this.language.reconfigure(languages[lang] ?? javascriptLanguage) });
	}

	/**
	 * Marks a line and says why beside it; null takes the mark away.
	 * @param {{line: number, text: string}|null} mark
	 * @param {boolean} [reveal] scroll there
	 */
	mark(mark, reveal = false) {
		const effects = [setMark.of(mark)];
		if (mark && reveal && mark.line <= this.view.state.doc.lines)
			effects.push(EditorView.scrollIntoView(this.view.state.doc.line(mark.line).from, { y: 'center' }));
		this.view.dispatch({ effects });
	}

	focus() {
		this.view.focus();
	}
}
