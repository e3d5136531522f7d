// SPDX-License-Identifier: Apache-2.0
// The integrity of a request: one of the strongest hashes that it names is that of the body.
// outcome: ok
// value: ["200,false,alert","200,false,alert","200,false,alert","TypeError","200,false,alert","200,false,alert","TypeError","200,false,alert","200,false,alert","200,false,alert","200,false,alert","200,false,alert","TypeError","TypeError","TypeError","200,false,alert","TypeError","sha256-x"]
const hash = async (name, text) => btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest(name, new TextEncoder().encode(text)))));
const right = { 256: await hash('SHA-256', 'alert'), 384: await hash('SHA-384', 'alert'), 512: await hash('SHA-512', 'alert') };
const wrong = await hash('SHA-256', 'other');
const url = 'data:,alert';
const seen = [];
async function ask(integrity, options = {}) {
	try {
		const response = await fetch(options.url ?? url, { integrity, ...options });
		seen.push([response.status, response.bodyUsed, await response.text()].join());
	} catch (error) { seen.push(error.name); }
}
for (const size in right) await ask(`sha${size}-${right[size]}`);
await ask(`sha256-${wrong}`);
await ask(`sha256-${wrong} sha256-${right[256]}`);
await ask(`sha512-${right[512]} sha256-${wrong}`);
await ask(`sha256-${right[256]} sha512-${wrong}`);
await ask(` \n\tsha256-${right[256]}?option  `);
await ask(`SHA256-${right[256].replace(/=+$/, '')}`);
await ask(`sha384-${right[384].replaceAll('+', '-').replaceAll('/', '_')}`);
await ask('md5-AAAA none');
await ask('');
await ask('sha256-');
await ask('sha256-!!!!');
await ask(`sha256-${right[256]}`, { method: 'HEAD' });
await ask(`sha256-${right[256]}`, { url: URL.createObjectURL(new Blob(['alert'])) });
await ask(`sha256-${right[256]}`, { url: URL.createObjectURL(new Blob(['other'])) });
seen.push(new Request(url, { integrity: 'sha256-x' }).integrity);
export default seen;
