// `fairway up` as a user feels it: time to ready, memory, and how long an edit takes to be live.
//   node bench/up/run.mjs [--short]
// Peers: none starts a front door from manifests; the bounds are those of the issue that asked for it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const short = process.argv.includes('--short');

function start(paths, cwd) {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin/fairway.js'), 'up', ...paths, '--json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const ready = new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const line = text.split('\n').find((candidate) => candidate.startsWith('{"event":"ready"'));
      if (line && text.includes(`${line}\n`)) resolve({ wallMs: performance.now() - started, event: JSON.parse(line) });
    });
    child.on('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      child.on('exit', resolve);
      child.kill('SIGINT');
    });
  return { child, ready, stop };
}

/** Resident memory of a process in MB (10^6 bytes), from /proc. */
function residentMB(pid) {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return (kilobytes * 1024) / 1e6;
}

function status(address, path, host) {
  return new Promise((resolve, reject) => {
    get({ host: address, path, headers: { host }, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rows = [];
const row = (what, figure, bound, good) => rows.push({ what, figure, bound, met: good ? 'yes' : 'NO' });

async function boutique(folder) {
  const times = [];
  for (let i = 0; i < (short ? 3 : 7); i++) {
    const run = start([join(root, 'test/inputs/online-boutique')], folder);
    times.push((await run.ready).wallMs);
    await run.stop();
  }
  row(
    'online-boutique: spawn to ready, median',
    `${Math.round(median(times))} ms`,
    '<= 1000 ms',
    median(times) <= 1000,
  );
  row('online-boutique: spawn to ready, worst', `${Math.round(Math.max(...times))} ms`, '', Math.max(...times) <= 1000);
}

function workload(i) {
  const name = `app-${String(i).padStart(4, '0')}`;
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 5
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: server
          image: example.com/${name}:1
          ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: 80, targetPort: http}]
`;
}

const ingress = (path) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: edited}
spec:
  ingressClassName: fairway
  rules:
    - host: edited.example.com
      http:
        paths:
          - {path: ${path}, pathType: Exact, backend: {service: {name: app-0000, port: {number: 80}}}}
`;

/** Milliseconds from the write of a file to the first answer that shows it. */
async function editLatency(file, address, path) {
  writeFileSync(file, ingress(path));
  const written = performance.now();
  while ((await status(address, path, 'edited.example.com')) !== 200) {
    if (performance.now() - written > 5000) throw new Error(`${path} did not go live in 5 s`);
    await new Promise((resume) => setTimeout(resume, 1));
  }
  return performance.now() - written;
}

async function scale(folder) {
  for (let file = 0; file < 20; file++) {
    writeFileSync(
      join(folder, `apps-${file}.yaml`),
      Array.from({ length: 50 }, (_, i) => workload(file * 50 + i)).join('---\n'),
    );
  }
  const edited = join(folder, 'edited.yaml');
  writeFileSync(edited, ingress('/0'));
  const run = start([folder], folder);
  const { wallMs, event } = await run.ready;
  row('1,000 Services, 5,000 Pods: spawn to ready', `${Math.round(wallMs)} ms`, '<= 5000 ms', wallMs <= 5000);
  await new Promise((resume) => setTimeout(resume, 2000));
  const memory = residentMB(run.child.pid);
  row('the same: resident memory', `${Math.round(memory)} MB`, '<= 400 MB', memory <= 400);
  const times = [];
  for (let i = 1; i <= (short ? 10 : 50); i++) {
    times.push(await editLatency(edited, event.ingress.addresses[0], `/${i}`));
    await new Promise((resume) => setTimeout(resume, 100));
  }
  row(
    'the same: edit to first new answer, median',
    `${median(times).toFixed(1)} ms`,
    '<= 100 ms',
    median(times) <= 100,
  );
  row(
    'the same: edit to first new answer, worst',
    `${Math.max(...times).toFixed(1)} ms`,
    '<= 100 ms',
    Math.max(...times) <= 100,
  );
  await run.stop();
}

for (const measure of [boutique, scale]) {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  try {
    await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.table(rows);
if (rows.some(({ met }) => met === 'NO')) process.exitCode = 1;
