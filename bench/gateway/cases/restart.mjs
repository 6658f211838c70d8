/** A worker that dies, and a front door that starts again: a configured route is never 404, nor refused once listening. */
import { startDoor } from '../lib/door.mjs';
import { gateway, gatewayClass, route, workload } from '../lib/objects.mjs';
import { ask, keepAliveAgent, sleep, strayStatuses } from '../lib/poller.mjs';
import { childrenOf } from '../lib/processes.mjs';
import { restartGateway } from './restart-gateway.mjs';

const host = (n) => `app-${n}.example.com`;
const routeOf = (n) =>
  route(`app-${n}`, { hostnames: [host(n)], rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] });

/** A new connection for each request; `counts` grows until `stop`. */
function knock(address, routes) {
  const counts = {};
  let going = true;
  async function run() {
    for (let n = 0; going; n++) {
      const agent = keepAliveAgent();
      const status = await ask(address, host(n % routes), '/', agent);
      agent.destroy();
      // Before the first answer nothing listens yet.
      if (status !== 'ECONNREFUSED' || Object.keys(counts).length > 0) counts[status] = (counts[status] ?? 0) + 1;
      await sleep(1);
    }
  }
  const done = run();
  return {
    counts,
    async stop() {
      going = false;
      await done;
      return counts;
    },
  };
}

export async function restart(bench) {
  await restartFrontDoor(bench);
  await restartGateway(bench);
}

async function restartFrontDoor({ short, row }) {
  const routes = short ? 100 : 1_000;
  const objects = [
    gatewayClass,
    gateway(),
    ...workload('backend'),
    ...Array.from({ length: routes }, (_, n) => routeOf(n)),
  ];
  const first = await startDoor(objects, ['--workers', '2']);
  const [address] = first.ready.gateways[0].addresses;
  const kills = short ? 2 : 10;
  const during = knock(address, routes);
  for (let n = 0; n < kills; n++) {
    process.kill(childrenOf(first.pid)[0], 'SIGKILL');
    await sleep(1_500);
  }
  // Requests that the dead worker had in hand are lost with it.
  const counts = await during.stop();
  const stray = strayStatuses(counts, ['200', 'ECONNRESET']);
  const resets = counts.ECONNRESET ?? 0;
  row(
    `restart: workers killed ${kills} times`,
    stray || `${counts[200]} x 200, ${resets} in hand lost`,
    'no 404, none refused',
    stray === '' && resets <= kills,
  );
  await first.stop();

  const starts = short ? 2 : 5;
  const all = {};
  for (let n = 0; n < starts; n++) {
    const knocking = knock(address, routes);
    const door = await startDoor(objects, ['--workers', '2']);
    await sleep(500);
    const seen = await knocking.stop();
    for (const [status, count] of Object.entries(seen)) all[status] = (all[status] ?? 0) + count;
    await door.stop();
  }
  const strayStarts = strayStatuses(all);
  row(
    `restart: everything started ${starts} times, from the first connection on`,
    strayStarts || `${all[200]} x 200`,
    'no 404, none refused',
    strayStarts === '',
  );
}
