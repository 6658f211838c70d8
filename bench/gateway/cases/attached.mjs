/** attachedRoutes: exact, soon, and with few writes of the Gateway's status. */
import { startDoor } from '../lib/door.mjs';
import { gateway, gatewayClass, route, workload } from '../lib/objects.mjs';
import { sleep } from '../lib/poller.mjs';

const routeOf = (n) =>
  route(`app-${n}`, { hostnames: [`app-${n}.example.com`], rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] });

export async function attached({ short, flags, row }) {
  const routes = short ? 200 : 1_000;
  const door = await startDoor([gatewayClass, gateway(), ...workload('backend')], flags);
  let writes = 0;
  let seen = { count: 0, at: 0 };
  await door.api.watch(gateway(), ({ object }) => {
    writes++;
    seen = { count: object.status.listeners[0].attachedRoutes, at: performance.now() };
  });
  const until = async (count, limitMs = 30_000) => {
    const since = performance.now();
    while (seen.count !== count && performance.now() - since < limitMs) await sleep(1);
  };
  const many = Array.from({ length: routes }, (_, n) => routeOf(n));
  try {
    for (const [what, write, count] of [
      ['created', door.api.create, routes],
      ['deleted', door.api.delete, 0],
    ]) {
      writes = 0;
      for (const object of many) await write(object);
      const last = performance.now();
      await until(count);
      // Writes that come after the right count count too.
      await sleep(1_000);
      const took = Math.max(0, seen.at - last);
      const right = seen.count === count;
      row(
        `attached: ${routes} routes ${what}: count after the last`,
        `${seen.count} after ${took.toFixed(0)} ms`,
        '<= 1,000 ms',
        right && took <= 1_000,
      );
      row(`attached: ${routes} routes ${what}: writes of the Gateway's status`, String(writes), '<= 20', writes <= 20);
    }
  } finally {
    await door.stop();
  }
}
