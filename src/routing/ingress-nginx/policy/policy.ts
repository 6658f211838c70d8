/**
 * What annotations of ingress-nginx ask of the requests of one location. An annotation that protects and cannot be had
 * shuts the location, and no other; of the others the default holds.
 */
import type { Ingress } from '../../../kube/types/index.ts';
import type { BackendVariant } from '../../ingress/backends.ts';
import type { Affinity, Filter, Retry, Route, WeightedBackend } from '../../plan/plan.ts';
import { shared } from '../../plan/shared.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import { type Asked, type NginxKey, nginxPrefix } from '../annotations/table.ts';
import type { NginxConfig } from '../config/config.ts';
import { noTrace } from '../methods.ts';
import { accessFilters, bodySize, limitFilters } from './access.ts';
import { backendVariant } from './backend-variant.ts';
import { corsFilters } from './cors.ts';
import {
  createLocationDesk,
  type LocationDesk,
  type LocationFacts,
  type PolicyScope,
  report,
  reportAnnotations,
} from './desk.ts';
import { errorPolicy } from './errors.ts';
import { blocked, compression, forbidden, shutByConfig } from './global.ts';
import { bandwidthFilters, mirrorFilters, requestFilters, unseenHeaders } from './request.ts';
import { responseFilters, rewriteFilters } from './response.ts';
import { clientTlsKeys } from './server.ts';
import { sharedFilters } from './sharing.ts';
import { affinityOf, retryOf, timeoutsOf } from './traffic.ts';

export type { LocationFacts, PolicyScope } from './desk.ts';
export type { OwnPath } from './own-host.ts';
export { asksForCertificates, type ServerPolicy, serverPolicy } from './server.ts';

/** Each in its order; `listFilters` puts them together. */
export interface LocationFilters {
  /**
   * For responses of every kind: first, so that those made by what follows have them too; and before them, which headers
   * of the request there are.
   */
  readonly response: readonly Filter[];
  /** nginx's handshake and server rewrites: certificates of clients. */
  readonly server: readonly Filter[];
  /** When the location is found: the size of bodies. */
  readonly found: readonly Filter[];
  /** Location rewrites: the answer to preflight requests. */
  readonly rewrite: readonly Filter[];
  readonly limits: readonly Filter[];
  readonly access: readonly Filter[];
  /** What is done to requests that got so far, and to their responses. */
  readonly content: readonly Filter[];
}

export interface LocationPolicy {
  readonly filters: LocationFilters;
  readonly timeouts: NonNullable<Route['timeouts']>;
  readonly retry?: Retry;
  readonly affinity?: Affinity;
  /** For `BackendResolver.resolve`. Absent: the Service's backend as it is. */
  readonly backendVariant?: BackendVariant;
  /** Of the location's backend. */
  readonly otherwise?: NonNullable<WeightedBackend['otherwise']>;
  readonly unlogged?: true;
  /** The location lets no request through (503), for this reason. Clients get to see it: it names no object. */
  readonly refusal?: string;
}

/** What others have to add, by the phase that it comes in. */
export interface FurtherFilters {
  /** After certificates of clients: server snippets, `app-root`. */
  readonly server?: readonly Filter[];
  /** After preflight requests: snippets, redirects to other URLs. */
  readonly rewrite?: readonly Filter[];
  /** The redirect to HTTPS, which comes when rewrites are over. */
  readonly https?: readonly Filter[];
  /** After the headers that backends and clients get anyway. */
  readonly content?: readonly Filter[];
}

/** In the order in which nginx has its phases: for routes with gates `as-listed`. */
export function listFilters(own: LocationFilters, further: FurtherFilters = {}): readonly Filter[] {
  const { server = [], rewrite = [], https = [], content = [] } = further;
  return [
    ...own.response,
    noTrace,
    ...own.server,
    ...server,
    ...own.found,
    ...own.rewrite,
    ...rewrite,
    ...https,
    ...own.limits,
    ...own.access,
    ...own.content,
    ...content,
  ];
}

/** `asked` is what the annotations of the Ingress say; it is not a canary. */
export function locationPolicy(
  scope: PolicyScope,
  ingress: Ingress,
  asked: Asked,
  config: NginxConfig,
  facts: LocationFacts,
): LocationPolicy {
  reportAnnotations(scope, ingress);
  const desk = createLocationDesk(scope, ingress, asked, config, facts);
  const cors = corsFilters(desk);
  const errors = errorPolicy(desk);
  const content = [requestFilters(desk), mirrorFilters(desk), rewriteFilters(desk), bandwidthFilters(desk)].flat();
  const response = [
    unseenHeaders(config),
    responseFilters(desk),
    cors.response,
    errors.filters,
    compression(desk),
  ].flat();
  const filters: LocationFilters = {
    response: sharedFilters(response),
    server: sharedFilters([...(facts.server?.filters ?? []), ...blocked(desk)]),
    found: sharedFilters(bodySize(desk)),
    rewrite: sharedFilters(cors.preflight),
    limits: sharedFilters(limitFilters(desk)),
    access: sharedFilters(accessFilters(desk)),
    content: sharedFilters(content),
  };
  const variant = backendVariant(desk);
  const retry = retryOf(desk);
  const affinity = affinityOf(desk);
  const refusal = refusalOf(desk);
  return {
    filters,
    timeouts: shared(timeoutsOf(desk)),
    ...(retry && { retry: shared(retry) }),
    ...(affinity && { affinity }),
    ...(variant && { backendVariant: variant }),
    ...(errors.otherwise && { otherwise: errors.otherwise }),
    ...(isUnlogged(desk) && { unlogged: true }),
    ...(refusal !== undefined && { refusal }),
  };
}

function isUnlogged({ asked, config, facts }: LocationDesk): boolean {
  return (
    asked['enable-access-log'] === false || config.disableAccessLog || config.skipAccessLogUrls.includes(facts.path)
  );
}

/** What nothing here can do in the place of nginx. */
function unspoken({ scope, ingress, asked, miss }: LocationDesk): string | undefined {
  if (asked['enable-modsecurity'])
    miss('enable-modsecurity', 'there is no web application firewall here; put one in front');
  if (asked['backend-protocol'] !== 'FCGI') return undefined;
  const message = `${nginxPrefix}backend-protocol: FastCGI is not spoken; put a web server in front of the application`;
  report(scope, ingress, { code: 'FW5501', name: 'backend-protocol', message });
  return refusalBy('backend-protocol');
}

const refusalBy = (key: NginxKey) => `the annotation ${nginxPrefix}${key} cannot be honoured`;

/** Of these, what is wrong shuts the location in another place, or only when there is something to shut. */
function isElsewhere(key: NginxKey, { config }: LocationDesk): boolean {
  return clientTlsKeys.includes(key) || (key === 'enable-global-auth' && !config.globalAuth);
}

function refusalOf(desk: LocationDesk): string | undefined {
  const why = unspoken(desk);
  const shut = shutByConfig(desk);
  const risky = forbidden(desk);
  if (shut !== undefined) return shut;
  if (desk.facts.server?.refusal !== undefined) return desk.facts.server.refusal;
  const { broken } = readNginxAnnotations(desk.ingress);
  const culprit = broken.find((key) => !isElsewhere(key, desk)) ?? desk.missed ?? risky;
  return culprit === undefined ? why : refusalBy(culprit);
}
