/**
 * Ingresses of the class of ingress-nginx in numbers, through the Kubernetes API of `fairway up`: time to ready, memory,
 * time from an edit to the first new answer, and what edits do to requests and WebSockets under way.
 *
 *   node bench/ingress/run.mjs [case ...] [--short] [--workers N] [--class NAME] [--counts N,N] [--json FILE]
 *
 * Cases are those of cases/index.mjs. A bound that is missed is no failure; what cannot run is.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    workers: { type: 'string', default: '0' },
    class: { type: 'string', default: 'nginx' },
    counts: { type: 'string' },
    json: { type: 'string' },
  },
});

const unknown = positionals.filter((name) => !(name in cases));
if (unknown.length > 0) throw new Error(`no case ${unknown.join(', ')}; there are ${Object.keys(cases).join(', ')}`);

execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url)), '--if-stale']);

const rows = [];
const bench = {
  short: options.short,
  className: options.class,
  /** Numbers of Ingresses. */
  counts: (options.counts ?? (options.short ? '500' : '1000,5000,10000')).split(',').map(Number),
  flags: options.workers === '0' ? [] : ['--workers', options.workers],
  /** One figure: what, the figure, its bound, whether it was met. */
  row(what, figure, bound, met) {
    rows.push({ what, figure, bound, met });
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${figure} (${bound})`);
  },
};

for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) await cases[name](bench);
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
