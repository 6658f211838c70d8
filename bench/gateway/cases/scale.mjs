/** 5,000 routes with a Service and a Pod each: time, memory, and what a change each second costs. */
import { cpuMicroseconds, residentBytes } from '../../proxy/lib/figures.mjs';
import { startDoor } from '../lib/door.mjs';
import { estate, estateHost, estateRoute, gateway, gatewayClass } from '../lib/objects.mjs';
import { ask, keepAliveAgent, sleep } from '../lib/poller.mjs';
import { childrenOf } from '../lib/processes.mjs';

export async function scale({ short, row }) {
  const [namespaces, each] = short ? [10, 50] : [50, 100];
  const small = await weigh([gatewayClass, gateway(), ...estate(1, 1)], []);
  const objects = [gatewayClass, gateway(), ...estate(namespaces, each)];
  const routes = namespaces * each;
  const hosts = Array.from({ length: routes }, (_, n) => estateHost(`mesh-${Math.floor(n / each)}`, n % each));
  const large = await weigh(objects, hosts, short ? 5 : 20);
  row(
    `scale: ${routes} routes, Services, Pods: spawn to ready`,
    `${(large.readyMs / 1_000).toFixed(1)} s`,
    '<= 10 s',
    large.readyMs <= 10_000,
  );
  row('scale: every route answered 200 once ready', String(large.ok), String(routes), large.ok === routes);
  row('scale: control process', `${(large.control / 1e6).toFixed(0)} MB`, '<= 300 MB', large.control <= 300e6);
  const perRoute = (large.worker - small.worker) / routes;
  row('scale: worker, per route beyond one', `${(perRoute / 1e3).toFixed(1)} KB`, '<= 10 KB', perRoute <= 10e3);
  row(
    'scale: one change each second, all processes',
    `${(large.share * 100).toFixed(1)} % of a core`,
    '<= 3 %',
    large.share <= 0.03,
  );
}

async function weigh(objects, hosts, seconds = 0) {
  const door = await startDoor(objects, ['--workers', '1']);
  const agent = keepAliveAgent(8);
  try {
    const [address] = door.ready.gateways[0].addresses;
    let ok = 0;
    for (const host of hosts) if ((await ask(address, host, '/', agent)) === 200) ok++;
    await sleep(3_000);
    const [worker] = childrenOf(door.pid);
    const processes = [door.pid, worker];
    const cpu = () => processes.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0);
    const memory = { control: residentBytes(door.pid), worker: residentBytes(worker) };
    const idle = await costOf(cpu, seconds, async () => {});
    const busy = await costOf(cpu, seconds, (n) => changeOne(door.api, n));
    return { readyMs: door.readyMs, ok, ...memory, share: seconds > 0 ? Math.max(0, busy - idle) : 0 };
  } finally {
    agent.destroy();
    await door.stop();
  }
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
