/**
 * The data plane beside Debian's nginx, HAProxy and Caddy, configured alike, in one run.
 *
 *   node bench/proxy/run.mjs [case ...] [--short] [--rounds N] [--seconds N] [--node PATH ...] [--current] [--bun] [--json FILE]
 *
 * Cases are those of cases/index.mjs; all but `telemetry` run unless some are named. `--node` adds a Node.js by path,
 * `--current` one from the package registry, `--bun` Bun. A bound that is missed is no failure; what cannot run is.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.mjs';
import { startBackend } from './lib/backend.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { bundleOurs } from './lib/ours.mjs';
import { runtimesOf } from './lib/runtimes.mjs';
import { leave, which } from './lib/stage.mjs';
import { printHead, printNote, printRow } from './lib/table.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    node: { type: 'string', multiple: true, default: [] },
    current: { type: 'boolean', default: false },
    bun: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const known = Object.keys(cases);

function chosen() {
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no case ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return positionals.length > 0 ? positionals : known.filter((name) => name !== 'telemetry');
}

function count(text, otherwise) {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a whole number above 0`);
  return number;
}

function missing() {
  if (process.platform !== 'linux') return 'CPU time is read from /proc';
  return ['/usr/sbin/nginx', 'wrk', 'h2load', 'openssl']
    .filter((name) => which(name) === undefined)
    .map((name) => `${name} is not installed (Debian: nginx-light, wrk, nghttp2-client, openssl)`)
    .at(0);
}

async function prepare() {
  const { short } = options;
  await bundleOurs();
  return {
    short,
    rounds: count(options.rounds, short ? 1 : 5),
    seconds: count(options.seconds, short ? 1 : 2),
    warmUp: short ? 1 : 3,
    runtimes: runtimesOf({ paths: options.node, current: options.current, bun: options.bun }),
    certificate: makeCertificate(),
    backend: await startBackend(),
    note: printNote,
  };
}

/** @returns whether it could run */
async function runCase(bench, name, results) {
  try {
    for (const row of await cases[name](bench)) {
      printRow(name, row);
      results.push({ case: name, ...row, met: row.bound === undefined ? undefined : row.figure <= row.bound });
    }
    return true;
  } catch (error) {
    printNote(`${name} failed: ${error.stack}`);
    return false;
  }
}

async function main() {
  const names = chosen();
  const reason = missing();
  if (reason) throw new Error(reason);
  const bench = await prepare();
  const results = [];
  printHead(bench);
  let failures = 0;
  for (const name of names) if (!(await runCase(bench, name, results))) failures++;
  if (options.json) {
    const { rounds, seconds, runtimes } = bench;
    const machine = { cpus: cpus().length, model: cpus()[0]?.model };
    writeFileSync(options.json, `${JSON.stringify({ machine, rounds, seconds, runtimes, results }, undefined, 1)}\n`);
  }
  return failures;
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => leave().then(() => process.exit(130)));
try {
  process.exitCode = (await main()) > 0 ? 1 : 0;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await leave();
}
