/**
 * `fairway gateway` itself restarts under traffic: one replica of two after the other; the only one, by a new one that is
 * ready before the old one goes; and the only one in place, where nobody listens in between.
 */
import { balancedTraffic, createBalancer } from '../lib/balancer.mjs';
import { startDoor } from '../lib/door.mjs';
import { startGateway } from '../lib/gateways.mjs';
import { gateway, gatewayClass, route, workload } from '../lib/objects.mjs';
import { ask, keepAliveAgent, sleep, strayStatuses } from '../lib/poller.mjs';

const [first, second] = ['127.77.94.1', '127.77.94.2'];
const host = (n) => `app-${n}.example.com`;
const flags = ['--address', '192.0.2.10', '--lease-duration', '5', '--drain-timeout', '5'];
/** What the Deployment waits before the signal (preStop), shortened: this balancer hears at once. */
const beforeSignalMs = 200;

async function retire(balancer, address, replica) {
  balancer.remove(address);
  await sleep(beforeSignalMs);
  await replica.stop();
}

/** Two replicas; each in turn goes, comes, and is ready before the other goes. */
async function rolling(api, hosts, { rounds, row }) {
  const balancer = createBalancer();
  const replicas = new Map();
  const open = async (address) => {
    replicas.set(address, await startGateway(api, address, flags));
    balancer.add(address);
  };
  await Promise.all([first, second].map(open));
  const traffic = balancedTraffic(balancer, hosts);
  for (let n = 0; n < rounds; n++) {
    const address = n % 2 ? second : first;
    await retire(balancer, address, replicas.get(address));
    await open(address);
    await sleep(300);
  }
  const counts = await traffic.stop();
  await Promise.all([...replicas.values()].map(({ stop }) => stop()));
  tell(row, `restart: fairway gateway, two replicas, ${rounds} restarts in turn`, counts);
}

/** One replica; the next one is ready on an address of its own before it goes, as a Deployment does it. */
async function surging(api, hosts, { rounds, row }) {
  const balancer = createBalancer();
  let [address, spare] = [first, second];
  let replica = await startGateway(api, address, flags);
  balancer.add(address);
  const traffic = balancedTraffic(balancer, hosts);
  for (let n = 0; n < rounds; n++) {
    const next = await startGateway(api, spare, flags);
    balancer.add(spare);
    await retire(balancer, address, replica);
    [address, spare, replica] = [spare, address, next];
  }
  const counts = await traffic.stop();
  await replica.stop();
  tell(row, `restart: fairway gateway, one replica, ${rounds} replaced`, counts);
}

function tell(row, what, counts) {
  const stray = strayStatuses(counts);
  row(what, stray || `${counts[200]} x 200`, 'all 200', stray === '');
}

/** One replica on one address: refused while nobody listens; from the first answer on, 200. */
async function inPlace(api, hosts, { rounds, row }) {
  const counts = {};
  let downMs = 0;
  let replica = await startGateway(api, first, flags);
  for (let n = 0; n < rounds; n++) {
    const slow = knock(hosts);
    await replica.stop();
    const stoppedAt = performance.now();
    const starting = startGateway(api, first, flags);
    const answered = await slow.answered(stoppedAt);
    replica = await starting;
    await sleep(300);
    downMs = Math.max(downMs, answered - stoppedAt);
    for (const [status, count] of Object.entries(await slow.stop())) counts[status] = (counts[status] ?? 0) + count;
  }
  await replica.stop();
  const stray = strayStatuses(counts);
  row(
    `restart: fairway gateway, in place ${rounds} times, before the stop and from the first answer on`,
    stray || `${counts[200]} x 200, away for ${Math.round(downMs)} ms at most`,
    'no 404, none refused',
    stray === '',
  );
}

/** New connections one after the other. What is refused between the stop and the next answer is not counted. */
function knock(hosts) {
  const counts = {};
  let going = true;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let lastOk = Number.NEGATIVE_INFINITY;
  let unsure = {};
  async function run() {
    for (let n = 0; going; n++) {
      const agent = keepAliveAgent();
      const status = await ask(first, hosts[n % hosts.length], '/', agent);
      agent.destroy();
      if (status === 'ECONNREFUSED') refusedAt = performance.now();
      if (status === 200) lastOk = performance.now();
      unsure[status] = (unsure[status] ?? 0) + 1;
      await sleep(1);
    }
  }
  const done = run();
  return {
    /** Resolves with the time of the first answer after a stop. */
    async answered(stoppedAt) {
      while (refusedAt < stoppedAt || lastOk < refusedAt) await sleep(1);
      // Those of the time without a listener, and what was in its queue when it was closed.
      for (const gap of ['ECONNREFUSED', 'ECONNRESET']) delete unsure[gap];
      for (const [status, count] of Object.entries(unsure)) counts[status] = (counts[status] ?? 0) + count;
      unsure = counts;
      return lastOk;
    },
    async stop() {
      going = false;
      await done;
      return counts;
    },
  };
}

export async function restartGateway({ short, row }) {
  const routes = short ? 100 : 1_000;
  const hosts = Array.from({ length: routes }, (_, n) => host(n));
  const objects = [
    gatewayClass,
    gateway(),
    ...workload('backend'),
    ...hosts.map((name, n) =>
      route(`app-${n}`, { hostnames: [name], rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] }),
    ),
  ];
  const door = await startDoor(objects, ['--no-gateway']);
  const rounds = short ? 2 : 6;
  await rolling(door.ready.api, hosts, { rounds, row });
  await surging(door.ready.api, hosts, { rounds, row });
  await inPlace(door.ready.api, hosts, { rounds, row });
  await door.stop();
}
