/** What annotations do to the requests of one location, whoever reads them: put together in the order of nginx's phases. */

import type { Ingress } from '../../kube/types/index.ts';
import type { BackendResolver } from '../ingress/backends.ts';
import type { Context } from '../ingress/context.ts';
import type { IngressMember } from '../ingress/members.ts';
import type { Affinity, ClientValidation, Filter } from '../plan/plan.ts';
import { withoutPolicy } from '../route-policy/policy.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import type { Asked } from './annotations/table.ts';
import type { NginxConfig } from './config/config.ts';
import { type Location, rewriteTargetOf } from './locations.ts';
import { isPassedThrough } from './passthrough.ts';
import { backendVariant } from './policy/backend-variant.ts';
import { createLocationDesk, type LocationFacts, localsOf, type PolicyScope } from './policy/desk.ts';
import { laterRefusal } from './policy/later-certificates.ts';
import {
  asksForCertificates,
  type LocationPolicy,
  locationPolicy,
  type OwnPath,
  type ServerPolicy,
  serverPolicy,
} from './policy/policy.ts';
import type { NginxScope } from './scope.ts';
import { readGlobalSnippet, readServerSnippets, readSnippet, type SnippetReading, together } from './snippets.ts';

export interface HostTreatment {
  readonly clientValidation?: ClientValidation | undefined;
  /** Who asks for certificates of clients. */
  readonly guard?: Ingress | undefined;
  /** For answers that come before any location. */
  readonly filters: readonly Filter[];
  /** Undefined for the default server without an Ingress of its own. */
  ofLocation(location: Location, captures: number | undefined): LocationTreatment | undefined;
}

export interface LocationTreatment {
  readonly asked: Asked;
  readonly policy: LocationPolicy;
  /** Of server snippets and of those of the location. */
  readonly server: readonly Filter[];
  readonly snippet: readonly Filter[];
  readonly refusal?: string | undefined;
  /** How the backend of a canary is spoken to: as the path's own, and balanced as the canary says. */
  canaryVariant(canary: IngressMember): LocationPolicy['backendVariant'];
}

/** `mains`: without canaries, in the order of ingress-nginx. */
export function treatHost(
  context: Context,
  resolver: BackendResolver,
  { config, ...shared }: NginxScope,
  hostname: string,
  mains: readonly IngressMember[],
): HostTreatment {
  const scope: PolicyScope = { input: context.input, findings: context.findings, resolver };
  const isPassed = isPassedThrough({ config, ...shared }, hostname, mains);
  for (const { object } of mains) withoutPolicy(context, object, 'on an Ingress of the class of ingress-nginx');
  const [guard, ...rivals] = mains.filter(({ object }) => asksForCertificates(object)).map(({ object }) => object);
  const server = guard && serverPolicy(scope, guard, readNginxAnnotations(guard).asked, config);
  const scripts = readServerSnippets(scope, config, mains);
  const snippet = together(scripts.ofHost, readGlobalSnippet(config, 'server'));
  const refusals = new Map(rivals.map((rival) => [rival, laterRefusal(scope, guard!, rival)]));
  const refusalOf = ({ object }: IngressMember) => refusals.get(object) ?? scripts.refusals.get(object);
  const paths = mains.flatMap((member) => pathsOf(hostname, member));
  return {
    clientValidation: server?.clientValidation,
    guard,
    filters: [...(server?.filters ?? []), ...snippet.filters],
    ofLocation(location, captures) {
      const { member } = location;
      if (!member) return undefined;
      const asked = isPassed ? overTls(readNginxAnnotations(member.object).asked) : undefined;
      const facts = { ...factsOf(hostname, location, captures, server), paths };
      const treated = treatLocation(scope, config, member, facts, snippet, asked);
      const refusal = treated.refusal ?? refusalOf(member);
      return refusal === treated.refusal ? treated : { ...treated, refusal };
    },
  };
}

/** Where a URL on the host itself may lead. */
function pathsOf(hostname: string, { reading }: IngressMember): readonly OwnPath[] {
  const claims = reading!.claims.byHost.get(hostname)?.paths ?? [];
  return claims.flatMap(({ type, value, ingress, backend }) =>
    backend?.service ? [{ type, value, ingress, service: backend.service }] : [],
  );
}

function treatLocation(
  scope: PolicyScope,
  config: NginxConfig,
  member: IngressMember,
  facts: LocationFacts,
  server: SnippetReading,
  asked: Asked = readNginxAnnotations(member.object).asked,
): LocationTreatment {
  const { object } = member;
  const policy = locationPolicy(scope, object, asked, config, facts);
  const variables = { locals: localsOf(object, facts), captures: facts.groups };
  const own = readSnippet(scope, config, member, 'location', variables);
  const snippet = together(own, readGlobalSnippet(config, 'location', variables));
  return {
    asked,
    policy,
    server: server.filters,
    snippet: snippet.filters,
    refusal: policy.refusal ?? server.refusal ?? snippet.refusal,
    canaryVariant: (canary) => canaryVariant(scope, config, { main: object, asked }, canary, facts),
  };
}

/** A backend that TLS is passed through to speaks nothing else, over port 80 neither. */
function overTls(asked: Asked): Asked {
  return asked['backend-protocol'] === 'GRPCS' ? asked : { ...asked, 'backend-protocol': 'HTTPS' };
}

function canaryVariant(
  scope: PolicyScope,
  config: NginxConfig,
  { main, asked: ofMain }: { readonly main: Ingress; readonly asked: Asked },
  canary: IngressMember,
  facts: LocationFacts,
): LocationPolicy['backendVariant'] {
  const { 'load-balance': _balance, 'upstream-hash-by': _hash, ...shape } = ofMain;
  const { 'load-balance': balance, 'upstream-hash-by': hash } = readNginxAnnotations(canary.object).asked;
  const asked: Asked = {
    ...shape,
    ...(balance !== undefined && { 'load-balance': balance }),
    ...(hash !== undefined && { 'upstream-hash-by': hash }),
  };
  const variant = backendVariant(createLocationDesk(scope, main, asked, config, facts));
  return (
    variant &&
    ((backend) => {
      const made = variant(backend);
      return { ...made, id: `${made.id}/canary/${canary.key}` };
    })
  );
}

function factsOf(
  hostname: string,
  location: Location,
  captures: number | undefined,
  server: ServerPolicy | undefined,
): LocationFacts {
  const { claim, member } = location;
  const service = (claim ? claim.backend : member?.object.spec?.defaultBackend)?.service;
  return {
    hostname,
    path: claim?.value ?? location.path,
    isPattern: captures !== undefined,
    groups: captures ?? 0,
    rewrites: rewriteTargetOf(location) !== undefined,
    service: service?.name ?? '',
    port: String(service?.port?.name ?? service?.port?.number ?? ''),
    ...(server && { server }),
  };
}

/** A session counts within the share of the canary where that says so. */
export function affinityWith(affinity: Affinity, canary: IngressMember | undefined): Affinity {
  const { split: _split, ...plain } = affinity;
  if (!canary) return affinity;
  const isLegacy = readNginxAnnotations(canary.object).asked['affinity-canary-behavior'] === 'legacy';
  return isLegacy ? { ...plain, split: 'weight' } : plain;
}
