/**
 * What a change of one route among many costs: the controller and the data plane, in one process and with two workers,
 * real sockets, a client on a thread of its own. For 10,000 Ingresses (1,000 hosts), 10,000 HTTPRoutes with a host each,
 * and as many on one host; the second alone with --short.
 *
 *   node bench/proxy/swap.mjs [--routes N] [--changes N] [--scenario ingress|httproute|one-host] [--workers N] [--short] [--json]
 *
 * Times in milliseconds: «from scratch» is a compilation of everything; «change» is from the write to the store to the
 * first answer that shows it, asked for every millisecond; «steady» is how long requests for another route took over a
 * kept connection meanwhile, where a pause of the event loop shows. Memory is heap and resident memory for each route,
 * after the plan is in force, without the objects it is made from. CPU is that of the main thread of the process, or of each.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    routes: { type: 'string', default: '10000' },
    changes: { type: 'string' },
    scenario: { type: 'string', multiple: true },
    workers: { type: 'string', multiple: true, default: ['0', '2'] },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const changes = options.changes ?? (options.short ? '25' : '200');
const scenarios = options.scenario ?? (options.short ? ['httproute'] : ['ingress', 'httproute', 'one-host']);
const folder = mkdtempSync(join(tmpdir(), 'bench-swap-'));

async function bundle(root) {
  // The package's own files are looked for beside the bundle.
  for (const name of ['data', 'package.json']) symlinkSync(join(root, name), join(folder, name));
  await build({
    entryPoints: ['swap-subject', 'swap-client', 'soak-worker'].map((name) => join(root, `bench/proxy/${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
    logLevel: 'error',
  });
}

function measure(root, scenario, workers) {
  const bundles = [join(folder, 'swap-client.mjs'), workers, join(folder, 'soak-worker.mjs')];
  const words = [scenario, options.routes, changes, ...bundles];
  const child = spawn(process.execPath, ['--expose-gc', join(folder, 'swap-subject.mjs'), ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((settle, fail) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? settle(JSON.parse(text)) : fail(new Error(`${scenario}: exit ${code}`))));
  });
}

const ms = (value) => value.toFixed(1).padStart(7);
const three = ({ p50, p99, max }) => ms(p50) + ms(p99) + ms(max);

function print(results) {
  console.log(`Node ${process.version}, ${options.routes} routes, ${changes} changes; milliseconds: p50, p99, worst`);
  for (const one of results) {
    console.log(`\n${one.scenario}, ${one.workers} workers (${one.routes} routes in force)`);
    console.log(`  from scratch: compile ${ms(one.compileMs)}, tables ${ms(one.tableMs)}`);
    const inWorker = one.workerCpuPerChange === undefined ? '' : `, in a worker ${ms(one.workerCpuPerChange)}`;
    console.log(`  change of a route     ${three(one.edited)}   CPU per change ${ms(one.cpuPerChange)}${inWorker}`);
    console.log(`  a route added         ${three(one.added)}`);
    console.log(`  a route removed       ${three(one.removed)}`);
    console.log(`  steady, without change${three(one.calm)}`);
    console.log(`  steady, with changes  ${three(one.steadyWhileEdited)}`);
    console.log(`  steady, adds, removals${three(one.steadyWhileAdded)}`);
    console.log(
      `  memory for a route: heap ${(one.heapPerRoute / 1024).toFixed(1)} KB, resident ${(one.rssPerRoute / 1024).toFixed(1)} KB`,
    );
  }
}

if (process.platform !== 'linux') console.log('skipped: CPU time is read from /proc');
else {
  try {
    const root = resolve(import.meta.dirname, '../..');
    await bundle(root);
    const results = [];
    for (const scenario of scenarios)
      for (const workers of options.workers) results.push(await measure(root, scenario, workers));
    if (options.json) console.log(JSON.stringify({ node: process.version, results }));
    else print(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
