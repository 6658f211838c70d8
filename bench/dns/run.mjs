/**
 * CPU time per DNS query, side by side with Debian's dnsmasq and Knot serving the same names, one worker each, the load
 * of dnsperf on loopback. CPU time is what the kernel books on the server's process (/proc/PID/stat), so that a busy
 * machine changes the figures less than it changes queries per second.
 *
 *   node bench/dns/run.mjs [--seconds N] [--rounds N] [--only NAME] [--json] [--short]
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addressFrom, cpuMicroseconds, median, reachable, residentMegabytes } from './measure.mjs';
import { address, external, name, port, writeInputs } from './run-inputs.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const seconds = options.short ? 2 : Number(options.seconds);
const rounds = options.short ? 2 : Number(options.rounds);
const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bench-dns-'));
const children = new Set();

function missing() {
  if (process.platform !== 'linux') return 'CPU time is read from /proc';
  for (const [tool, debian] of [
    ['dnsperf', 'dnsperf'],
    ['dnsmasq', 'dnsmasq-base'],
    ['knotd', 'knot'],
  ]) {
    try {
      execFileSync('which', [tool]);
    } catch {
      return `${tool} is not installed (Debian: ${debian})`;
    }
  }
  return existsSync(join(root, 'dist/main.js')) ? undefined : 'dist/ is missing: npm run build';
}

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  child.once('exit', (code) => {
    children.delete(child);
    if (code) console.error(`${command} ended with ${code}: ${output.slice(-2000)}`);
  });
  children.add(child);
  return child;
}

function stop(child) {
  return new Promise((resume) => {
    if (!children.has(child)) return resume();
    child.once('exit', resume);
    child.kill('SIGKILL');
  });
}

async function startFairway(at, conf, manifests, flags = []) {
  const args = [join(root, 'bin/fairway.js'), 'dns', '--conf', conf, '--manifests', manifests, '--no-watch', ...flags];
  const child = start(process.execPath, args);
  await reachable(at, port, name(0));
  return child;
}

async function startDnsmasq() {
  const child = start('dnsmasq', [
    ...['-k', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', `--addn-hosts=${folder}/hosts`, '--local-ttl=30'],
    ...[`--listen-address=${address.dnsmasq}`, '--bind-interfaces', `--port=${port}`, '--cache-size=20000'],
    ...[`--server=${address.upstream}#${port}`, '--pid-file', '--user=root', '--dns-forward-max=1000'],
  ]);
  await reachable(address.dnsmasq, port, name(0));
  return child;
}

async function startKnot(conf, at, probe) {
  const child = start('knotd', ['-c', join(folder, conf)]);
  await reachable(at, port, probe);
  return child;
}

/** One load of dnsperf: queries sent and answered, and what was lost. */
function load({ at, from, clients = 8, rcodes = /^NOERROR \d+ \(100\.00%\)$/ }, file, amount) {
  return new Promise((settle, fail) => {
    const args = ['-s', at, '-p', String(port), '-d', join(folder, file), ...amount, ...(from ? ['-a', from] : [])];
    const child = spawn('dnsperf', [...args, '-c', String(clients), '-T', '1', '-q', '64', '-t', '2'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', () => {
      children.delete(child);
      const figure = (label) => Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(output)?.[1] ?? Number.NaN);
      const completed = figure('Queries completed');
      const codes = /Response codes:\s+(.*)/.exec(output)?.[1] ?? '';
      if (!completed || !rcodes.test(codes.trim())) fail(new Error(`dnsperf at ${at}: ${output}`));
      else settle({ completed, lost: figure('Queries lost'), rate: figure('Queries per second') });
    });
  });
}

async function measure(subject, file) {
  const { pids } = subject;
  const before = pids.map(cpuMicroseconds);
  const { completed, lost, rate } = await load(subject, file, ['-l', String(seconds)]);
  const spent = pids.map((pid, i) => cpuMicroseconds(pid) - before[i]);
  return { microseconds: spent.reduce((a, b) => a + b, 0) / completed, spent, lost, rate };
}

/** The subjects one after the other in each round, so that they meet the same company on the machine. */
async function compare(file, subjects) {
  const samples = new Map(subjects.map(({ label }) => [label, []]));
  // Each name a few times first: what is measured is a server that has been running.
  for (const subject of subjects) await load(subject, subject.file ?? file, ['-n', '4', '-l', '20']);
  for (let round = 0; round < rounds; round++)
    for (const subject of subjects) samples.get(subject.label).push(await measure(subject, subject.file ?? file));
  return (label) => {
    const all = samples.get(label);
    return {
      microseconds: median(all.map(({ microseconds }) => microseconds)),
      rate: median(all.map(({ rate }) => rate)),
      lost: all.reduce((sum, { lost }) => sum + lost, 0),
      /** Against another subject, in the same round. */
      against: (other) => median(all.map(({ microseconds }, i) => microseconds / samples.get(other)[i].microseconds)),
      shares: all.at(-1).spent.map((spent) => spent / all.at(-1).spent.reduce((a, b) => a + b, 0)),
    };
  };
}

const rows = [];
function row(what, figure, bound, met) {
  rows.push({ what, figure, bound, met });
}
const micro = (value) => `${value.toFixed(1)} µs`;

async function internalNames(subjects) {
  const of = await compare('internal', subjects);
  for (const { label } of subjects)
    row(
      `internal names: ${label}`,
      `${micro(of(label).microseconds)}, ${Math.round(of(label).rate)}/s, lost ${of(label).lost}`,
      '',
    );
  const ratio = of('fairway').against('dnsmasq');
  row('internal names: fairway / dnsmasq', ratio.toFixed(2), '<= 1.80', ratio <= 1.8);
}

async function cacheHits(subjects) {
  const of = await compare('external', subjects);
  for (const { label } of subjects)
    row(
      `cache hits: ${label}`,
      `${micro(of(label).microseconds)}, ${Math.round(of(label).rate)}/s, lost ${of(label).lost}`,
      '',
    );
  const ratio = of('fairway').against('dnsmasq');
  row('cache hits: fairway / dnsmasq', ratio.toFixed(2), '<= 2.20', ratio <= 2.2);
}

async function sizes(fairway) {
  const child = await startFairway(address.small, join(folder, 'Corefile.small'), join(folder, 'one.yaml'));
  const small = { label: '1 Service', at: address.small, pids: [child.pid] };
  const large = { ...fairway, label: '10,000 Services' };
  // The same one name is asked for: what differs is how many others there are.
  const of = await compare('one', [small, large]);
  const ratio = of('10,000 Services').against('1 Service');
  row('10,000 Services / 1 Service', ratio.toFixed(2), '0.90 to 1.10', ratio <= 1.1);
  await stop(child);
}

/** Names of the search list that do not exist: most of what Pods ask. */
async function missingNames(subjects) {
  const of = await compare(
    'missing',
    subjects.map((subject) => ({ ...subject, rcodes: /^NXDOMAIN \d+ \(100\.00%\)$/ })),
  );
  for (const { label } of subjects) row(`names that do not exist: ${label}`, micro(of(label).microseconds), '');
  row('names that do not exist: fairway / knot', of('fairway').against('knot').toFixed(2), '');
}

/** The same external names from a Pod, with its search list and with autopath: CPU per name that was resolved. */
async function autopath() {
  const servers = [];
  for (const on of [false, true])
    servers.push(
      await startFairway(
        address[on ? 'autopath' : 'searching'],
        join(folder, `Corefile.autopath-${on}`),
        join(folder, 'pod.yaml'),
      ),
    );
  const from = await addressFrom(address.autopath, port, 'client.team.svc.cluster.local');
  const subjects = [
    {
      label: 'search list',
      file: 'searching',
      at: address.searching,
      pids: [servers[0].pid],
      from,
      rcodes: /NOERROR \d+ \(2[45]\.\d+%\)/,
    },
    { label: 'autopath', file: 'autopath', at: address.autopath, pids: [servers[1].pid], from },
  ];
  const of = await compare('', subjects);
  const [searching, direct] = [4 * of('search list').microseconds, of('autopath').microseconds];
  row('external names of a Pod: search list, 4 queries', micro(searching), '');
  row('external names of a Pod: autopath, 1 query', micro(direct), '1 query', true);
  await Promise.all(servers.map(stop));
}

/** The processes below a process, itself included. */
function family(pid) {
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(below === '' ? [] : below.split(' ').flatMap((child) => family(Number(child))))];
}

async function twoWorkers(fairway) {
  const child = await startFairway(address.workers, join(folder, 'Corefile.workers'), join(folder, 'services.yaml'), [
    '--workers',
    '2',
  ]);
  for (let i = 0; i < 300; i++) {
    const ready = await fetch(`http://${address.workers}:8181/ready`).catch(() => undefined);
    if (ready?.status === 200) break;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  const pids = family(child.pid).slice(1);
  if (pids.length !== 2) throw new Error(`${pids.length} workers came up`);
  // With sockets of their own the kernel shares clients between workers, not queries: there have to be some.
  const both = { label: 'two workers', at: address.workers, pids, clients: 64 };
  const of = await compare('internal', [{ ...fairway, label: 'one worker', clients: 64 }, both]);
  const ratio = of('two workers').against('one worker');
  row('two workers: CPU per query against one', ratio.toFixed(2), '0.90 to 1.10', ratio <= 1.1);
  const least = Math.min(...of('two workers').shares);
  row('two workers: share of the lesser', `${Math.round(least * 100)} %`, '>= 40 %', least >= 0.4);
  await stop(child);
}

async function run() {
  writeInputs(folder);
  await startKnot('upstream.conf', address.upstream, external(0));
  const knot = { label: 'knot', at: address.knot, pids: [(await startKnot('knot.conf', address.knot, name(0))).pid] };
  const dnsmasq = { label: 'dnsmasq', at: address.dnsmasq, pids: [(await startDnsmasq()).pid] };
  const child = await startFairway(address.fairway, join(folder, 'Corefile'), join(folder, 'services.yaml'));
  const fairway = { label: 'fairway', at: address.fairway, pids: [child.pid] };
  const wanted = (part) => !options.only || options.only === part;
  if (wanted('internal')) await internalNames([dnsmasq, knot, fairway]);
  if (wanted('cache')) await cacheHits([dnsmasq, fairway]);
  if (wanted('missing')) await missingNames([knot, fairway]);
  if (wanted('autopath')) await autopath();
  if (wanted('sizes')) await sizes(fairway);
  if (wanted('workers')) await twoWorkers(fairway);
  row('resident memory, 10,000 Services from manifests', `${Math.round(residentMegabytes(child.pid))} MB`, '');
}

const reason = missing();
if (reason) {
  console.log(`skipped: ${reason}`);
} else {
  try {
    await run();
    if (options.json) console.log(JSON.stringify({ node: process.version, seconds, rounds, rows }));
    else {
      console.log(`CPU per query, ${rounds} rounds of ${seconds} s, Node ${process.version}`);
      for (const { what, figure, bound, met } of rows)
        console.log(
          `${what.padEnd(48)}${figure.padEnd(34)}${bound.padEnd(14)}${met === undefined ? '' : met ? 'met' : 'NOT MET'}`,
        );
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}
