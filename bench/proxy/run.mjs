/**
 * CPU time per request of the data plane, side by side with nginx configured alike: one worker each, the same backend,
 * 64 keep-alive connections, the same headers added. CPU time is what the kernel books on the proxy's process
 * (/proc/PID/stat), so that a busy machine changes the figures less than it changes requests per second.
 *
 *   node bench/proxy/run.mjs [--seconds N] [--rounds N] [--telemetry] [--json]
 *
 * With --telemetry the other side is not nginx but the data plane itself with metrics, and with an access log.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    telemetry: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const connections = 64;
const address = '127.79.250.1';
const ports = { backend: 18081, nginx: 18082, fairway: 18083, metrics: 18084, json: 18085, combined: 18086 };
/** What the data plane is compared with. */
const others = options.telemetry ? ['metrics', 'json', 'combined'] : ['nginx'];
const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-'));
const children = [];

const cases = [
  { name: 'small GET', path: '/small', script: undefined },
  { name: 'GET of 64 KiB', path: '/64k', script: undefined },
  { name: 'POST of 4 KiB', path: '/small', script: 'post.lua' },
];

function missing() {
  if (process.platform !== 'linux') return 'CPU time is read from /proc';
  if (!existsSync('/usr/sbin/nginx')) return '/usr/sbin/nginx is not installed (Debian: nginx-light)';
  try {
    execFileSync('which', ['wrk']);
  } catch {
    return 'wrk is not installed (Debian: wrk)';
  }
  return undefined;
}

const nginxCommon = (name) => `
daemon off; worker_processes 1; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; client_body_temp_path ${folder}/${name}-body;
  proxy_temp_path ${folder}/${name}-proxy; fastcgi_temp_path ${folder}/${name}-f; uwsgi_temp_path ${folder}/${name}-u; scgi_temp_path ${folder}/${name}-s;`;

function writeConfigs() {
  // nginx started by root reads files as another user.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', '64k'), Buffer.alloc(65536, 97));
  writeFileSync(
    join(folder, 'backend.conf'),
    `${nginxCommon('backend')}
  server {
    listen ${address}:${ports.backend} backlog=1024;
    location = /small { default_type text/plain; return 200 'hello from the backend, this is a small body\\n'; }
    location = /64k { root ${folder}/files; }
  }
}`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${nginxCommon('nginx')}
  upstream app { server ${address}:${ports.backend}; keepalive 128; keepalive_requests 100000000; }
  server {
    listen ${address}:${ports.nginx} backlog=1024;
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Host $http_host;
      proxy_buffering off; proxy_request_buffering off;
    }
  }
}`,
  );
  writeFileSync(
    join(folder, 'post.lua'),
    `wrk.method = "POST"; wrk.body = string.rep("x", 4096); wrk.headers["Content-Type"] = "text/plain"\n`,
  );
}

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function reachable(port) {
  for (let i = 0; i < 100; i++) {
    const open = await new Promise((settle) => {
      const socket = connect(port, address, () => settle(true)).on('error', () => settle(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((settle) => setTimeout(settle, 50));
  }
  throw new Error(`nothing answers on ${address}:${port}`);
}

/** The process that does the work: nginx's worker is a child of its master. */
function workerOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? pid : Number(children.split(' ')[0]);
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function cpuMicroseconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

function load(port, { path, script }, duration) {
  const args = ['-t1', `-c${connections}`, `-d${duration}s`];
  if (script) args.push('-s', join(folder, script));
  return new Promise((settle, fail) => {
    const child = start('wrk', [...args, `http://${address}:${port}${path}`]);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', () => {
      const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
      const bad = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? /Socket errors: (.*)/.exec(output)?.[1];
      if (requests === 0 || bad) fail(new Error(`wrk against port ${port} failed: ${output}`));
      else settle(requests);
    });
  });
}

async function measure(port, pid, scenario) {
  const before = cpuMicroseconds(pid);
  const requests = await load(port, scenario, seconds);
  return { microseconds: (cpuMicroseconds(pid) - before) / requests, rate: requests / seconds };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

async function run() {
  writeConfigs();
  const root = resolve(import.meta.dirname, '../..');
  const bundle = join(folder, 'subject.mjs');
  await build({
    entryPoints: [join(root, 'bench/proxy/subject.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  start('/usr/sbin/nginx', ['-c', join(folder, 'backend.conf'), '-p', folder]);
  const subjects = ['fairway', ...others].map((name) => ({ name, port: ports[name], pid: startSubject(name, bundle) }));
  for (const port of [ports.backend, ...subjects.map((one) => one.port)]) await reachable(port);
  for (const subject of subjects) subject.pid = workerOf(subject.pid);
  const results = [];
  for (const scenario of cases) {
    const samples = Object.fromEntries(subjects.map(({ name }) => [name, []]));
    for (const { name, port } of subjects) if (name !== 'nginx') await load(port, scenario, 1);
    for (let round = 0; round < rounds; round++) {
      for (const { name, port, pid } of subjects) samples[name].push(await measure(port, pid, scenario));
    }
    const of = (name) => median(samples[name].map(({ microseconds }) => microseconds));
    // Of the two runs of one round, which met the same company on the machine.
    const ratioOf = (name) =>
      median(samples.fairway.map(({ microseconds }, i) => ratio(name, microseconds, samples[name][i].microseconds)));
    results.push({
      case: scenario.name,
      fairway: of('fairway'),
      ...Object.fromEntries(others.map((name) => [name, of(name)])),
      ratios: Object.fromEntries(others.map((name) => [name, ratioOf(name)])),
    });
  }
  return results;
}

/** Ours in proportion to nginx; with telemetry in proportion to without. */
const ratio = (name, ours, other) => (name === 'nginx' ? ours / other : other / ours);

function startSubject(name, bundle) {
  if (name === 'nginx') return start('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder]).pid;
  const words = name === 'fairway' ? [] : [name];
  return start(process.execPath, [bundle, address, String(ports[name]), address, String(ports.backend), ...words]).pid;
}

function print(results) {
  if (options.json) {
    console.log(JSON.stringify({ node: process.version, seconds, rounds, connections, results }));
    return;
  }
  console.log(
    `CPU µs of the proxy per request, ${connections} connections, ${rounds} rounds of ${seconds} s, Node ${process.version}`,
  );
  const columns = ['fairway', ...others.flatMap((name) => [name, 'ratio'])];
  console.log('case'.padEnd(18) + columns.map((column) => column.padStart(9)).join(''));
  for (const result of results) {
    const figures = [result.fairway.toFixed(1)];
    for (const name of others) figures.push(result[name].toFixed(1), result.ratios[name].toFixed(2));
    console.log(result.case.padEnd(18) + figures.map((figure) => figure.padStart(9)).join(''));
  }
}

const reason = missing();
if (reason) console.log(`skipped: ${reason}`);
else {
  try {
    print(await run());
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
    await new Promise((settle) => setTimeout(settle, 200));
    rmSync(folder, { recursive: true, force: true });
  }
}
