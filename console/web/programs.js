// SPDX-License-Identifier: Apache-2.0
// Stored programs: lists them, stores the editor's text or a file under a name, runs and deletes them.

import { deleteProgram, listPrograms, putProgram } from './api.js';
import { announce, find, make, setText } from './dom.js';

const LANGUAGES = ['js', 'mjs', 'ts', 'mts', 'wasm', 'wat', 'tar'];
const EXPORTS_MAX = 12;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The first of a program's exports, by name and type. */
function describeExports(exports) {
	const texts = exports
		.slice(0, EXPORTS_MAX)
		.map(({ name, kind, type }) =>
			kind === 'function' && type
				? `${name} ${type.replace(/^func/, '')}`
				: kind === 'value'
					? name
					: `${name} (${kind})`,
		);
	const more = exports.length - texts.length;
	return `exports ${texts.join(' · ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The view of the programs. */
export class Programs {
	/** @param {{run: (name: string) => void, text: () => {text: string, lang: string}}} actions */
	constructor(actions) {
		this.actions = actions;
		this.name = find('program-name');
		this.file = find('program-file');
		find('program-form').addEventListener('submit', event => {
			event.preventDefault();
			this.#store(event.submitter?.value === 'file');
		});
		this.file.addEventListener('change', () => {
			this.name.value ||= this.file.files[0]?.name ?? '';
		});
	}

	#say(text, isBad = false) {
		setText(find('program-status'), text);
		find('program-status').classList.toggle('bad', isBad);
	}

	async #store(isFile) {
		const file = this.file.files[0];
		const { text, lang } = this.actions.text();
		const name = this.name.value.trim();
		if (!NAME.test(name)) return this.#say('A name is letters, digits, dots, dashes and underscores.', true);
		if (isFile && !file) return this.#say('Choose a file first.', true);
		const suffix = isFile ? file.name.split('.').at(-1) : lang;
		try {
			const stored = await putProgram(name, isFile ? file : text, LANGUAGES.includes(suffix) ? suffix : null);
			this.#say(`Stored ${stored.name}, ${stored.kind}.`);
			await this.load();
		} catch (error) {
			this.#say(error.message, true);
		}
	}

	async #delete(name, button) {
		// Delete only at the second press.
		if (button.dataset.asked === undefined) {
			button.dataset.asked = '';
			button.textContent = 'Really delete?';
			announce(`Press again to delete ${name}`);
			setTimeout(() => {
				delete button.dataset.asked;
				button.textContent = 'Delete';
			}, 4000);
			return;
		}
		try {
			await deleteProgram(name);
			this.#say(`Deleted ${name}.`);
			await this.load();
		} catch (error) {
			this.#say(error.message, true);
		}
	}

	/** Requests the list. */
	async load() {
		try {
			const programs = await listPrograms();
			find('program-empty').hidden = programs.length > 0;
			find('program-names').replaceChildren(...programs.map(({ name }) => make('option', { value: name })));
			find('program-list').replaceChildren(...programs.map(program => this.#makeItem(program)));
		} catch (error) {
			this.#say(error.message, true);
		}
	}

	#makeItem({ name, kind, sha256, exports }) {
		const start = make('button', { type: 'button', text: 'Run', 'aria-label': `Run ${name}` });
		start.addEventListener('click', () => this.actions.run(name));
		const remove = make('button', { type: 'button', class: 'quiet', text: 'Delete', 'aria-label': `Delete ${name}` });
		remove.addEventListener('click', () => this.#delete(name, remove));
		return make(
			'li',
			{ class: 'program', data: { name } },
			make('h3', { text: name }),
			make(
				'p',
				{ class: 'program-facts' },
				make('span', { text: kind ?? '' }),
				make('code', { text: (sha256 ?? '').slice(0, 12), title: sha256 }),
				exports?.length > 0 ? make('span', { class: 'program-exports', text: describeExports(exports) }) : null,
			),
			make('div', { class: 'actions' }, start, remove),
		);
	}
}
