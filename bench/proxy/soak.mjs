/**
 * A data plane whose plan of 10,000 routes is swapped 1,000 times, endpoints and certificates with it, under clients that
 * check every answer against the plans that were in force: requests over kept connections, HTTPS, new TLS handshakes, a
 * WebSocket, an upload, and downloads over HTTP/1.1 and HTTP/2 that last from beginning to end. Nothing may fail, be reset or be answered wrongly.
 *
 *   node bench/proxy/soak.mjs [--short] [--seconds N] [--swaps N] [--routes N] [--workers N] [--json]
 *
 * Ten minutes by default; --short takes less than half a minute, with fewer swaps. With --workers the data plane is that
 * many processes and the one that tells them; 0, the default, is one process.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    swaps: { type: 'string' },
    routes: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds ?? (options.short ? 20 : 600));
const swaps = Number(options.swaps ?? (options.short ? 300 : 1_000));
const workers = Number(options.workers);
const routesPerHost = 10;
const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-soak-'));
/** Heap that may be added between then and the end, in bytes. */
const HEAP_BOUND = 16 * 1_048_576;
/** Share of the swaps after which memory counts as warm. */
const WARM = 0.2;

/** Bundles TypeScript, and imports it when it is not for a process of its own. */
async function bundle(entry) {
  const outfile = join(folder, `${entry.replaceAll('/', '-')}.mjs`);
  const banner = { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" };
  const entryPoints = [join(root, entry)];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error', banner });
  return outfile;
}
const load = async (entry) => import(pathToFileURL(await bundle(entry)));

/** A process that is told things and answers each. */
function startSubject(file, world, worker) {
  const child = fork(file, [JSON.stringify(world), String(workers), worker], { execArgv: ['--expose-gc'] });
  let settle;
  let failed;
  child.on('message', (answer) => settle?.(answer));
  child.on('exit', (code, signal) => failed?.(new Error(`the data plane ended: ${code ?? signal}`)));
  const tell = (wish) =>
    new Promise((resolve, reject) => {
      settle = resolve;
      failed = reject;
      child.send(wish);
    });
  return { child, tell };
}

async function run() {
  const [{ createWorld }, { runSoak }, { selfSigned, hasOpenssl }] = [
    await load('src/proxy/testing/soak/world.ts'),
    await load('src/proxy/testing/soak/soak.ts'),
    await load('src/proxy/testing/certificates.ts'),
  ];
  const certificates = hasOpenssl() ? ['one', 'two', 'three', 'four'].map((name) => selfSigned(name, name)) : [];
  const world = createWorld({
    address: '127.79.250.2',
    httpPort: 18090,
    httpsPort: 18493,
    firstServerPort: 18100,
    servers: 6,
    hosts: Math.ceil(Number(options.routes) / routesPerHost),
    routesPerHost,
    certificates,
  });
  const worker = workers > 0 ? await bundle('bench/proxy/soak-worker.ts') : '';
  const { child, tell } = startSubject(await bundle('bench/proxy/soak-subject.ts'), world.options, worker);
  const memory = [];
  const subject = {
    async swap(generation) {
      const { unbound } = await tell({ swap: generation });
      if (unbound.length > 0) throw new Error(`not bound: ${JSON.stringify(unbound)}`);
    },
  };
  const began = performance.now();
  try {
    const { report, swapMs } = await runSoak({
      world,
      subject,
      swaps,
      swapEveryMs: (seconds * 1000) / swaps,
      httpClients: 16,
      httpsClients: certificates.length > 0 ? 4 : 0,
      http2Streams: 8,
      pauseMs: 10,
      onSwap: async (done) => {
        if (done === Math.ceil(swaps * WARM) || done === swaps) memory.push(await tell({ memory: true }));
      },
    });
    return resultOf({ report, swapMs, memory, elapsed: performance.now() - began, alive: child.exitCode === null });
  } finally {
    child.removeAllListeners('exit');
    child.disconnect();
  }
}

const megabytes = (bytes) => Math.round((bytes / 1_048_576) * 10) / 10;

function resultOf({ report, swapMs, memory, elapsed, alive }) {
  const [warm, end] = memory.map((one) => one.memory);
  const sorted = [...swapMs].sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 10) / 10;
  return {
    node: process.version,
    cpus: cpus().length,
    seconds: Math.round(elapsed / 1000),
    workers,
    routes: Number(options.routes),
    swaps: swapMs.length,
    ...Object.fromEntries([...report.counts].sort(([a], [b]) => a.localeCompare(b))),
    'swap to acknowledgement ms': { p50: at(0.5), p99: at(0.99), most: at(1) },
    'request ms': { p50: report.quantile(0.5), p99: report.quantile(0.99), most: report.quantile(1) },
    'heap MB': { warm: megabytes(warm.heapUsed + warm.external), end: megabytes(end.heapUsed + end.external) },
    'resident MB (of the largest)': { warm: megabytes(warm.rss), end: megabytes(end.rss) },
    flags: memory[1].flags,
    findings: memory[1].findings.length,
    alive,
    grown: end.heapUsed + end.external - warm.heapUsed - warm.external > HEAP_BOUND,
    wrong: report.problemCount(),
    problems: report.problems,
  };
}

try {
  const result = await run();
  if (options.json) console.log(JSON.stringify(result));
  else
    for (const [key, value] of Object.entries(result))
      console.log(`${key.padEnd(28)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
  if (result.wrong > 0 || result.grown || !result.alive) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
