/** Routes added one by one: from the write to the first right answer. */
import { startDoor } from '../lib/door.mjs';
import { estate, estateRoute, gateway, gatewayClass, probedHost, probedRoute, workload } from '../lib/objects.mjs';
import { keepAliveAgent, percentile, pollUntilOk, sleep, strayStatuses } from '../lib/poller.mjs';

export async function probe({ short, flags, row }) {
  const routes = short ? 300 : 3_000;
  const door = await startDoor([gatewayClass, gateway(), ...workload('backend')], flags);
  try {
    const { times, others } = await addRoutes(door, routes);
    report(row, `${routes} routes added one by one`, times, others, 30);
    const tenth = Math.floor(times.length / 10);
    const first = percentile(times.slice(0, tenth), 0.5);
    const last = percentile(times.slice(-tenth), 0.5);
    row(
      'probe: median of the first tenth and of the last',
      `${first.toFixed(1)} ms, ${last.toFixed(1)} ms`,
      'flat',
      last < first * 1.5 + 2,
    );
  } finally {
    await door.stop();
  }
}

export async function loadedProbe({ short, flags, row }) {
  const [namespaces, each] = short ? [10, 50] : [50, 100];
  const objects = [gatewayClass, gateway(), ...workload('backend'), ...estate(namespaces, each)];
  const door = await startDoor(objects, flags);
  const change = changeEachSecond(door.api, each);
  try {
    const { times, others } = await addRoutes(door, short ? 50 : 300, 40);
    report(
      row,
      `${times.length} routes beside ${namespaces * each} of which one changes each second, with a Pod`,
      times,
      others,
      50,
    );
  } finally {
    await change.stop();
    await door.stop();
  }
}

async function addRoutes({ api, ready }, routes, pauseMs = 0) {
  const [address] = ready.gateways[0].addresses;
  const agent = keepAliveAgent();
  const times = [];
  const others = {};
  for (let index = 0; index < routes; index++) {
    const polled = pollUntilOk(address, probedHost(index), `/${index}`, agent);
    // The first answer, which is 404, has to be there before the route is.
    await sleep(2);
    const since = performance.now();
    await api.create(probedRoute(index));
    const { at, others: seen } = await polled;
    times.push(at - since);
    for (const [status, count] of Object.entries(seen)) others[status] = (others[status] ?? 0) + count;
    if (pauseMs > 0) await sleep(pauseMs);
  }
  agent.destroy();
  return { times, others };
}

/** One route's filter and one Deployment's only Pod. */
function changeEachSecond(api, each) {
  let going = true;
  async function run() {
    for (let n = 0; going; n++) {
      const value = String(n);
      const filters = [
        { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-turn', value }] } },
      ];
      const { spec, ...route } = estateRoute('mesh-1', n % each, { filters });
      await api.patch(route, { spec });
      const [deployment] = workload(`app-${n % each}`, 'mesh-2', []);
      await api.patch(deployment, { spec: { template: { metadata: { annotations: { turn: value } } } } });
      await sleep(1_000);
    }
  }
  const done = run();
  return {
    async stop() {
      going = false;
      await done;
    },
  };
}

function report(row, what, times, others, boundMs) {
  const p99 = percentile(times, 0.99);
  const stray = strayStatuses(others, ['404']);
  const figure = `p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${p99.toFixed(1)}, worst ${Math.max(...times).toFixed(1)} ms`;
  row(`probe: ${what}`, figure, `p99 <= ${boundMs} ms`, p99 <= boundMs);
  row('probe: answers other than 404, then 200', stray || 'none', 'none', stray === '');
}
