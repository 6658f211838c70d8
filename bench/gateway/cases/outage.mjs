/** Two replicas of `fairway gateway` whose API goes away for a minute, and whose leader is killed: traffic never fails. */
import { startDoor } from '../lib/door.mjs';
import { openWay, startGateway } from '../lib/gateways.mjs';
import { gateway, gatewayClass, route, workload } from '../lib/objects.mjs';
import { constantTraffic, keepAliveAgent, pollUntilOk, sleep, strayStatuses } from '../lib/poller.mjs';

const addresses = ['127.77.91.1', '127.77.91.2'];
const host = (name) => `${name}.example.com`;
const routeOf = (name) =>
  route(name, { hostnames: [host(name)], rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] });
const flags = ['--address', '192.0.2.9', '--lease-duration', '5'];

async function until(holds, mostMs) {
  const since = performance.now();
  while (!holds()) {
    if (performance.now() - since > mostMs) return Number.POSITIVE_INFINITY;
    await sleep(10);
  }
  return performance.now() - since;
}

/** Writes to statuses of routes, by name. */
async function followWrites(api) {
  const writes = {};
  let before = new Map();
  await api.watch(routeOf('any'), ({ type, object }) => {
    const { name } = object.metadata;
    const status = JSON.stringify(object.status ?? null);
    if (type === 'MODIFIED' && before.get(name) !== status) writes[name] = (writes[name] ?? 0) + 1;
    before = before.set(name, status);
  });
  return writes;
}

export async function outage({ short, row }) {
  const seconds = short ? 10 : 60;
  const count = short ? 100 : 1_000;
  const names = Array.from({ length: count }, (_, n) => `app-${n}`);
  const objects = [gatewayClass, gateway(), ...workload('backend'), ...names.map(routeOf)];
  const door = await startDoor(objects, ['--no-gateway']);
  const ways = [await openWay(door.ready.api), await openWay(door.ready.api)];
  const replicas = await Promise.all(ways.map(({ url }, i) => startGateway(url, addresses[i], flags)));
  await until(() => replicas.some(({ leads }) => leads()), 20_000);
  const writes = await followWrites(door.api);
  await sleep(short ? 3_000 : 25_000);
  const targets = names.map((name) => ({ host: host(name), path: '/' }));
  const traffic = addresses.map((address) => constantTraffic(address, targets, 2, 2));

  for (const way of ways) way.shut = true;
  const settled = Object.keys(writes).length;
  await door.api.create(routeOf('meanwhile'));
  await sleep(seconds * 1000);
  const kept = await Promise.all(replicas.map(({ isReady }) => isReady()));
  row(`outage: ready after ${seconds} s without the API`, kept.filter(Boolean).length, 'both', kept.every(Boolean));
  for (const way of ways) way.shut = false;
  const back = performance.now();
  const served = await Promise.all(
    addresses.map((address) => pollUntilOk(address, host('meanwhile'), '/', keepAliveAgent(), 60_000)),
  );
  const resumed = Math.max(...served.map(({ at }) => at)) - back;
  // Attempts to read a kind are at most 5 s apart.
  row('outage: a change of the meantime is served', `${Math.round(resumed)} ms`, '<= 5 s', resumed <= 5_000);
  const written = await until(() => writes.meanwhile > 0, 30_000);
  await sleep(2_000);
  const more = Object.entries(writes).filter(([, times]) => times > 1);
  row(
    'outage: statuses written after it',
    Object.keys(writes).length - settled,
    '1, once',
    Number.isFinite(written) && Object.keys(writes).length - settled === 1 && more.length === 0,
  );

  const leader = replicas.findIndex(({ leads }) => leads());
  const counts = await traffic[leader].stop();
  await replicas[leader].stop('SIGKILL');
  const took = await until(() => replicas[1 - leader].leads(), 20_000);
  row('outage: leader killed, another one leads', `${Math.round(took)} ms`, '<= 8 s', took <= 8_000);
  await sleep(1_000);
  const others = await traffic[1 - leader].stop();
  const stray = [counts, others].map((each) => strayStatuses(each)).join('');
  const total = counts[200] + others[200];
  row('outage: answers all the while', stray || `${total} x 200`, 'all 200', stray === '');
  await replicas[1 - leader].stop();
  await door.stop();
  await Promise.all(ways.map((way) => way.close()));
}
