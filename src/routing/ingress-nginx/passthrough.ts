/**
 * `ssl-passthrough`: TLS of a host goes to the backend of its `/` as it comes, where the operator lets it. Port 443 then
 * tells connections apart by server name first, and what is nobody else's goes to the HTTPS listener.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { BackendResolver, BackendVariant } from '../ingress/backends.ts';
import type { Context } from '../ingress/context.ts';
import type { IngressMember } from '../ingress/members.ts';
import { routeId } from '../ingress/route-id.ts';
import type { PathClaim } from '../ingress/rules.ts';
import {
  backendId,
  type Listener,
  listenerId,
  type Provenance,
  type StreamListener,
  type StreamRoute,
} from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { type NginxKey, nginxPrefix } from './annotations/table.ts';
import type { Location } from './locations.ts';
import type { NginxScope } from './scope.ts';

const asksFor = ({ object }: IngressMember) => readNginxAnnotations(object).asked['ssl-passthrough'] === true;

const fieldPath = `metadata.annotations["${nginxPrefix}ssl-passthrough"]`;

/** Whether the TLS of a host is none of ours. */
export function isPassedThrough({ flags }: NginxScope, hostname: string, mains: readonly IngressMember[]): boolean {
  return flags.sslPassthrough === true && !hostname.startsWith('*') && mains.some(asksFor);
}

/** The bytes are TLS already, whatever the port says. */
const asBytes: BackendVariant = ({ tls: _tls, policy: _policy, proxyProtocol: _proxy, ...backend }) => ({
  ...backend,
  id: `${backendId(backend.namespace, backend.service, backend.port)}/passthrough`,
  protocol: 'tcp',
});

/** Undefined where TLS ends here; reports why, where it was asked for. */
export function passthroughRoute(
  context: Context,
  resolver: BackendResolver,
  scope: NginxScope,
  hostname: string,
  mains: readonly IngressMember[],
  locations: readonly Location[],
): StreamRoute | undefined {
  const asking = mains.find(asksFor);
  if (!asking) return undefined;
  const fault = (why: string) => {
    context.report('FW5503', asking.object, fieldPath, `TLS of ${hostname} is not passed through: ${why}`);
    return undefined;
  };
  if (!scope.flags.sslPassthrough) return fault('--enable-ssl-passthrough is not set');
  if (!isPassedThrough(scope, hostname, mains)) return fault('it is for hosts of one name');
  const claim = locations.find(({ path }) => path === '/')?.claim;
  if (!claim) return fault(`no path / of ${formatRef(asking.ref)} or another Ingress says where to`);
  const guarded = mains.find((member) => isProtected(member) && leadsTo(member, hostname, claim));
  if (guarded) {
    const why = `${formatRef(guarded.ref)} protects what is behind it, and nothing would look at requests within TLS; it ends here`;
    context.report('FW5503', asking.object, fieldPath, `TLS of ${hostname} is not passed through: ${why}`, grave);
    return undefined;
  }
  const at = `${claim.fieldPath}.backend`;
  const { backend, invalid, source } = resolver.resolve(claim.ingress, claim.backend, at, asBytes);
  return {
    id: `${routeId(claim)}/passthrough`,
    serverName: hostname,
    tls: 'passthrough',
    backends: [{ weight: 1, source, ...(backend === undefined ? { invalid: invalid?.reason ?? '' } : { backend }) }],
    source: context.provenance(asking.object, fieldPath),
  };
}

const grave = { severity: 'error' } as const;

/** What keeps requests out; other annotations that protect are about backends, or mean nothing without these. */
const guards: readonly NginxKey[] = [
  ...(['auth-type', 'auth-url', 'auth-tls-secret', 'allowlist-source-range', 'denylist-source-range'] as const),
  ...(['enable-modsecurity', 'configuration-snippet', 'server-snippet'] as const),
];

function isProtected({ object }: IngressMember): boolean {
  const { asked, broken } = readNginxAnnotations(object);
  return broken.length > 0 || guards.some((key) => asked[key] !== undefined && asked[key] !== false);
}

/** Whether an Ingress has the path, or another one to the same Service: TLS that is passed on takes no notice of paths. */
function leadsTo({ reading }: IngressMember, hostname: string, { ingress, backend }: PathClaim): boolean {
  const claims = reading!.claims.byHost.get(hostname)?.paths ?? [];
  return claims.some(
    (claim) =>
      claim.ingress === ingress ||
      (claim.ingress.metadata.namespace === ingress.metadata.namespace &&
        claim.backend?.service?.name === backend?.service?.name),
  );
}

/** In front of HTTPS listeners, on the same address and port; none without routes. */
export function passthroughListeners(
  addresses: readonly string[],
  routes: readonly StreamRoute[],
  listeners: readonly Listener[],
  sources: readonly Provenance[],
): readonly StreamListener[] {
  if (routes.length === 0) return [];
  return addresses.map((address) => {
    const hasHttps = listeners.some((listener) => listener.address === address && listener.protocol === 'HTTPS');
    const rest: StreamRoute = {
      id: 'ingress-nginx/https',
      serverName: '*',
      tls: hasHttps ? 'handover' : 'passthrough',
      backends: [],
      source: routes[0]!.source,
    };
    const id = listenerId(address, 443, 'TLS');
    return { id, address, port: 443, protocol: 'TLS', routes: [...routes, rest], sources };
  });
}
