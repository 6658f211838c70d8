/**
 * Two minutes of everything at once: 20,000 queries a second (cluster names, forwarded names, names that do not exist)
 * while the Corefile is changed and read again, upstreams die and come back, and the Kubernetes API is cut off and comes
 * back. Reports queries that got no answer (must be 0), their rcodes, and how memory grew.
 *
 *   node bench/dns/soak.mjs [--short] [--seconds N] [--rate N] [--workers N] [--json]
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reachable, residentMegabytes } from './measure.mjs';
import { nameOf } from './memory-objects.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rate: { type: 'string', default: '20000' },
    workers: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds ?? (options.short ? 20 : 120));
const services = 1000;
const port = 5300;
const host = '127.79.55.1';
const upstreams = ['127.79.55.2', '127.79.55.3'];
const apiHost = '127.79.55.4';
const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bench-dns-soak-'));
const children = new Set();
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.output = '';
  child.stdout.on('data', (chunk) => (child.output += chunk));
  child.stderr.on('data', (chunk) => (child.output += chunk));
  child.once('exit', () => children.delete(child));
  children.add(child);
  return child;
}

function kill(child) {
  return new Promise((resume) => {
    child.once('exit', resume);
    child.kill('SIGKILL');
  });
}

/** The API of memory.mjs, on one port over its deaths. */
async function startApi(at = 0) {
  const argument = JSON.stringify({ services, addresses: 15_000, host: apiHost, port: at });
  const child = fork(fileURLToPath(new URL('memory-api.mjs', import.meta.url)), [argument]);
  children.add(child);
  child.once('exit', () => children.delete(child));
  const { ready } = await new Promise((resume) => child.once('message', resume));
  return { child, port: ready.port };
}

const upstreamConf = (at) => `server:
    listen: ${at}@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    rundir: ${folder}/${at}
    user: root:root
database:
    storage: ${folder}/${at}
zone:
  - domain: example.test
    file: ${folder}/zone
`;

const corefile = (apiPort, comment) => `# ${comment}
.:${port} {
    bind ${host}
    errors
    health ${host}:8080 {
       lameduck 5s
    }
    ready ${host}:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       endpoint http://${apiHost}:${apiPort}
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus ${host}:9153
    forward . ${upstreams.map((at) => `${at}:${port}`).join(' ')} {
       max_concurrent 1000
    }
    cache 5
    loop
    reload 2s 1s
    loadbalance
}
`;

function writeInputs() {
  chmodSync(folder, 0o755);
  const records = Array.from({ length: 500 }, (_, i) => `www-${i} 3600 A 192.0.2.${(i % 250) + 1}\n`);
  writeFileSync(
    join(folder, 'zone'),
    `$ORIGIN example.test.\n$TTL 30\n@ SOA ns hostmaster 1 7200 1800 86400 30\n@ NS ns\nns A 192.0.2.53\n${records.join('')}`,
  );
  for (const at of upstreams) {
    mkdirSync(join(folder, at));
    writeFileSync(join(folder, `${at}.conf`), upstreamConf(at));
  }
  const lines = Array.from({ length: 20_000 }, (_, i) => {
    const { namespace, name } = nameOf((i * 7919) % services);
    if (i % 10 < 6) return `${name}.${namespace}.svc.cluster.local A`;
    if (i % 10 < 7) return `${name}.${namespace}.svc.cluster.local AAAA`;
    if (i % 10 < 9) return `www-${i % 500}.example.test A`;
    return `www-${i % 500}.example.test.${namespace}.svc.cluster.local A`;
  });
  writeFileSync(join(folder, 'queries'), `${lines.join('\n')}\n`);
}

const startUpstream = (at) => start('knotd', ['-c', join(folder, `${at}.conf`)]);

/** Something happens every few seconds until the load ends; what, and how often. */
async function disturb(state, over) {
  const done = { reloads: 0, 'upstream deaths': 0, 'API cuts': 0 };
  for (let i = 0; !over(); i++) {
    await pause(seconds < 60 ? 1500 : 4000);
    if (over()) break;
    if (i % 3 === 0) {
      writeFileSync(join(folder, 'Corefile'), corefile(state.api.port, `version ${i}`));
      done.reloads++;
    } else if (i % 3 === 1) {
      // One after the other; now and then both are away.
      const at = i % 2;
      const both = i % 12 === 10;
      await Promise.all((both ? [0, 1] : [at]).map((which) => kill(state.upstreams[which])));
      await pause(700);
      for (const which of both ? [0, 1] : [at]) state.upstreams[which] = startUpstream(upstreams[which]);
      done['upstream deaths']++;
    } else {
      await kill(state.api.child);
      await pause(1000);
      state.api = await startApi(state.api.port);
      done['API cuts']++;
    }
  }
  return done;
}

function load() {
  const args = ['-s', host, '-p', String(port), '-d', join(folder, 'queries'), '-l', String(seconds)];
  const child = start('dnsperf', [...args, '-c', '20', '-T', '1', '-q', '4000', '-t', '6', '-Q', options.rate]);
  return new Promise((settle) => child.once('close', () => settle(child.output)));
}

async function run() {
  writeInputs();
  const state = { api: await startApi(), upstreams: upstreams.map(startUpstream) };
  writeFileSync(join(folder, 'Corefile'), corefile(state.api.port, 'the first one'));
  const flags = options.workers === '1' ? [] : ['--workers', options.workers];
  const server = start(process.execPath, [
    join(root, 'bin/fairway.js'),
    'dns',
    '--conf',
    join(folder, 'Corefile'),
    ...flags,
  ]);
  const { namespace, name } = nameOf(0);
  await reachable(host, port, `${name}.${namespace}.svc.cluster.local`);
  let ended = false;
  const memory = [];
  const pids = () => [
    server.pid,
    ...execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number),
  ];
  const sample = setInterval(
    () =>
      memory.push(options.workers === '1' ? residentMegabytes(server.pid) : Math.max(...pids().map(residentMegabytes))),
    1000,
  );
  const disturbing = disturb(state, () => ended);
  const output = await load();
  ended = true;
  clearInterval(sample);
  const done = await disturbing;
  const alive = server.exitCode === null;
  const metrics = alive ? await (await fetch(`http://${host}:9153/metrics`)).text() : '';
  const metric = (pattern) => Number(new RegExp(`^${pattern} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
  const figure = (label) => Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(output)?.[1] ?? Number.NaN);
  const early = memory.slice(Math.floor(memory.length / 6), Math.floor(memory.length / 3));
  const late = memory.slice(-Math.ceil(memory.length / 6));
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    seconds,
    sent: figure('Queries sent'),
    lost: figure('Queries lost'),
    perSecond: figure('Queries per second'),
    rcodes: /Response codes:\s+(.*)/.exec(output)?.[1].trim(),
    ...done,
    serverAlive: alive,
    exceptions: metric('coredns_panics_total'),
    memoryMB: { early: Math.round(mean(early)), late: Math.round(mean(late)), most: Math.round(Math.max(...memory)) },
    log: server.output
      .split('\n')
      .filter((line) => /FATAL|exception|unhandled/i.test(line))
      .slice(0, 5),
  };
}

try {
  const result = await run();
  if (options.json) console.log(JSON.stringify(result));
  else
    for (const [key, value] of Object.entries(result))
      console.log(`${key.padEnd(18)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
  if (result.lost !== 0 || !result.serverAlive) process.exitCode = 1;
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
