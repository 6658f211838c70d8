/**
 * A hundred thousand requests to backends that refuse, hang, reset, lie, babble and close at the worst moment, by clients
 * that vanish at every stage. Afterwards the data plane must hold what it held before: sockets, timers, memory; and every
 * limit must have its whole room again.
 *
 *   node bench/proxy/leaks.mjs [--short] [--requests N] [--json]
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    requests: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const requests = Number(options.requests ?? (options.short ? 5_000 : 100_000));
const lanes = 80;
const room = { requests: 96, connections: 300, silenceMs: 2_000 };
/** What is made once (compiled code, buffers that are used again) is made by this many. */
const warmUp = 5_000;
/** Bytes of heap and buffers after collecting that may be more than after the warm-up. */
const HEAP_BOUND = 2 * 1_048_576;
const front = { address: '127.79.250.3', port: 18200, securePort: 18201 };
const firstBackendPort = 18300;
const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-leaks-'));
const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));

async function bundle(entry) {
  const outfile = join(folder, `${entry.replaceAll('/', '-')}.mjs`);
  const entryPoints = [join(root, entry)];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return outfile;
}
const load = async (entry) => import(pathToFileURL(await bundle(entry)));

function startSubject(file) {
  const child = fork(file, [JSON.stringify(room)], { execArgv: ['--expose-gc'] });
  const tell = (wish) =>
    new Promise((settle, fail) => {
      const ended = (code, signal) => fail(new Error(`the data plane ended: ${code ?? signal}`));
      child.once('exit', ended);
      child.once('message', (answer) => {
        child.off('exit', ended);
        settle(answer);
      });
      child.send(wish);
    });
  return { child, tell };
}

/** What is held when nothing changes any more, for at most 10 seconds. */
async function settled(tell) {
  let before = await tell({ census: true });
  for (let i = 0; i < 20; i++) {
    await sleep(500);
    const now = await tell({ census: true });
    if (
      now.files === before.files &&
      String(Object.entries(now.kinds)) === String(Object.entries(before.kinds)) &&
      i > 2
    )
      return now;
    before = now;
  }
  return before;
}

async function run() {
  const [{ attack, faultyEndpoints, faultyPlan, fillEveryLimit }, { faultyBackends }, { hasOpenssl, selfSigned }] = [
    await load('src/proxy/testing/faults/run.ts'),
    await load('src/proxy/testing/faults/backends.ts'),
    await load('src/proxy/testing/certificates.ts'),
  ];
  const backends = await faultyBackends(front.address, firstBackendPort);
  const certificate = hasOpenssl() ? selfSigned('cert', 'a.example') : undefined;
  const { child, tell } = startSubject(await bundle('bench/proxy/leaks-subject.ts'));
  const wrong = new Map();
  const round = (count) =>
    attack(front, {
      requests: count,
      lanes,
      silenceMs: room.silenceMs,
      wrong: (what) => wrong.set(what, (wrong.get(what) ?? 0) + 1),
    });
  try {
    await tell({ plan: faultyPlan(front, room, certificate), endpoints: faultyEndpoints(front.address, backends) });
    await round(warmUp);
    const before = await settled(tell);
    const began = performance.now();
    await round(requests);
    const seconds = (performance.now() - began) / 1000;
    const after = await settled(tell);
    const unfilled = await fillEveryLimit(front, backends, room);
    return { before, after, seconds, unfilled, wrong };
  } finally {
    child.removeAllListeners('exit');
    child.disconnect();
    await backends.close();
  }
}

const megabytes = (bytes) => Math.round((bytes / 1_048_576) * 100) / 100;

/** Kinds of which there are more than before. */
function more(before, after) {
  return Object.fromEntries(
    Object.entries(after)
      .map(([kind, count]) => [kind, count - (before[kind] ?? 0)])
      .filter(([, count]) => count > 0),
  );
}

function resultOf({ before, after, seconds, unfilled, wrong }) {
  const result = {
    node: process.version,
    clients: requests,
    seconds: Math.round(seconds),
    requests: after.requests - before.requests,
    flags: after.flags,
    'open files': { before: before.files, after: after.files },
    'resources more than before': more(before.kinds, after.kinds),
    'heap MB': { before: megabytes(before.heap), after: megabytes(after.heap) },
    'resident MB': { before: megabytes(before.rss), after: megabytes(after.rss) },
    'stray exceptions': after.strayErrors,
    'limits not given back': unfilled,
    'wrong outcomes': Object.fromEntries([...wrong].slice(0, 10)),
  };
  const leaks =
    after.files > before.files ||
    Object.keys(result['resources more than before']).length > 0 ||
    after.heap - before.heap > HEAP_BOUND ||
    after.strayErrors > 0 ||
    unfilled.length > 0 ||
    wrong.size > 0;
  return { ...result, verdict: leaks ? 'leaks or wrong outcomes' : 'nothing is held, nothing went wrong' };
}

try {
  const result = resultOf(await run());
  if (options.json) console.log(JSON.stringify(result));
  else
    for (const [key, value] of Object.entries(result))
      console.log(`${key.padEnd(28)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
  if (result.verdict.startsWith('leaks')) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
