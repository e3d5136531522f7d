// SPDX-License-Identifier: Apache-2.0
// The editor where CodeMirror was not to be had when the console was built: a plain text area, in place of web/editor.js
// and with the same members. What is said of a line stands in a bar above the text.

import { keep, make, recall } from './dom.js';

const style = new CSSStyleSheet();
style.replaceSync(`
	.box { display: flex; flex-direction: column; height: 100%; }
	textarea { flex: 1; box-sizing: border-box; width: 100%; padding: 8px 12px; border: none; resize: none; tab-size: 4; white-space: pre;
		color: var(--text); background: var(--surface); font: var(--code-size)/1.5 var(--mono); }
	textarea:focus { outline: 2px solid var(--focus); outline-offset: -2px; }
	.mark { padding: 4px 12px; color: var(--mark); background: var(--mark-background); box-shadow: inset 3px 0 0 var(--mark); font: 0.92em var(--sans); }
`);

/** The editor; tells 'change' when the user has changed the text. */
export class Editor extends EventTarget {
	/**
	 * @param {HTMLElement} host
	 * @param {{run: () => void}} actions
	 */
	constructor(host, { run }) {
		super();
		this.document = null;
		const root = host.attachShadow({ mode: 'open', delegatesFocus: true });
		root.adoptedStyleSheets = [style];
		this.area = make('textarea', {
			'aria-label': 'Text of the program',
			spellcheck: 'false',
			autocapitalize: 'off',
			autocomplete: 'off',
			wrap: 'off',
			oninput: () => this.#changed(),
			onkeydown: event => {
				if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
				event.preventDefault();
				run();
			},
		});
		this.shown = make('div', { class: 'mark', role: 'status', hidden: true });
		root.append(make('div', { class: 'box' }, this.shown, this.area));
	}

	#changed() {
		const { id, source } = this.document;
		keep(`text.${id}`, this.text === source ? null : this.text);
		// The mark goes as soon as the text is changed: it would no longer be the one that ran.
		this.mark(null);
		this.dispatchEvent(new Event('change'));
	}

	get text() {
		return this.area.value;
	}

	get isEdited() {
		return this.document !== null && this.text !== this.document.source;
	}

	/**
	 * Shows a document, with the edits it was left with.
	 * @param {{id: string, source: string, lang: string}} shown
	 */
	open(shown) {
		this.document = shown;
		this.area.value = recall(`text.${shown.id}`) ?? shown.source;
		this.mark(null);
	}

	/** Takes the edits of the document back. */
	reset() {
		this.area.value = this.document.source;
		this.#changed();
	}

	/** @param {string} lang js or wat: all text looks alike here */
	setLanguage(lang) {
		this.area.dataset.language = lang;
	}

	/**
	 * Says something of a line; null takes it away.
	 * @param {{line: number, text: string}|null} mark
	 * @param {boolean} [reveal] scroll there
	 */
	mark(mark, reveal = false) {
		this.shown.hidden = mark === null;
		this.shown.textContent = mark === null ? '' : `line ${mark.line}: ${mark.text}`;
		if (mark !== null && reveal)
			this.area.scrollTop = Math.max(0, (mark.line - 5) * parseFloat(getComputedStyle(this.area).lineHeight));
	}

	focus() {
		this.area.focus();
	}
}
