// SPDX-License-Identifier: Apache-2.0
// The limits and options beside the editor. They are read, checked before anything is sent, and marked if they are
// wrong.

import { find, keep, make, recall, setAttribute } from './dom.js';

const DURATION = /^(\d+(\.\d+)?)(ns|us|ms|s|m|h)$/;
const SIZE = /^(\d+(\.\d+)?)(B|K|M|G|KiB|MiB|GiB)?$/;
const COUNT = /^(\d+(\.\d+)?)(k|M|G)?$/;

const DURATION_HINT = 'a number with a unit: 250ms, 5s, 2m';
const SIZE_HINT = 'bytes, or KiB, MiB, GiB';
const COUNT_HINT = 'a number; k, M, G are allowed';

// key: the name of the flag and of the limit in the API; usual: the meaning of an empty field.
const FIELDS = [
	{ key: 'timeout', label: 'Deadline', usual: '10s', pattern: DURATION, hint: DURATION_HINT, unlimited: true },
	{ key: 'memory', label: 'Memory', usual: '64MiB', pattern: SIZE, hint: SIZE_HINT },
	{ key: 'fuel', label: 'Fuel', usual: 'unlimited', pattern: COUNT, hint: COUNT_HINT, unlimited: true },
	{ key: 'loops', label: 'Loops', usual: 'unlimited', pattern: COUNT, hint: COUNT_HINT, unlimited: true },
	{ key: 'cpu', label: 'CPU time', usual: 'unlimited', pattern: DURATION, hint: DURATION_HINT, unlimited: true },
	{ key: 'grace', label: 'Grace', usual: '0ms', pattern: DURATION, hint: DURATION_HINT },
	{ key: 'output', label: 'Output', usual: '1MiB', pattern: SIZE, hint: SIZE_HINT },
	{ key: 'stack', label: 'Stack', usual: '1MiB', pattern: SIZE, hint: SIZE_HINT },
	{ key: 'host_calls', label: 'Host calls', usual: '1000', pattern: COUNT, hint: COUNT_HINT, unlimited: true },
	{ key: 'timers', label: 'Timers', usual: '1000', pattern: COUNT, hint: COUNT_HINT, unlimited: true },
];

const OPTIONS = [
	{ key: 'delay', label: 'Start after', usual: 'at once', pattern: DURATION, hint: DURATION_HINT },
	{ key: 'call', label: 'Call', usual: 'nothing named', pattern: /\S/, hint: 'the name of a function' },
	{ key: 'params', label: 'Parameters', usual: '[]', pattern: /^\s*\[[^]*\]\s*$/, hint: 'a JSON array' },
	{ key: 'user', label: 'User', usual: 'none', pattern: /\S/, hint: 'an id' },
];

/** The form of limits and options. Dispatches 'change' when the user has changed a field. */
export class LimitsForm extends EventTarget {
	constructor() {
		super();
		this.inputs = new Map();
		this.#fill(find('limit-fields'), FIELDS);
		this.#fill(find('option-fields'), OPTIONS);
		const kept = recall('limits') ?? {};
		for (const [key, input] of this.inputs) input.value = kept[key] ?? '';
	}

	#fill(box, fields) {
		for (const { key, label, usual, hint } of fields) {
			const input = make('input', {
				id: `field-${key}`,
				type: 'text',
				placeholder: usual,
				autocomplete: 'off',
				spellcheck: 'false',
				autocapitalize: 'off',
				oninput: () => {
					this.complain(key, null);
					this.#keep();
				},
			});
			this.inputs.set(key, input);
			const name = make('label', { for: input.id, text: label, title: hint });
			box.append(make('div', { class: 'field' }, name, input));
		}
	}

	#keep() {
		const values = [...this.inputs].map(([key, input]) => [key, input.value]);
		keep('limits', Object.fromEntries(values.filter(([, value]) => value)));
		this.dispatchEvent(new Event('change'));
	}

	/** @returns {{deadline: string, delay: string}} what is set, as text */
	describe() {
		const read = key => this.inputs.get(key).value.trim();
		const timeout = read('timeout') || '10\u00a0s';
		return { deadline: timeout === 'unlimited' ? 'no deadline' : `deadline ${timeout}`, delay: read('delay') };
	}

	/** Shows what is wrong with a field. null: nothing is wrong. */
	complain(key, message) {
		const input = this.inputs.get(key);
		if (!input) return false;
		const id = `${input.id}-error`;
		find(id)?.remove();
		setAttribute(input, 'aria-invalid', message ? 'true' : null);
		setAttribute(input, 'aria-describedby', message ? id : null);
		if (message) {
			input.after(make('p', { id, class: 'field-error', text: message }));
			input.closest('details')?.setAttribute('open', '');
			input.focus();
		}
		return true;
	}

	#read(fields) {
		const values = {};
		for (const { key, label, pattern, hint, unlimited } of fields) {
			const text = this.inputs.get(key).value.trim();
			const isRight = text === '' || pattern.test(text) || (unlimited && text === 'unlimited');
			this.complain(key, isRight ? null : `${label}: ${hint}${unlimited ? ', or unlimited' : ''}`);
			if (!isRight) return null;
			if (text !== '') values[key] = text;
		}
		return values;
	}

	/** Reads the fields to send for a run: its limits, and options such as call and params. */
	read() {
		const limits = this.#read(FIELDS),
			options = this.#read(OPTIONS);
		if (!limits || !options) return null;
		if (options.params !== undefined) {
			try {
				options.params = JSON.parse(options.params);
			} catch (error) {
				this.complain('params', `Parameters: ${error.message}`);
				return null;
			}
		}
		return { ...options, limits };
	}
}
