/**
 * Runs the official Gateway API conformance suite against `fairway up`, and keeps what it said.
 *
 * The judge is the exit status of `go test` together with its line for each test: in v1.6.1 the report file is written
 * before the parallel tests have ended, so it cannot show that one of them failed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { balancerPrefix, startCluster } from './lib/cluster.mjs';
import { goFault } from './lib/go.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const suiteVersion = 'v1.6.1';
const profiles = ['GATEWAY-HTTP', 'GATEWAY-GRPC', 'GATEWAY-TLS', 'GATEWAY-TCP', 'GATEWAY-UDP'];

const usage = `npm run conformance -- [options]

  --runs <n>          how often, one after the other; ends at the first that fails (default: 1)
  --run-test <name>   one test only, by its short name
  --workers <n>       processes of the data plane (default: 0)
  --instance <n>      addresses and ports, as of fairway up (default: 0)
  --keep              write report, lines and command to conformance/reports/${suiteVersion}
  --log <file>        everything that the suite prints
  --help
`;

function options() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1' },
      'run-test': { type: 'string' },
      workers: { type: 'string', default: '0' },
      instance: { type: 'string', default: '0' },
      keep: { type: 'boolean', default: false },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, runs: Number(values.runs), instance: Number(values.instance) };
}

/** What the suite is told: who is judged, and by which profiles. Features are those that the GatewayClass claims. */
async function suiteFlags({ instance, 'run-test': runTest }, report) {
  const { version } = JSON.parse(await readFile(join(here, '../package.json'), 'utf8'));
  return [
    `-conformance-profiles=${profiles.join(',')}`,
    // One that a Gateway can ask for, and one that is of no machine (RFC 5737).
    `-usable-address=${balancerPrefix(instance)}.0.200`,
    '-unusable-address=192.0.2.1',
    `-report-output=${report}`,
    '-organization=fairway',
    '-project=fairway',
    '-url=https://fairway.dev',
    '-contact=https://fairway.dev/contact',
    `-version=v${version}`,
    ...(runTest ? [`-run-test=${runTest}`] : []),
  ];
}

/** What the suite judges by: the features that the class says it supports. */
async function claimedFeatures(api) {
  const path = '/apis/gateway.networking.k8s.io/v1/gatewayclasses/gateway-conformance';
  const { status } = await (await fetch(`${api}${path}`)).json();
  return status.supportedFeatures.map(({ name }) => name);
}

/** One run against a cluster of its own. Gives the exit status, the lines of the tests and how long it took. */
async function runOnce(wishes, binary, folder, log) {
  const report = join(folder, 'report.yaml');
  const flags = wishes.workers === '0' ? [] : ['--workers', wishes.workers];
  const cluster = await startCluster({ instance: wishes.instance, folder, flags });
  const since = Date.now();
  try {
    const claimed = await claimedFeatures(cluster.api);
    const args = ['-test.v', '-test.timeout=60m', '-test.run=^TestConformance$', ...(await suiteFlags(wishes, report))];
    const child = spawn(binary, args, {
      cwd: here,
      env: { ...process.env, KUBECONFIG: join(folder, '.fairway/kubeconfig') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const lines = [];
    for await (const line of createInterface({ input: child.stdout })) {
      log?.write(`${line}\n`);
      const result = /^ *--- (PASS|FAIL|SKIP): TestConformance(\S*) \(([\d.]+)s\)$/.exec(line);
      if (result) lines.push(line);
      const whole = /^ {4}--- (PASS|FAIL|SKIP): TestConformance\/([^/ ]+) /.exec(line);
      if (whole && (whole[1] !== 'SKIP' || !wishes['run-test'])) console.log(`${whole[1]} ${whole[2]}`);
    }
    return { status: await ended, lines, report, claimed, seconds: (Date.now() - since) / 1_000 };
  } finally {
    await cluster.stop();
  }
}

/** How many tests (not their cases) ended in a way. */
function counts(lines) {
  const count = (what) => lines.filter((line) => line.startsWith(`    --- ${what}: `)).length;
  return { passed: count('PASS'), failed: count('FAIL'), skipped: count('SKIP') };
}

/** The compiled suite, and a list of its tests and profiles. */
function compile(folder) {
  const binary = join(folder, 'suite.test');
  const catalog = join(folder, 'catalog.json');
  const built = spawnSync('go', ['test', '-c', '-o', binary, '.'], { cwd: here, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the suite could not be compiled');
  const listed = spawnSync(binary, ['-test.run=^TestCatalog$'], {
    cwd: here,
    env: { ...process.env, CATALOG: catalog },
  });
  if (listed.status !== 0) throw new Error(`the suite could not be listed: ${listed.stdout}`);
  return { binary, catalog };
}

async function keep(runs, catalog, wishes) {
  const folder = join(here, 'reports', suiteVersion);
  await mkdir(folder, { recursive: true });
  const { version } = JSON.parse(await readFile(join(here, '../package.json'), 'utf8'));
  const last = runs.at(-1);
  await writeFile(join(folder, `experimental-v${version}-default-report.yaml`), await readFile(last.report));
  await writeFile(join(folder, 'catalog.json'), await readFile(catalog));
  await writeFile(join(folder, 'test-lines.txt'), runs.map(({ lines }) => `${lines.join('\n')}\n`).join('\n'));
  const facts = {
    suite: suiteVersion,
    version: `v${version}`,
    command: `npm run conformance -- --runs ${wishes.runs} --keep`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
    claimed: last.claimed,
    runs: runs.map(({ status, seconds, lines }) => ({ exit: status, seconds: Math.round(seconds), ...counts(lines) })),
  };
  await writeFile(join(folder, 'runs.json'), `${JSON.stringify(facts, null, 2)}\n`);
}

async function main() {
  const wishes = options();
  if (wishes.help) return console.log(usage);
  const fault = goFault();
  if (fault) {
    console.error(fault);
    process.exitCode = 2;
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'fairway-conformance-'));
  const log = wishes.log ? createWriteStream(wishes.log) : undefined;
  try {
    console.log('compiling the suite (minutes, the first time)');
    const { binary, catalog } = compile(folder);
    const runs = [];
    for (let n = 1; n <= wishes.runs; n++) {
      const run = await runOnce(wishes, binary, folder, log);
      runs.push(run);
      const { passed, failed, skipped } = counts(run.lines);
      const tally = `${passed} passed, ${failed} failed, ${skipped} skipped`;
      console.log(`run ${n} of ${wishes.runs}: exit ${run.status}, ${tally}, ${Math.round(run.seconds)} s`);
      if (run.status !== 0) break;
    }
    if (wishes.keep) await keep(runs, catalog, wishes);
    process.exitCode = runs.every(({ status }) => status === 0) ? 0 : 1;
  } finally {
    log?.end();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
