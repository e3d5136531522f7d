// SPDX-License-Identifier: Apache-2.0
// module.SourceMap
const { needs } = require('internal/errors');
const { TraceMap, decodedMappings } = require('../node_modules/@jridgewell/trace-mapping/dist/trace-mapping.umd.js');

module.exports = class SourceMap {
	#payload;
	#lineLengths;
	#mappings = [];
	constructor(payload, { lineLengths } = {}) {
		needs.object(payload, 'payload');
		this.#payload = structuredClone(payload);
		this.#lineLengths = lineLengths && [...lineLengths];
		let last; // a mapping without a name has that of the one before
		const sections = payload.sections ?? [{ offset: { line: 0, column: 0 }, map: payload }];
		for (const { offset, map } of sections) {
			const { sources, names } = map;
			decodedMappings(new TraceMap({ version: 3, ...map })).forEach((segments, line) => {
				for (const [column, source, originalLine, originalColumn, name] of segments)
					this.#mappings.push({ line: line + offset.line, column: column + (line === 0 ? offset.column : 0), url: sources[source], originalLine, originalColumn, name: last = names?.[name] ?? last });
			});
		}
	}
	get payload() { return structuredClone(this.#payload); }
	get lineLengths() { return this.#lineLengths; }
	// Lines and columns count from 0.
	findEntry(line, column) {
		const found = this.#mappings.findLast((one) => one.line < line || (one.line === line && one.column <= column)) ?? this.#mappings[0];
		if (!found)
			return {};
		return { generatedLine: found.line, generatedColumn: found.column, originalSource: found.url, originalLine: found.originalLine, originalColumn: found.originalColumn,
			...(found.name !== undefined ? { name: found.name } : {}) };
	}
	// Lines and columns count from 1.
	findOrigin(line, column) {
		const range = this.findEntry(line - 1, column - 1);
		if (range.originalSource === undefined || range.originalLine === undefined || range.originalColumn === undefined)
			return {};
		const lineOffset = line - range.generatedLine - 1, columnOffset = column - range.generatedColumn - 1;
		return { name: range.name, fileName: range.originalSource, lineNumber: range.originalLine + 1 + lineOffset, columnNumber: range.originalColumn + 1 + columnOffset };
	}
};
