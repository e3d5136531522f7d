// SPDX-License-Identifier: Apache-2.0
// The editor of a console that was built without CodeMirror: a plain text area. It replaces web/editor.js and has the
// same members. A bar above the text shows the message about a line.

import { keep, make, recall } from './dom.js';

const style = new CSSStyleSheet();
style.replaceSync(`
	.box { display: flex; flex-direction: column; height: 100%; }
	textarea { flex: 1; box-sizing: border-box; width: 100%; padding: 8px 12px; border: none; resize: none; tab-size: 4; white-space: pre;
		color: var(--text); background: var(--surface); font: var(--code-size)/1.5 var(--mono); }
	textarea:focus { outline: 2px solid var(--focus); outline-offset: -2px; }
	.mark { padding: 4px 12px; color: var(--mark); background: var(--mark-background); box-shadow: inset 3px 0 0 var(--mark); font: 0.92em var(--sans); }
`);

/** The editor. Dispatches 'change' when the user has changed the text. */
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
		// Remove the mark as soon as the text changes, because it is no longer the text that ran.
		this.mark(null);
		this.dispatchEvent(new Event('change'));
	}

	get text() {
		return this.area.value;
	}

	get isEdited() {
		return this.document !== null && this.text !== this.document.source;
	}

	/** Shows a document, with the user's last edits. */
	open(shown) {
		this.document = shown;
		this.area.value = recall(`text.${shown.id}`) ?? shown.source;
		this.mark(null);
	}

	/** Drops the edits of the document. */
	reset() {
		this.area.value = this.document.source;
		this.#changed();
	}

	/** @param {string} lang js or wat; the text is not highlighted */
	setLanguage(lang) {
		this.area.dataset.language = lang;
	}

	/** Shows a message about a line. null removes it. */
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
