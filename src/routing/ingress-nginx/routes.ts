/** A location as a route: its answer or its backends, and what its annotations do on the way there. */
import type { IngressBackend } from '../../kube/types/index.ts';
import type { BuildInput } from '../ingress/host-unit.ts';
import { routeId } from '../ingress/route-id.ts';
import type { Action, Filter, Provenance, Route, WeightedBackend } from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { type Asked, nginxPrefix } from './annotations/table.ts';
import { type CanaryKey, type CanaryPath, canaryKey, patternFault, shareWithCanary } from './canary.ts';
import type { Placed, RouteMaker } from './layout.ts';
import type { Location } from './locations.ts';
import { noTrace } from './methods.ts';
import { report as reportAnnotation } from './policy/desk.ts';
import { listFilters } from './policy/policy.ts';
import { appRoot, httpsRedirect, redirect, slashRedirect } from './redirects.ts';
import { rewrites } from './rewrite.ts';
import type { NginxScope } from './scope.ts';
import { affinityWith, type HostTreatment, type LocationTreatment } from './treatment.ts';

/** Where clients are sent instead, and what becomes of the path. */
interface Turns {
  /** After snippets. */
  readonly away: readonly Filter[];
  readonly https: readonly Filter[];
  readonly change: readonly Filter[];
  /** Why one of these cannot be, in a clause for people. */
  readonly fault?: string;
}

const noTurns: Turns = { away: [], https: [], change: [] };

/** What ingress-nginx's own default backend says. */
const unmatched = { type: 'respond', status: 404, reason: 'no path of an Ingress takes the request' } as const;

const isObserved = ({ policy: { filters } }: LocationTreatment): boolean =>
  [...filters.response, ...filters.content].some(({ type }) => type === 'error-pages' || type === 'mirror');

/** The access log calls ports what the Ingress calls them. */
function named(share: WeightedBackend, reference: IngressBackend | undefined): WeightedBackend {
  const portName = reference?.service?.port?.name;
  return portName ? { ...share, portName } : share;
}

export function createRouteMaker(
  input: BuildInput,
  scope: NginxScope,
  hostname: string,
  treatment: HostTreatment,
  canaries: ReadonlyMap<CanaryKey, CanaryPath>,
): RouteMaker {
  const { context, resolver } = input;

  function sourceOf({ claim, member }: Location): Provenance {
    if (claim) return context.provenance(claim.ingress, claim.fieldPath, { rule: claim.rule, match: claim.path });
    return member ? context.provenance(member.object, 'spec.defaultBackend') : scope.source;
  }

  const idOf = ({ claim, member }: Location) =>
    claim ? routeId(claim) : member ? `Ingress/${member.key}/default` : 'ingress-nginx/default';

  /** What answers for `/` where no Ingress has it. */
  function fallback({ member }: Location, treated: LocationTreatment | undefined): WeightedBackend | undefined {
    const own = member?.object.spec?.defaultBackend;
    if (member && own?.service)
      return named(resolver.resolve(member.object, own, 'spec.defaultBackend', treated?.policy.backendVariant), own);
    const { defaultBackend } = scope.config;
    if (defaultBackend === undefined) return undefined;
    const [namespace = '', name = ''] = defaultBackend.split('/');
    const port = resolver.findService(defaultBackend)?.spec?.ports?.[0]?.port;
    const found = port === undefined ? undefined : resolver.findBackend(namespace, { name, port: { number: port } });
    return found && 'id' in found ? { weight: 1, backend: found.id, filters: [], source: scope.source } : undefined;
  }

  function actionOf(location: Location, treated: LocationTreatment | undefined): Action {
    const { claim } = location;
    const { backendVariant: variant, otherwise } = treated?.policy ?? {};
    const found = claim
      ? named(resolver.resolve(claim.ingress, claim.backend, `${claim.fieldPath}.backend`, variant), claim.backend)
      : fallback(location, treated);
    if (!found) return treated && isObserved(treated) ? unmatchedShare(location) : unmatched;
    const main = otherwise && claim ? { ...found, otherwise } : found;
    const canary = canaries.get(canaryKey(location));
    return canary && treated ? withCanary(main, canary, treated) : { type: 'forward', backends: [main] };
  }

  /** Filters that watch over requests do so of those that no path takes as well. */
  function unmatchedShare(location: Location): Action {
    const { status, reason } = unmatched;
    const share = { weight: 1, invalid: { status, reason }, filters: [], source: sourceOf(location) };
    return { type: 'forward', backends: [share] };
  }

  function withCanary(main: WeightedBackend, canary: CanaryPath, treated: LocationTreatment): Action {
    const { member, backend, fieldPath } = canary;
    const fault = patternFault(canary);
    const field = `metadata.annotations["${nginxPrefix}canary-by-header-pattern"]`;
    if (fault !== undefined) context.reportOnce('FW5502', member.object, field, `the pattern cannot be used: ${fault}`);
    const variant = treated.canaryVariant(member);
    const other = resolver.resolve(member.object, backend, fieldPath, variant);
    return shareWithCanary(main, named(other, backend), canary);
  }

  function turnsOf(location: Location, asked: Asked, captures: number, isSecured: boolean): Turns {
    // What answers for all hosts without rules is not redirected, and not rewritten.
    if (hostname === '*' && !location.claim) return noTurns;
    const away = redirect(asked, captures, scope.config);
    if (typeof away === 'string') return { ...noTurns, fault: `a redirect cannot be made: ${away}` };
    const rewritten = rewrites(location, asked, captures);
    if (!rewritten.ok) return { ...noTurns, fault: `rewrite-target cannot be followed: ${rewritten.error}` };
    const secure = httpsRedirect(location, asked, scope.config, isSecured);
    if (!secure) tellOfPlainHttp(location);
    return {
      away: [...(away ? [away] : []), ...rewritten.value.filter(({ type }) => type === 'respond')],
      https: secure ? [secure] : [],
      change: rewritten.value.filter(({ type }) => type !== 'respond'),
    };
  }

  /** Certificates are a thing of TLS: as in nginx, over plain HTTP nobody is asked for one. */
  function tellOfPlainHttp({ path }: Location): void {
    const { guard, clientValidation } = treatment;
    const isExempt = scope.config.noTlsRedirectLocations.some((exempt) => path.startsWith(exempt));
    if (!guard || !clientValidation || isExempt) return;
    const { asked } = readNginxAnnotations(guard);
    if ((asked['auth-tls-verify-client'] ?? 'on') !== 'on' || asked['auth-tls-match-cn'] !== undefined) return;
    const name = 'auth-tls-secret';
    const message = `${nginxPrefix}${name} holds over TLS only: requests for ${path} of ${hostname} come in over port 80 without a certificate; send them to HTTPS by ${nginxPrefix}force-ssl-redirect`;
    reportAnnotation(context, guard, { code: 'FW5508', name, message });
  }

  function report({ claim, member, path }: Location, fault: string): void {
    const object = claim?.ingress ?? member?.object;
    const field = claim ? `${claim.fieldPath}.path` : 'spec.defaultBackend';
    if (object) context.reportOnce('FW2018', object, field, `${path} of host ${hostname}: ${fault}`);
  }

  function route(location: Location, { match, suffix, captures, fault: broken }: Placed, isSecured: boolean): Route {
    const treated = treatment.ofLocation(location, captures);
    const turns = treated ? turnsOf(location, treated.asked, captures ?? 0, isSecured) : noTurns;
    const fault = broken ?? turns.fault;
    if (fault !== undefined) report(location, fault);
    const refusal = treated?.refusal ?? (fault === undefined ? undefined : 'the path cannot be served');
    const shared = { id: `${idOf(location)}${suffix}`, match: { path: match } };
    const more = { gates: 'as-listed', source: sourceOf(location) } as const;
    if (!treated)
      return { ...shared, filters: [noTrace, ...treatment.filters], action: actionOf(location, treated), ...more };
    const { filters, timeouts, retry, affinity, unlogged } = treated.policy;
    const logged = unlogged && { unlogged };
    if (refusal !== undefined) {
      const shut = [...filters.response, noTrace, ...filters.server];
      return {
        ...shared,
        filters: shut,
        action: { type: 'respond', status: 503, reason: refusal },
        ...logged,
        ...more,
      };
    }
    const action = actionOf(location, treated);
    const canary = canaries.get(canaryKey(location))?.member;
    return {
      ...shared,
      filters: listFilters(filters, {
        server: treated.server,
        rewrite: [...treated.snippet, ...turns.away],
        https: turns.https,
        content: turns.change,
      }),
      action,
      timeouts,
      ...(retry && { retry }),
      ...(affinity && action.type === 'forward' && { affinity: affinityWith(affinity, canary) }),
      ...logged,
      ...more,
    };
  }

  /** Headers of responses. */
  const shown = (location: Location) => treatment.ofLocation(location, undefined)?.policy.filters.response ?? [];
  const askedOf = (location: Location): Asked => treatment.ofLocation(location, undefined)?.asked ?? {};

  return {
    route,
    slash: (location) =>
      slashRedirect(`${idOf(location)}/slash`, location, askedOf(location), scope.config, sourceOf(location), [
        ...shown(location),
        ...treatment.filters,
      ]),
    appRoot: (location, path) =>
      appRoot(`${idOf(location)}/app-root`, path, sourceOf(location), [...shown(location), ...treatment.filters]),
    health: () => ({
      id: 'ingress-nginx/healthz',
      match: { path: { type: 'string-prefix', value: '/healthz' } },
      filters: [],
      action: { type: 'respond', status: 200, body: '', reason: 'the default server is healthy' },
      unlogged: true,
      source: scope.source,
    }),
  };
}
