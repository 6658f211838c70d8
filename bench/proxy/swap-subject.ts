/**
 * `swap-subject SCENARIO ROUTES CHANGES CLIENT-BUNDLE WORKERS WORKER-BUNDLE`: store and controller in this process, the
 * data plane too or in as many others as there are workers, one change at a time, everything told as one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { compile } from '../../src/control/compile.ts';
import { type ControllerState, createController } from '../../src/control/controller.ts';
import { createLocalStatusSink } from '../../src/control/status-sink.ts';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import { createProxyWorkers } from '../../src/proxy/workers/workers.ts';
import { compileListener } from '../../src/routing/match/matcher.ts';
import {
  addresses,
  makeObjects,
  placeOf,
  portOffset,
  putRoute,
  putService,
  removeRoute,
  type Scenario,
} from './swap-store.ts';

const [scenario, count, changes, clientBundle] = [
  process.argv[2] as Scenario,
  Number(process.argv[3]),
  Number(process.argv[4]),
  process.argv[5]!,
];
const [workerCount, workerBundle] = [Number(process.argv[6] ?? 0), process.argv[7]!];
const isShort = changes < 100;
/** Without changes, to compare with. */
const quietMs = isShort ? 500 : 1_000;
const milliseconds = () => Number(process.hrtime.bigint()) / 1e6;
const sleep = (ms: number) => new Promise((settle) => setTimeout(settle, ms));

/** CPU milliseconds of the main thread of a process (Linux). */
function threadCpu(pid: number = process.pid): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

function memory(): { heap: number; rss: number } {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

function timed<T>(run: () => T): { ms: number; value: T } {
  const began = milliseconds();
  const value = run();
  return { ms: milliseconds() - began, value };
}

const quantile = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

const objects = makeObjects(scenario, count);
const { store } = objects;
const book = { ingress: () => [addresses.ingress], gateway: () => addresses.gateway, usable: () => true };
const input = { store, adopt: false, addresses: book, position: () => undefined, now: '2026-01-01T00:00:00Z' };

/** From nothing, in the state in which a process does it that has done it before, unless there is little time. */
function fromScratch() {
  for (let i = 0; i < (isShort ? 0 : 2); i++)
    compile(input).plan.listeners.map((listener) => compileListener(listener));
  const compiled = timed(() => compile(input));
  const table = timed(() => compiled.value.plan.listeners.map((listener) => compileListener(listener)));
  return { compileMs: compiled.ms, tableMs: table.ms };
}

const worker = new Worker(clientBundle, { workerData: placeOf(scenario, count - 1, 1) });
const told = <T>() => new Promise<T>((settle) => worker.once('message', settle));
worker.on('error', (error) => {
  console.error(error);
  process.exit(1);
});

async function takeTook(): Promise<number[]> {
  const answer = told<{ took: number[] }>();
  worker.postMessage({ type: 'take' });
  return (await answer).took;
}

/** One change and the first answer that shows it. */
async function change(apply: () => void, place: ReturnType<typeof placeOf>, status: number): Promise<number> {
  const seen = told<{ at: number }>();
  worker.postMessage({ type: 'poll', place, status });
  await sleep(5);
  const began = milliseconds();
  apply();
  return (await seen).at - began;
}

async function run() {
  await told();
  const scratch = fromScratch();
  const before = memory();
  let latest: ControllerState | undefined;
  const options: ProxyOptions = { onDiagnostic: (finding) => console.error(finding.message) };
  const workers =
    workerCount > 0
      ? createProxyWorkers(options, { count: workerCount, command: { file: workerBundle, args: [] } })
      : undefined;
  const proxy = workers ?? createProxy(options);
  const controller = createController({
    store: objects.store,
    statuses: createLocalStatusSink(objects),
    proxy,
    addresses: book,
    adopt: false,
    position: () => undefined,
    bind: {
      mode: 'native',
      map: (address, port) =>
        address === addresses.backend ? { address, port } : { address, port: port + portOffset },
      describe: () => [],
    },
    onSettled: (state) => {
      latest = state;
    },
    onError: (message) => console.error(message),
  });
  controller.start();
  await controller.settled();
  const after = memory();
  worker.postMessage({ type: 'steady' });
  await sleep(300);
  await takeTook();
  await sleep(quietMs);
  const calm = await takeTook();

  const version = new Map<number, number>();
  const next = (i: number) => {
    version.set(i, (version.get(i) ?? 1) + 1);
    return version.get(i)!;
  };
  const edit = (i: number) => {
    const to = next(i);
    return change(() => putRoute(objects, scenario, i, to), placeOf(scenario, i, to), 200);
  };
  for (let n = 0; n < 5; n++) await edit(n * 7).then(() => sleep(40));
  await takeTook();
  const edited: number[] = [];
  const pids = workers?.pids() ?? [];
  const workersCpu = () => pids.reduce((sum, pid) => sum + threadCpu(pid), 0);
  const cpuBefore = threadCpu();
  const workersBefore = workersCpu();
  const began = milliseconds();
  for (let n = 0; n < changes; n++) {
    edited.push(await edit((n * 7_919) % (count - 1)));
    await sleep(40);
  }
  const cpu = threadCpu() - cpuBefore;
  const workersDid = workersCpu() - workersBefore;
  const busy = await takeTook();
  const seconds = (milliseconds() - began) / 1000;
  const added: number[] = [];
  const removed: number[] = [];
  for (let n = 0; n < Math.ceil(changes / 4); n++) {
    const i = count + n;
    putService(objects, i);
    await sleep(60);
    added.push(await change(() => putRoute(objects, scenario, i, 1), placeOf(scenario, i, 1), 200));
    await sleep(40);
    removed.push(
      await change(() => removeRoute(objects, scenario, n * 3), placeOf(scenario, n * 3, version.get(n * 3) ?? 1), 404),
    );
    await sleep(40);
  }
  const coming = await takeTook();
  // The steady client's own cost, to be taken off.
  const [idleBefore, idleWorkers] = [threadCpu(), workersCpu()];
  await sleep(quietMs);
  const idlePerSecond = ((threadCpu() - idleBefore) * 1_000) / quietMs;
  const idleWorkersPerSecond = ((workersCpu() - idleWorkers) * 1_000) / quietMs;
  await takeTook();
  const summary = (values: readonly number[]) => ({
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    max: Math.max(...values),
  });
  console.log(
    JSON.stringify({
      scenario,
      count,
      changes,
      ...scratch,
      heapPerRoute: (after.heap - before.heap) / count,
      rssPerRoute: (after.rss - before.rss) / count,
      edited: summary(edited),
      added: summary(added),
      removed: summary(removed),
      calm: summary(calm),
      steadyWhileEdited: summary(busy),
      steadyWhileAdded: summary(coming),
      workers: workerCount,
      cpuPerChange: (cpu - idlePerSecond * seconds) / changes,
      ...(workers && { workerCpuPerChange: (workersDid - idleWorkersPerSecond * seconds) / changes / pids.length }),
      routes: latest!.plan.listeners.flatMap(({ hosts }) => hosts.flatMap(({ routes }) => routes)).length,
    }),
  );
  const stopped = told();
  worker.postMessage({ type: 'stop' });
  await stopped;
  controller.stop();
  await proxy.close(0);
  process.exit(0);
}

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
