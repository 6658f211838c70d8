// Prints docs/conformance.md from the newest kept run of the official suite. `npm run docs` writes it; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { conformanceDocument } from '../conformance/lib/document.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const reports = `${root}conformance/reports/v1.6.1/`;
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

writeFileSync(
  `${root}docs/conformance.md`,
  conformanceDocument({
    facts: json(`${reports}runs.json`),
    catalog: json(`${reports}catalog.json`),
    lines: readFileSync(`${reports}test-lines.txt`, 'utf8').split('\n'),
    peers: json(`${root}conformance/peers.json`),
  }),
);
