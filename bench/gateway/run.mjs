/**
 * What hurts users of Gateway API implementations, after the templates of gateway-api-bench: through the Kubernetes API
 * of `fairway up`, from the write to the first right answer.
 *
 *   node bench/gateway/run.mjs [case ...] [--short] [--workers N] [--json FILE]
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
    json: { type: 'string' },
  },
});

const unknown = positionals.filter((name) => !(name in cases));
if (unknown.length > 0) throw new Error(`no case ${unknown.join(', ')}; there are ${Object.keys(cases).join(', ')}`);

execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url)), '--if-stale']);

const rows = [];
const bench = {
  short: options.short,
  flags: options.workers === '0' ? [] : ['--workers', options.workers],
  /** One figure: what, the figure, its bound, whether it was met. */
  row(what, figure, bound, met) {
    rows.push({ what, figure, bound, met });
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${figure} (${bound})`);
  },
};

for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) await cases[name](bench);
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
