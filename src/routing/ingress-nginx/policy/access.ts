/** Who is let in, and how much of it: addresses, passwords, a service, `satisfy`, and limits. */
import type { AnyOfFilter, Filter, IpAccessFilter } from '../../plan/plan.ts';
import { basicAuth } from './basic-auth.ts';
import type { Desk, LocationDesk } from './desk.ts';
import { externalAuth, isOpen } from './external-auth.ts';

type AccessFilter = AnyOfFilter['filters'][number];

/** In the order of nginx's access phase. */
export function accessFilters(desk: LocationDesk): readonly Filter[] {
  const addresses = ipAccess(desk);
  const identity: readonly (AccessFilter | undefined)[] = isOpen(desk) ? [] : [basicAuth(desk), externalAuth(desk)];
  const known = identity.filter((filter) => filter !== undefined);
  if (desk.asked.satisfy !== 'any') return addresses ? [addresses, ...known] : known;
  return anyOf(addresses, known);
}

/**
 * nginx counts an address as let in only where a list of those to let in has it. One that no list has, or that is denied,
 * can still say who it is.
 */
function anyOf(addresses: IpAccessFilter | undefined, identity: readonly AccessFilter[]): readonly Filter[] {
  if (identity.length === 0) return addresses ? [addresses] : [];
  const filters = addresses && addresses.allow.length > 0 ? [addresses, ...identity] : identity;
  return filters.length === 1 ? filters : [{ type: 'any-of', filters }];
}

function ipAccess({ asked, config }: Desk): IpAccessFilter | undefined {
  const allow = asked['allowlist-source-range'] ?? config.whitelistSourceRange;
  const listed = asked['denylist-source-range'] ?? config.denylistSourceRange;
  const deny = allow.length + listed.length > 0 ? listed : config.blockCidrs;
  return allow.length + deny.length > 0 ? { type: 'ip-access', allow, deny, status: 403 } : undefined;
}

/** In the order of nginx's phase before access: requests in a time, then requests at a time. */
export function limitFilters({ asked, config, ingress, namespace }: Desk): readonly Filter[] {
  const zone = `Ingress/${namespace}/${ingress.metadata.name}`;
  const { limitKey: key, limitReqStatusCode, limitConnStatusCode } = config;
  const exempt = asked['limit-allowlist'];
  const common = { key, ...(exempt && exempt.length > 0 && { exempt }) };
  const multiplier = asked['limit-burst-multiplier'] ?? 5;
  const rate = (name: string, requests = 0, perMs: number): readonly Filter[] => {
    if (requests === 0) return [];
    const burst = requests * multiplier;
    return [
      { type: 'rate-limit', zone: `${zone}/${name}`, requests, perMs, burst, status: limitReqStatusCode, ...common },
    ];
  };
  const max = asked['limit-connections'] ?? 0;
  return [
    ...rate('rps', asked['limit-rps'], 1_000),
    ...rate('rpm', asked['limit-rpm'], 60_000),
    ...(max > 0
      ? [{ type: 'concurrency' as const, zone: `${zone}/conn`, max, status: limitConnStatusCode, ...common }]
      : []),
  ];
}

export function bodySize({ asked, config }: Desk): readonly Filter[] {
  const maxBytes = asked['proxy-body-size'] ?? config.proxyBodySize;
  return maxBytes > 0 ? [{ type: 'request-size', maxBytes }] : [];
}
