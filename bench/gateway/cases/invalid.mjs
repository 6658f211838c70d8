/** One invalid object of each kind among good ones: nothing else changes. */
import { startDoor } from '../lib/door.mjs';
import { gateway, gatewayApi, gatewayClass, httpListener, route, workload } from '../lib/objects.mjs';
import { ask, constantTraffic, keepAliveAgent, sleep, strayStatuses } from '../lib/poller.mjs';

const host = (n) => `good-${n}.example.com`;
const good = (n) =>
  route(`good-${n}`, { hostnames: [host(n)], rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] });
const parentRefs = [{ name: 'bench' }];
const object = (kind, spec, more = {}) => ({
  apiVersion: gatewayApi,
  kind,
  metadata: { name: 'bad', namespace: 'default' },
  spec,
  ...more,
});
const missing = { backendRefs: [{ name: 'missing', port: 80 }] };

/** What the schemas let through and no data plane can serve. */
const bad = [
  object('GatewayClass', {
    controllerName: 'fairway.dev/gateway',
    parametersRef: { group: 'x.io', kind: 'X', name: 'x' },
  }),
  object('Gateway', {
    gatewayClassName: 'bench',
    listeners: [
      { name: 'a', port: 80, protocol: 'example.com/odd' },
      { name: 'b', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'missing' }] } },
    ],
  }),
  object('HTTPRoute', {
    parentRefs,
    hostnames: [host(1)],
    rules: [{ matches: [{ path: { type: 'RegularExpression', value: '/(' } }], ...missing }],
  }),
  object('GRPCRoute', {
    parentRefs,
    hostnames: [host(2)],
    rules: [{ matches: [{ headers: [{ type: 'RegularExpression', name: 'a', value: '(' }] }], ...missing }],
  }),
  object('TLSRoute', { parentRefs, hostnames: [host(3)], rules: [missing] }),
  object('TCPRoute', { parentRefs, rules: [missing] }),
  object('UDPRoute', { parentRefs, rules: [missing] }),
  object('ListenerSet', { parentRef: { name: 'bench' }, listeners: [{ ...httpListener, name: 'same' }] }),
  object('ReferenceGrant', {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'Nothing', namespace: 'default' }],
    to: [{ group: '', kind: 'Nothing' }],
  }),
  object('BackendTLSPolicy', {
    targetRefs: [{ group: '', kind: 'Service', name: 'missing' }],
    validation: { hostname: 'a.example.com', caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'missing' }] },
  }),
];

export async function invalid({ short, flags, row }) {
  const routes = short ? 100 : 1_000;
  const many = Array.from({ length: routes }, (_, n) => good(n));
  const door = await startDoor([gatewayClass, gateway(), ...workload('backend'), ...many], flags);
  const [address] = door.ready.gateways[0].addresses;
  const targets = many.map((_, n) => ({ host: host(n), path: '/' }));
  const traffic = constantTraffic(address, targets);
  const refused = [];
  try {
    for (const each of bad) {
      await door.api.create(each).catch((error) => refused.push(`${each.kind}: ${error.message}`));
      await sleep(200);
    }
    const stray = strayStatuses(await traffic.stop());
    const agent = keepAliveAgent();
    const after = {};
    for (const target of targets) {
      const status = await ask(address, target.host, target.path, agent);
      after[status] = (after[status] ?? 0) + 1;
    }
    agent.destroy();
    const strayAfter = strayStatuses(after);
    const figure = [stray, strayAfter].filter(Boolean).join('; ') || `${after[200]} of ${routes} still 200`;
    row(
      `invalid: ${bad.length - refused.length} kinds of bad objects among ${routes} good routes`,
      figure,
      'nothing changes',
      !stray && !strayAfter,
    );
    for (const refusal of refused) row('invalid: refused by the API already', refusal, 'taken', false);
  } finally {
    await traffic.stop();
    await door.stop();
  }
}
