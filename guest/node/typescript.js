// SPDX-License-Identifier: Apache-2.0
// Removes the types from TypeScript, with sucrase's parser and transformer. Every remaining character keeps its
// position: removed text becomes spaces. Enums and parameter properties become equivalent code on the same lines.
// Syntax that cannot be converted like that is refused.
import TokenProcessor from 'sucrase/dist/esm/TokenProcessor.js';
import { HelperManager } from 'sucrase/dist/esm/HelperManager.js';
import NameManager from 'sucrase/dist/esm/NameManager.js';
import RootTransformer from 'sucrase/dist/esm/transformers/RootTransformer.js';
import TypeScriptTransformer from 'sucrase/dist/esm/transformers/TypeScriptTransformer.js';
import { parse } from 'sucrase/dist/esm/parser/index.js';
import { TokenType as tt } from 'sucrase/dist/esm/parser/tokenizer/types.js';

const spaces = ' '.repeat(256);
let isAscii = false;

// As many spaces as there are characters. Line breaks stay.
function blank(text) {
	if (isAscii && text.length <= spaces.length && !text.includes('\n'))
		return spaces.slice(0, text.length);
	return text.replace(/[^\r\n\u2028\u2029]/gu, ' ');
}

// Consecutive text that is copied unchanged is written in one piece.
const processor = TokenProcessor.prototype;
processor.flush = function () {
	if (this.flushed >= this.tokenIndex)
		return;
	const start = this.flushed > 0 ? this.tokens[this.flushed - 1].end : 0;
	this.resultCode += this.code.slice(start, this.tokens[this.tokenIndex - 1].end);
	this.flushed = this.tokenIndex;
};
for (const name of ['replaceToken', 'copyTokenWithPrefix', 'appendCode', 'snapshot', 'dangerouslyGetAndRemoveCodeSinceSnapshot', 'finish']) {
	const method = processor[name];
	processor[name] = function (argument) {
		this.flush();
		const result = method.call(this, argument);
		this.flushed = this.tokenIndex;
		return result;
	};
}
const { restoreToSnapshot, reset } = processor;
processor.restoreToSnapshot = function (snapshot) {
	restoreToSnapshot.call(this, snapshot);
	this.flushed = this.tokenIndex;
};
processor.reset = function () {
	reset.call(this);
	this.flushed = 0;
};
processor.copyToken = function () {
	this.tokenIndex++;
};

// A removed declaration leaves a semicolon, so that the statements around it stay separate.
const declarations = new Set(['type', 'interface', 'declare', 'namespace', 'module', 'function', 'abstract']);
const separators = new Set([tt.braceL, tt.comma, tt.semi, tt.parenL, tt.colon]);
processor.removeInitialToken = function () {
	const token = this.currentToken(), text = this.code.slice(token.start, token.end), before = this.tokens[this.tokenIndex - 1];
	const isStatement = token.type === tt._import || token.type === tt._export || (token.isType && declarations.has(text));
	const semicolon = isStatement && before !== undefined && !separators.has(before.type);
	this.replaceToken(semicolon ? ';' + blank(text.slice(1)) : blank(text));
};
processor.replaceTokenTrimmingLeftWhitespace = function (newCode) {
	this.flush();
	const token = this.currentToken();
	this.resultCode += blank(this.previousWhitespaceAndComments());
	this.resultCode += newCode === '' ? blank(this.code.slice(token.start, token.end)) : newCode;
	this.flushed = ++this.tokenIndex;
};

function placeOf(code, offset) {
	let line = 1, start = 0;
	for (let at; (at = code.indexOf('\n', start)) >= 0 && at < offset; start = at + 1)
		line++;
	return { line, column: [...code.slice(start, offset)].length + 1 };
}

function refuse(code, offset, message) {
	throw Object.assign(new SyntaxError(message), placeOf(code, offset));
}

// Only a member whose value is no string is found by its value, too. Sucrase recognises only strings that are literals.
TypeScriptTransformer.prototype.processExplicitValueEnumMember = function (enumName, name, variable) {
	const { tokens } = this, { rhsEndIndex } = tokens.currentToken();
	tokens.appendCode(variable === null ? `typeof (${enumName}[${name}]` : `const ${variable}`);
	tokens.copyToken();
	while (tokens.currentIndex() < rhsEndIndex)
		this.rootTransformer.processToken();
	tokens.appendCode(variable === null ? `) === 'string' || (${enumName}[${enumName}[${name}]] = ${name});`
		: `; typeof (${enumName}[${name}] = ${variable}) === 'string' || (${enumName}[${variable}] = ${name});`);
};

// A namespace is removed as a type. One that contains values would silently lose them, so it is refused.
const values = new Set([tt._const, tt._let, tt._var, tt._function, tt._class, tt._enum]);
function checkNamespaces(code, tokens) {
	const textAt = (at) => at >= 0 && tokens[at]?.isType ? code.slice(tokens[at].start, tokens[at].end) : '';
	// The end of the braces that open after `at`. found(token, before) is called for what is directly in them.
	const walk = (at, found) => {
		for (let depth = 0; at < tokens.length && tokens[at].isType; at++) {
			if (tokens[at].type === tt.braceL)
				depth++;
			else if ((tokens[at].type === tt.braceR && --depth === 0) || (tokens[at].type === tt.semi && depth === 0))
				break;
			else if (depth === 1)
				found(tokens[at], textAt(at - 1));
		}
		return at;
	};
	for (let i = 0; i < tokens.length; i++) {
		const text = textAt(i);
		if (text === 'declare' && /^(namespace|module|global)$/.test(textAt(i + 1)))
			i = walk(i + 1, () => {});
		else if ((text === 'namespace' || text === 'module') && tokens[i + 1].type === tt.name && /^[{.]$/.test(textAt(i + 2)))
			walk(i + 1, ({ type }, before) => values.has(type) && before !== 'declare' && refuse(code, tokens[i].start, 'a namespace with values needs code to be generated: use a module instead'));
	}
}

// The engine does not support decorators.
function checkDecorators(code, tokens) {
	const token = tokens.find(({ type, isType }) => type === tt.at && !isType);
	if (token)
		refuse(code, token.start, 'decorators need code to be generated: call the function that decorates instead');
}

function fail(code, error) {
	const found = /^(?:Error[^:]*: )?(.*?) \((\d+):(\d+)\)$/s.exec(error.message);
	if (error.line !== undefined || !found)
		throw error;
	throw Object.assign(new SyntaxError(found[1]), { line: +found[2], column: +found[3] });
}

// Tokens that need processing. All others are copied.
const special = new Set([tt._class, tt._import, tt._export, tt._enum, tt._const, tt._public, tt._private, tt._protected, tt._abstract,
	tt._readonly, tt._override, tt.nonNullAssertion, tt.parenL, tt.parenR, tt._async, tt.lessThan]);

export default function strip(code) {
	isAscii = !/[^\t\n\x20-\x7e]/.test(code);
	const options = { transforms: ['typescript'], disableESTransforms: true, preserveDynamicImport: true };
	try {
		const { tokens, scopes } = parse(code, false, true, false);
		checkNamespaces(code, tokens);
		checkDecorators(code, tokens);
		const names = new NameManager(code, tokens), helpers = new HelperManager(names);
		const tokenProcessor = new TokenProcessor(code, tokens, false, true, helpers);
		const root = new RootTransformer({ tokenProcessor, scopes, nameManager: names, importProcessor: null, helperManager: helpers },
			options.transforms, false, options);
		const { processToken } = root;
		root.processToken = function () {
			const token = tokens[tokenProcessor.tokenIndex];
			if (token.isType || special.has(token.type) || token.contextualKeyword)
				processToken.call(this);
			else
				tokenProcessor.tokenIndex++;
		};
		return root.transform().code;
	} catch (error) {
		return fail(code, error);
	}
}
