/** One route that changes under constant traffic: every answer must be 200. */
import { startDoor } from '../lib/door.mjs';
import { gateway, gatewayClass, route, workload } from '../lib/objects.mjs';
import { constantTraffic, sleep, strayStatuses } from '../lib/poller.mjs';

const filters = [
  {
    type: 'ResponseHeaderModifier',
    responseHeaderModifier: { add: [{ name: 'my-added-header', value: 'added-value' }] },
  },
];

const flipped = (turn) => ({
  hostnames: ['route.example.com'],
  rules: [{ backendRefs: [{ name: 'backend', port: turn ? 80 : 8080 }], ...(turn && { filters }) }],
});

/** Twelve rules, each with a path of its own, in an order that turns. */
function reordered(turn) {
  const rules = Array.from({ length: 12 }, (_, n) => ({
    matches: [{ path: { type: 'PathPrefix', value: `/${n}` } }],
    backendRefs: [{ name: n % 2 ? 'backend' : 'other', port: n % 3 ? 80 : 8080 }],
  }));
  return { hostnames: ['route.example.com'], rules: [...rules.slice(turn % 12), ...rules.slice(0, turn % 12)] };
}

async function changeUnderTraffic({ short, flags, row }, what, specOf, targets) {
  const turns = short ? 200 : 1_000;
  const first = route('route', specOf(0));
  const door = await startDoor([gatewayClass, gateway(), ...workload('backend'), ...workload('other'), first], flags);
  const [address] = door.ready.gateways[0].addresses;
  const traffic = constantTraffic(address, targets);
  try {
    for (let turn = 1; turn <= turns; turn++) {
      await door.api.patch(first, { spec: specOf(turn) });
      await sleep(20);
    }
  } finally {
    const counts = await traffic.stop();
    await door.stop();
    const stray = strayStatuses(counts);
    const figure = stray || `${counts[200]} x 200`;
    row(`change: ${what} ${turns} times, 20 ms apart`, figure, '100 % 200', stray === '');
  }
}

export async function change(bench) {
  await changeUnderTraffic(bench, 'backend port and filter flipped', (turn) => flipped(turn % 2 === 1), [
    { host: 'route.example.com', path: '/' },
  ]);
  const targets = Array.from({ length: 12 }, (_, n) => ({ host: 'route.example.com', path: `/${n}` }));
  await changeUnderTraffic(bench, 'twelve rules reordered', reordered, targets);
}
