/**
 * Memory of `fairway dns` with a large cluster behind a Kubernetes API, at rest and at the worst moment of a relist,
 * and how long a change of an endpoint takes to be answered.
 *
 *   node bench/dns/memory.mjs [--short] [--services N] [--addresses N] [--fairway PATH] [--flags=FLAGS] [--json]
 *
 * The API server is our own (memory-api.mjs), in a process of its own; the Corefile is kubeadm's with an `endpoint`.
 * `--short`: a tenth of the objects, and a second of changes. `--fairway`: another bin/fairway.js; `--flags`: options of
 * Node for it, to try them.
 */
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    services: { type: 'string' },
    addresses: { type: 'string' },
    fairway: { type: 'string', default: join(root, 'bin/fairway.js') },
    flags: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const services = Number(options.services ?? (options.short ? 820 : 8200));
const addresses = Number(options.addresses ?? (options.short ? 15_000 : 150_000));
const seconds = options.short ? 1 : 10;
const full = services === 8200 && addresses === 150_000;
const host = '127.82.3.1';
const dns = { address: host, port: 1053 };
const folder = mkdtempSync(join(tmpdir(), 'bench-dns-memory-'));

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

function startApi() {
  const argument = JSON.stringify({ services, addresses, host });
  const child = fork(fileURLToPath(new URL('memory-api.mjs', import.meta.url)), [argument]);
  const answers = [];
  child.on('message', (message) => answers.shift()(message));
  const next = () =>
    new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('the API server ended')));
      answers.push(({ error, ...message }) =>
        error ? reject(new Error(error)) : resolve(message.ok ?? message.ready),
      );
    });
  const ready = next();
  return {
    ready,
    tell(message) {
      const answer = next();
      child.send(message);
      return answer;
    },
    stop: () => child.disconnect(),
  };
}

function startDns(port) {
  const corefile = join(folder, 'Corefile');
  const resolvConf = join(folder, 'resolv.conf');
  // Nobody is there: nothing in this measurement is forwarded.
  writeFileSync(resolvConf, 'nameserver 127.82.3.9\n');
  writeFileSync(
    corefile,
    `.:1053 {
    bind ${host}
    errors
    health ${host}:8080 {
       lameduck 0s
    }
    ready ${host}:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       endpoint http://${host}:${port}
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
       startup_timeout 60s
    }
    prometheus ${host}:9153
    forward . ${resolvConf} {
       max_concurrent 1000
    }
    cache 30
    reload
    loadbalance
}
`,
  );
  const child = spawn(
    process.execPath,
    [...options.flags.split(' ').filter(Boolean), options.fairway, 'dns', '--conf', corefile],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return {
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Resident memory in MB (10^6 bytes) every 20 ms, with the largest since the last look. */
function watchMemory(pid) {
  let peak = 0;
  const now = () => {
    const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    return (kilobytes * 1024) / 1e6;
  };
  const timer = setInterval(() => {
    peak = Math.max(peak, now());
  }, 20);
  return {
    now,
    takePeak() {
      const taken = Math.max(peak, now());
      peak = 0;
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}

function page(port, path) {
  return new Promise((resolve) => {
    get({ host, port, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
    }).on('error', () => resolve({ status: 0, text: '' }));
  });
}

async function until(what, check, timeoutMs = 60_000) {
  const started = performance.now();
  while (!(await check())) {
    if (performance.now() - started > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await pause(20);
  }
  return performance.now() - started;
}

const rows = [];
/** `bound` is of the full size; at other sizes it is not judged. */
function row(what, figure, unit, bound) {
  const met = bound === undefined ? '' : !full ? 'other size' : figure <= bound ? 'yes' : 'NO';
  rows.push({
    what,
    figure: `${figure.toFixed(unit === 'ms' ? 2 : 0)} ${unit}`,
    bound: bound ? `<= ${bound.toFixed(0)} ${unit}` : '',
    met,
  });
}

async function relist(api, memory, fresh) {
  memory.takePeak();
  const { took, longest } = await api.tell({ do: 'expire', fresh, dns });
  const peak = memory.takePeak();
  await pause(3000);
  return { took, longest, peak: Math.max(peak, memory.takePeak()) };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

async function measure(api, memory) {
  const synced = await until('the first list', async () => (await page(8181, '/ready')).status === 200);
  row('start to ready', synced, 'ms');
  row('largest while starting', memory.takePeak(), 'MB', 212 * 1.3);
  await pause(3000);
  memory.takePeak();
  await pause(2000);
  row('at rest', memory.takePeak(), 'MB', 212);
  const { answered } = await api.tell({ do: 'ask', dns });
  if (answered !== services) throw new Error(`${services - answered} names have no answer`);
  await pause(2000);
  memory.takePeak();
  await pause(1000);
  const steady = memory.takePeak();
  row('at rest after every name was asked for', steady, 'MB', 212);

  const same = await relist(api, memory, false);
  row('largest in a relist of unchanged objects', same.peak, 'MB', steady * 1.3);
  row('the same: from 410 to the end of the list', same.took, 'ms');
  row('the same: longest wait for an answer meanwhile', same.longest, 'ms');
  const fresh = await relist(api, memory, true);
  row('largest in a relist where every object is new', fresh.peak, 'MB', steady * 1.3);
  row('the same: from 410 to the end of the list', fresh.took, 'ms');
  row('the same: longest wait for an answer meanwhile', fresh.longest, 'ms');

  await api.tell({ do: 'change', count: 50, perSecond: 100, dns });
  memory.takePeak();
  const changes = await api.tell({ do: 'change', count: 100 * seconds, perSecond: 100, dns });
  const sorted = changes.latencies.sort((a, b) => a - b);
  const plain = changes.plain.sort((a, b) => a - b);
  row(
    `${(sorted.length / changes.seconds).toFixed(0)} changes a second: event to answer, p50`,
    quantile(sorted, 0.5),
    'ms',
  );
  row('the same: p99', quantile(sorted, 0.99), 'ms', 10);
  row('the same: max', sorted.at(-1), 'ms');
  row('a question meanwhile whose answer does not change: p99', quantile(plain, 0.99), 'ms');
  row('largest meanwhile', memory.takePeak(), 'MB', 212 * 1.3);
  await pause(3000);
  row('at rest at the end', memory.now(), 'MB', 212);
}

const api = startApi();
const { port, slices, megabytes } = await api.ready;
const server = startDns(port);
const memory = watchMemory(server.pid);
try {
  await measure(api, memory);
} finally {
  memory.stop();
  await server.stop();
  api.stop();
  rmSync(folder, { recursive: true });
}
if (options.json) console.log(JSON.stringify(rows));
else {
  console.log(
    `${services} Services, ${slices} EndpointSlices, ${addresses} addresses, ${megabytes.toFixed(0)} MB of JSON`,
  );
  console.table(rows);
}
if (rows.some(({ met }) => met === 'NO')) process.exitCode = 1;
