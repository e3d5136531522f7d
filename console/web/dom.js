// SPDX-License-Identifier: Apache-2.0
// Making and finding elements. Text is always set as text: nothing a program wrote is ever read as markup.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. Properties that begin with "on" are listeners; `class`, `text` and `data` are what they say; the
 * rest are attributes, left out when null, undefined or false.
 * @param {string} tag
 * @param {object} [properties]
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
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

/**
 * @param {Element} element
 * @param {string} name
 * @param {string|number|boolean|null|undefined} value null, undefined or false: without the attribute
 */
export function setAttribute(element, name, value) {
	const text = value === true ? '' : value === null || value === undefined || value === false ? null : String(value);
	if (text === null) element.removeAttribute(name);
	else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * Sets the text of an element, and touches the document only if it is another.
 * @param {Element} element
 * @param {string} text
 */
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

/**
 * One of the symbols at the top of index.html; decoration only, a word always stands beside it.
 * @param {string} name
 * @returns {SVGElement}
 */
export function makeIcon(name) {
	const use = makeSvg('use', { href: `#icon-${name}` });
	return makeSvg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, use);
}

let pending = [];

/**
 * Tells readers of the screen something; several at once are told together.
 * @param {string} text
 */
export function announce(text) {
	pending.push(text);
	if (pending.length === 1) {
		setTimeout(() => {
			find('announcements').textContent = pending.join('. ');
			pending = [];
		}, 100);
	}
}

/**
 * @param {string} key
 * @returns {any} what was kept for this tab, or null
 */
export function recall(key) {
	try {
		return JSON.parse(sessionStorage.getItem(`curfew.${key}`));
	} catch {
		return null;
	}
}

/**
 * Keeps a value for this tab, through reloads; null removes it. A full store forgets.
 * @param {string} key
 * @param {any} value
 */
export function keep(key, value) {
	try {
		if (value === null) sessionStorage.removeItem(`curfew.${key}`);
		else sessionStorage.setItem(`curfew.${key}`, JSON.stringify(value));
	} catch {
		// Nothing depends on it.
	}
}
