/**
 * 5,000 routes with a Service and a Pod each: time, memory, and what a change each second costs. Once of `fairway up`,
 * whose control process is the cluster too (the API, the controllers, the Pods), and once of `fairway gateway`
 * beside it, which is the control process that a cluster runs.
 */
import { cpuMicroseconds, residentBytes } from '../../proxy/lib/figures.mjs';
import { startDoor } from '../lib/door.mjs';
import { startGateway } from '../lib/gateways.mjs';
import { estate, estateHost, estateRoute, gateway, gatewayClass } from '../lib/objects.mjs';
import { ask, keepAliveAgent, sleep } from '../lib/poller.mjs';
import { childrenOf } from '../lib/processes.mjs';

const listen = '127.77.92.1';

export async function scale({ short, row }) {
  const [namespaces, each] = short ? [10, 50] : [50, 100];
  const routes = namespaces * each;
  const hosts = Array.from({ length: routes }, (_, n) => estateHost(`mesh-${Math.floor(n / each)}`, n % each));
  const few = [gatewayClass, gateway(), ...estate(1, 1)];
  const many = [gatewayClass, gateway(), ...estate(namespaces, each)];
  const seconds = short ? 5 : 20;
  for (const [what, weigh] of [
    ['fairway up', weighUp],
    ['fairway gateway', weighGateway],
  ]) {
    const small = await weigh(few, [], 0);
    const large = await weigh(many, hosts, seconds);
    report(row, `scale, ${what}`, routes, small, large);
  }
}

function report(row, what, routes, small, { readyMs, ok, control, worker, share }) {
  const ready = `${(readyMs / 1_000).toFixed(1)} s`;
  row(`${what}: ${routes} routes, Services, Pods: spawn to ready`, ready, '<= 10 s', readyMs <= 10_000);
  row(`${what}: routes that answered 200 once ready`, String(ok), String(routes), ok === routes);
  row(`${what}: control process`, `${(control / 1e6).toFixed(0)} MB`, '<= 300 MB', control <= 300e6);
  const perRoute = (worker - small.worker) / routes;
  row(`${what}: worker, per route beyond one`, `${(perRoute / 1e3).toFixed(1)} KB`, '<= 10 KB', perRoute <= 10e3);
  const cost = `${(share * 100).toFixed(1)} % of a core`;
  row(`${what}: one change each second, control process and worker`, cost, '<= 3 %', share <= 0.03);
}

async function weighUp(objects, hosts, seconds) {
  const door = await startDoor(objects, ['--workers', '1']);
  try {
    const [address] = door.ready.gateways[0].addresses;
    return { readyMs: door.readyMs, ...(await weigh(door.api, door.pid, address, hosts, seconds)) };
  } finally {
    await door.stop();
  }
}

async function weighGateway(objects, hosts, seconds) {
  const door = await startDoor(objects, ['--no-gateway']);
  try {
    const since = performance.now();
    const replica = await startGateway(door.ready.api, listen, ['--leader-elect=false', '--workers', '1']);
    const readyMs = performance.now() - since;
    try {
      return { readyMs, ...(await weigh(door.api, replica.pid, listen, hosts, seconds)) };
    } finally {
      await replica.stop();
    }
  } finally {
    await door.stop();
  }
}

async function weigh(api, pid, address, hosts, seconds) {
  const agent = keepAliveAgent(8);
  let ok = 0;
  for (const host of hosts) if ((await ask(address, host, '/', agent)) === 200) ok++;
  agent.destroy();
  const [worker] = childrenOf(pid);
  const cpu = () => cpuMicroseconds(pid) + cpuMicroseconds(worker);
  await untilQuiet(cpu);
  const memory = { control: residentBytes(pid), worker: residentBytes(worker) };
  const idle = () => costOf(cpu, seconds, async () => {});
  const before = await idle();
  const busy = await costOf(cpu, seconds, (n) => changeOne(api, n));
  // A collection may come at any time, and is no part of what it costs to be idle.
  return { ok, ...memory, share: busy - Math.min(before, await idle()) };
}

/** The statuses of 5,000 routes take `fairway gateway` 100 s, at the rate that an API is asked at. */
const patience = 200;
const quietSeconds = 8;

/** Waits until the start is over: statuses written, idle connections closed, what it has left behind collected. */
async function untilQuiet(cpu) {
  let quiet = 0;
  for (let n = 0; n < patience && quiet < quietSeconds; n++) {
    const before = cpu();
    await sleep(1_000);
    quiet = cpu() - before < 40_000 ? quiet + 1 : 0;
  }
  if (quiet < quietSeconds) throw new Error(`the processes were not quiet after ${patience} s`);
}

/** Share of a core over some seconds, in each of which `act` runs once. */
async function costOf(cpu, seconds, act) {
  const before = cpu();
  for (let n = 0; n < seconds; n++) {
    await act(n);
    await sleep(1_000);
  }
  return seconds === 0 ? 0 : (cpu() - before) / (seconds * 1e6);
}

async function changeOne(api, n) {
  const filters = [
    { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-turn', value: String(n) }] } },
  ];
  const { spec, ...route } = estateRoute('mesh-0', 1, { filters });
  await api.patch(route, { spec });
}
