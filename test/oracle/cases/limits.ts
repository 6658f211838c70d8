/** Limits, which bursts show: how many of a burst are let through, and what the others get. */
import type { OracleCase } from '../harness/case.ts';
import type { Ask } from '../harness/client.ts';
import { tell } from '../harness/echo.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';
import type { Side } from '../harness/observe.ts';

/** Statuses of requests sent at once, and how often each. */
async function burst(side: Side, asks: readonly Ask[]): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const answers = await Promise.all(asks.map((ask) => side.observe(ask)));
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const times = (count: number, ask: Ask): Ask[] => Array.from({ length: count }, () => ask);
const stranger = '127.86.0.1';

const zones = (name: string) => `
  geo $remote_addr $allowed_${name} { default 0; 127.86.0.0/16 1; }
  map $allowed_${name} $limit_${name} { 0 $binary_remote_addr; 1 ''; }`;

const perSecond = 'limit_req zone=rps burst=5 nodelay;';

export const limitCases: readonly OracleCase[] = [
  {
    name: 'limit-rps and limit-rpm',
    manifests:
      ingress({
        name: 'second',
        annotations: { 'limit-rps': '1', 'limit-whitelist': '127.86.0.0/16' },
        rules: { 'rps.test': [['Prefix', '/a', 'alpha'], ['Prefix', '/b', 'beta']], 'twin.test': [['Prefix', '/', 'alpha']] }, // biome-ignore format: one line
      }) +
      ingress({
        name: 'minute',
        annotations: { 'limit-rpm': '6', 'limit-burst-multiplier': '2' },
        rules: { 'rpm.test': [['Prefix', '/', 'alpha']] },
      }) +
      ingress({
        name: 'both',
        annotations: { 'limit-rpm': '2', 'limit-rps': '1' },
        rules: { 'both.test': [['Prefix', '/', 'alpha']] },
      }),
    nginx: {
      http: `${zones('rps')}${zones('both')}
  limit_req_zone $limit_rps zone=rps:1m rate=1r/s;
  limit_req_zone $binary_remote_addr zone=rpm:1m rate=6r/m;
  limit_req_zone $binary_remote_addr zone=both_rps:1m rate=1r/s; limit_req_zone $binary_remote_addr zone=both_rpm:1m rate=2r/m;`,
      servers:
        nobody +
        server(
          'rps.test',
          prefix('/a', 'alpha', { before: perSecond }) + prefix('/b', 'beta', { before: perSecond }) + rest({ before: perSecond }), // biome-ignore format: one line
        ) +
        server('twin.test', location('"/"', 'alpha', { before: perSecond })) +
        server('rpm.test', location('"/"', 'alpha', { before: 'limit_req zone=rpm burst=12 nodelay;' })) +
        server('both.test', location('"/"', 'alpha', { before: 'limit_req zone=both_rps burst=5 nodelay; limit_req zone=both_rpm burst=10 nodelay;' })), // biome-ignore format: one line
    },
    async play(side) {
      return {
        // One zone for the Ingress, whatever the path and the host.
        mixed: await burst(side, [...times(4, { host: 'rps.test', target: '/a' }), ...times(4, { host: 'rps.test', target: '/b' }), ...times(4, { host: 'twin.test', target: '/' }), ...times(2, { host: 'rps.test', target: '/none' })]).then(total), // biome-ignore format: one line
        allowed: await burst(side, times(20, { host: 'rps.test', target: '/a', from: stranger })),
        another: await burst(side, times(10, { host: 'rps.test', target: '/a', from: '127.85.200.9' })),
        minute: await burst(side, times(30, { host: 'rpm.test', target: '/' })),
        both: await burst(side, times(12, { host: 'both.test', target: '/' })),
      };
    },
  },
  {
    name: 'limit-connections',
    manifests: ingress({
      name: 'few',
      annotations: { 'limit-connections': '3' },
      rules: { 'few.test': [['Prefix', '/', 'alpha']] },
    }),
    nginx: {
      http: 'limit_conn_zone $binary_remote_addr zone=few:1m;',
      servers: nobody + server('few.test', location('"/"', 'alpha', { before: 'limit_conn few 3;' })),
    },
    async play(side) {
      const slow = { host: 'few.test', target: '/', headers: [tell('alpha', { afterMs: 250 })] };
      const together = await burst(side, times(8, slow));
      const one = (await side.observe({ host: 'few.test', target: '/' })).status;
      return {
        together,
        one,
        others: await burst(side, [...times(2, slow), ...times(3, { ...slow, from: stranger })]),
      };
    },
  },
];

/** Of those refused and those not; paths without a backend are let through to a 404. */
function total(counts: Readonly<Record<string, number>>): { readonly refused: number; readonly taken: number } {
  const refused = counts['503'] ?? 0;
  return { refused, taken: Object.values(counts).reduce((sum, count) => sum + count, 0) - refused };
}
