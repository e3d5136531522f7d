// SPDX-License-Identifier: Apache-2.0
// Connects the parts of the page: views, buttons, keys, cards, and the token.

import { access, getMetrics, getToken, setToken } from './api.js';
import { loadCalibration, setUpCalibration } from './calibration.js';
import { RunCard, isOwnFrame, tellResult } from './card.js';
import { announce, find, keep, make, recall, setText } from './dom.js';
import { Editor } from './editor.js';
import { examples, tenSeconds } from './examples.js';
import { describeState, wordOf } from './format.js';
import { History } from './history.js';
import { LimitsForm } from './limits.js';
import { Machine } from './machine.js';
import { Programs } from './programs.js';
import { Runs } from './runs.js';

const DISCOVER_EVERY = 1500;
const VIEWS = ['run', 'history', 'programs', 'machine'];

const runs = new Runs();
const cards = new Map();
const limits = new LimitsForm();
const machine = new Machine();
const editor = new Editor(find('editor'), { run: () => runEditor() });
const history = new History({ open: openFromHistory });
const programs = new Programs({ run: runProgram, text: () => ({ text: editor.text, lang: find('language').value }) });

// ---- Editor ---------------------------------------------------------------------------------------------------------

const scratch = { id: 'scratch', name: 'My own program', lang: 'js', source: '' };
const documents = [...examples, scratch];

function openDocument(shown) {
	editor.open(shown);
	find('example').value = documents.includes(shown) ? shown.id : '';
	find('language').value = shown.lang;
	keep('document', documents.includes(shown) ? shown.id : null);
	showEdited();
}

function showEdited() {
	find('reset').hidden = !editor.isEdited || editor.document.source === '';
	showWhatRuns();
}

/** Shows on the Run button what it will run. */
function showWhatRuns() {
	const { name, deadline, delay } = { name: editor.document?.name ?? '', ...limits.describe() };
	setText(find('start-note'), `${name} · ${delay ? `starts after ${delay} · ` : ''}${deadline}`);
}

function setUpEditor() {
	find('example').append(...documents.map(({ id, name }) => make('option', { value: id, text: name })));
	const list = find('example');
	list.addEventListener('change', () => openDocument(documents.find(({ id }) => id === list.value)));
	find('language').addEventListener('change', () => editor.setLanguage(find('language').value));
	find('reset').addEventListener('click', () => {
		editor.reset();
		editor.focus();
	});
	editor.addEventListener('change', showEdited);
	limits.addEventListener('change', showWhatRuns);
	openDocument(documents.find(({ id }) => id === recall('document')) ?? examples[0]);
}

/** Shows the program of a run in the editor, and marks the line where it was (or that of a frame). */
function showProgram(run, frame, reveal = true) {
	if (editor.text !== run.source) {
		const known = documents.find(({ source }) => source === run.source);
		if (known) keep(`text.${known.id}`, null);
		openDocument(known ?? { id: `run-${run.id}`, name: run.name, lang: run.language ?? 'js', source: run.source });
	}
	markLine(run, frame, reveal);
	if (reveal) find('editor').scrollIntoView({ block: 'nearest' });
}

function markLine(run, frame, reveal) {
	const top = run.report?.error?.stack.find(one => isOwnFrame(run.report, one));
	const shown = frame ?? top;
	if (!shown) return;
	const text = shown === top ? markText(run.report) : `called from here, in ${shown.function ?? 'the program'}`;
	find('editor').dataset.tone = describeState(run.state, run.outcome).tone;
	editor.mark({ line: shown.line, text }, reveal);
}

/** Marks where a run has ended, if its program is in the editor. */
function markEnd(run) {
	if (run.source !== null && run.source === editor.text) markLine(run, null, false);
}

function markText({ outcome, error }) {
	const isError = outcome === 'threw' || outcome === 'bad_program';
	return isError ? `${error.name}: ${error.message}` : `${wordOf(outcome)}: it was here`;
}

// ---- Starting -------------------------------------------------------------------------------------------------------

function tellProblem(error) {
	const field = error.pointer?.split('/').at(-1);
	// If a field is wrong, the message is shown beside that field.
	if (!field || !limits.complain(field, error.message.replace(`${error.pointer}: `, '')))
		setText(find('start-error'), error.message);
}

async function start(request, known, { focusCancel = false } = {}) {
	setText(find('start-error'), '');
	editor.mark(null);
	try {
		const run = await runs.start(request, known);
		announce(`Started ${known.name}`);
		if (!run.isOpen) markEnd(run);
		const card = cards.get(run.id);
		card.element.scrollIntoView({ block: 'nearest' });
		(focusCancel ? card.cancelButton : card.element).focus({ preventScroll: true });
	} catch (error) {
		tellProblem(error);
	}
}

function runEditor() {
	const options = limits.read();
	if (!options) return;
	const source = editor.text,
		language = find('language').value;
	start({ source, lang: language, ...options }, { name: editor.document.name, source, language });
}

function runProgram(name) {
	const options = limits.read();
	location.hash = '#run';
	if (options) start({ program: name, ...options }, { name });
}

/** A demonstration opens its own program first, so that the editor shows what runs. */
function demonstrate(name, more, focus) {
	if (editor.document !== tenSeconds) openDocument(tenSeconds);
	const source = editor.text,
		lang = find('language').value;
	start({ source, lang, limits: { timeout: '5s' }, ...more }, { name, source, language: lang }, focus);
}

function setUpButtons() {
	find('limits').open = matchMedia('(min-width: 60rem)').matches;
	find('start').addEventListener('click', runEditor);
	find('schedule').addEventListener('click', () => {
		demonstrate('10\u00a0s program, 5\u00a0s deadline', { delay: '1s' });
	});
	find('both').addEventListener('click', () => {
		demonstrate('10\u00a0s program, deadline and cancel', {}, { focusCancel: true });
	});
	find('clear').addEventListener('click', () => {
		[...runs.all.values()].filter(run => !run.isOpen).forEach(run => runs.remove(run));
		find('runs-heading').focus();
	});
	document.addEventListener('keydown', event => {
		const isRun = event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.defaultPrevented;
		if (isRun && !find('view-run').hidden) {
			event.preventDefault();
			runEditor();
		}
	});
}

// ---- Cards ----------------------------------------------------------------------------------------------------------

function addCard(run) {
	const card = new RunCard(run, {
		cancel: which => {
			announce(`Cancelling ${which.title}`);
			runs.cancel(which);
		},
		dismiss: which => {
			runs.remove(which);
			find('runs-heading').focus();
		},
		show: showProgram,
	});
	cards.set(run.id, card);
	// The newest card comes first. A run that was found later is inserted at its place.
	const after = [...find('cards').children].find(other => runs.all.get(other.dataset.id).id < run.id);
	find('cards').insertBefore(card.element, after ?? null);
	run.addEventListener('change', showCounts);
	showCounts();
	beginTicking();
}

function removeCard(run) {
	cards.get(run.id)?.element.remove();
	cards.delete(run.id);
	showCounts();
}

function showCounts() {
	const all = [...runs.all.values()];
	find('no-cards').hidden = all.length > 0;
	find('clear').hidden = !all.some(run => !run.isOpen);
	const open = all.filter(run => run.isOpen).length;
	document.title = open > 0 ? `${open} running · Curfew` : 'Curfew';
}

let ticking = null;

/** Updates the countdowns while anything runs: ten times a second, or once if the user prefers reduced motion. */
function beginTicking() {
	const every = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 100;
	ticking ??= setInterval(() => {
		const open = [...cards.values()].filter(card => card.run.isOpen);
		open.forEach(card => card.tick());
		if (open.length === 0) {
			clearInterval(ticking);
			ticking = null;
		}
	}, every);
}

function openFromHistory(data) {
	runs.dismissed.delete(data.id);
	runs.add(data.id).absorb(data);
	location.hash = '#run';
	cards.get(data.id).element.focus();
}

function setUpRuns() {
	runs.addEventListener('add', ({ detail }) => addCard(detail));
	runs.addEventListener('remove', ({ detail }) => removeCard(detail));
	runs.addEventListener('end', ({ detail: run }) => {
		announce(tellResult(run));
		markEnd(run);
	});
}

async function discover() {
	try {
		if (!document.hidden) await runs.discover();
	} catch {
		// The line at the top reports the error.
	}
	setTimeout(discover, DISCOVER_EVERY);
}

// ---- Views and token ------------------------------------------------------------------------------------------------

function showView() {
	const wanted = VIEWS.find(name => `#${name}` === location.hash) ?? 'run';
	for (const name of VIEWS) {
		find(`view-${name}`).hidden = name !== wanted;
		const link = document.querySelector(`nav a[href="#${name}"]`);
		if (name === wanted) link.setAttribute('aria-current', 'page');
		else link.removeAttribute('aria-current');
	}
	if (wanted === 'history') history.load();
	if (wanted === 'programs' || wanted === 'history') programs.load();
	if (wanted === 'machine') {
		machine.refresh();
		loadCalibration();
	}
}

function setUpViews() {
	window.addEventListener('hashchange', () => {
		if (VIEWS.includes(location.hash.slice(1))) showView();
	});
	// A fragment that is no view is an anchor within one.
	document.querySelector('.skip').addEventListener('click', event => {
		event.preventDefault();
		location.hash = '#run';
		find('runs-heading').focus();
	});
	showView();
}

function setUpToken() {
	const dialog = find('token-dialog');
	const open = reason => {
		if (!dialog.open) {
			setText(find('token-reason'), reason);
			find('token').value = '';
			dialog.showModal();
		}
	};
	find('token-button').addEventListener('click', () => {
		open(getToken() ? 'A token is in use for this tab.' : 'Kept for this tab only, until it is closed.');
	});
	access.addEventListener('unauthorized', () => {
		open(
			getToken()
				? 'The server does not take this token: it is mistyped, has expired or was revoked.'
				: 'The server wants an access token. Whoever runs it makes one with “curfew token create”. It is kept for this tab only.',
		);
	});
	find('token-form').addEventListener('submit', () => {
		setToken(find('token').value.trim());
		find('token').value = '';
		begin();
	});
	find('token-forget').addEventListener('click', () => {
		setToken('');
		dialog.close();
	});
}

/** If a token is required, a link alone cannot fetch the figures. */
function setUpMetrics() {
	find('metrics-link').addEventListener('click', async event => {
		if (!getToken()) return;
		event.preventDefault();
		try {
			setText(find('metrics-text'), await getMetrics());
		} catch (error) {
			setText(find('metrics-text'), error.message);
		}
		find('metrics-dialog').showModal();
	});
	find('metrics-close').addEventListener('click', () => find('metrics-dialog').close());
}

async function begin() {
	setText(find('start-error'), '');
	const token = getToken();
	machine.refresh();
	try {
		await runs.resume();
	} catch (error) {
		if (token === getToken()) setText(find('start-error'), error.message);
	}
}

setUpRuns();
setUpEditor();
setUpButtons();
setUpToken();
setUpMetrics();
setUpCalibration();
setUpViews();
await begin();
document.documentElement.dataset.ready = '';
setTimeout(discover, DISCOVER_EVERY);
