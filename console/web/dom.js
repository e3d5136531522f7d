// SPDX-License-Identifier: Apache-2.0
// Creates and finds elements. Text is always set as text, so that nothing that a program wrote is parsed as markup.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Creates an element. Properties whose names begin with "on" are listeners. `class`, `text` and `data` set these. The
 * others are attributes, which are left out if they are null, undefined or false.
 */
export function make(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
		else if (name === 'text') element.textContent = value;
		else if (name === 'data') Object.assign(element.dataset, value);
		else setAttribute(element, name, value);
	}
	element.append(...children.filter(child => child !== null));
	return element;
}

/** @param {string|number|boolean|null|undefined} value null, undefined or false removes the attribute */
export function setAttribute(element, name, value) {
	const text = value === true ? '' : value === null || value === undefined || value === false ? null : String(value);
	if (text === null) element.removeAttribute(name);
	else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Sets the text of an element, if it differs. */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/**
 * The element of the page with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function find(id) {
	return document.getElementById(id);
}

/**
 * @param {string} tag
 * @param {object} [attributes]
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function makeSvg(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	element.append(...children);
	return element;
}

/** One of the symbols at the top of index.html. It is only decoration: a word always accompanies it. */
export function makeIcon(name) {
	const use = makeSvg('use', { href: `#icon-${name}` });
	return makeSvg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, use);
}

let pending = [];

/** Announces a text to screen readers. Several announcements at once are joined. */
export function announce(text) {
	pending.push(text);
	if (pending.length === 1) {
		setTimeout(() => {
			find('announcements').textContent = pending.join('. ');
			pending = [];
		}, 100);
	}
}

/** @returns {any} the value kept for this tab, or null */
export function recall(key) {
	try {
		return JSON.parse(sessionStorage.getItem(`curfew.${key}`));
	} catch {
		return null;
	}
}

/** Keeps a value for this tab across reloads. null removes it. If the storage is full, the value is lost. */
export function keep(key, value) {
	try {
		if (value === null) sessionStorage.removeItem(`curfew.${key}`);
		else sessionStorage.setItem(`curfew.${key}`, JSON.stringify(value));
	} catch {
		// The value is not essential.
	}
}
