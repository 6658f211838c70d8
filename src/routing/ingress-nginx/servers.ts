/** A host in the dialect of ingress-nginx: its locations as routes, and what else is answered for its name. */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { Context } from '../ingress/context.ts';
import type { BuildInput, BuiltHost, Conflict, HostUnit } from '../ingress/host-unit.ts';
import type { IngressMember } from '../ingress/members.ts';
import type { PathClaim } from '../ingress/rules.ts';
import type { Provenance, Route } from '../plan/plan.ts';
import { attachCanaries, reportUnheeded } from './canary.ts';
import { layOut } from './layout.ts';
import { inOrder, type LostPath, mergeLocations } from './locations.ts';
import { compareInNginx } from './order.ts';
import { otherNames } from './other-names.ts';
import { passthroughRoute } from './passthrough.ts';
import { createRouteMaker } from './routes.ts';
import type { NginxScope } from './scope.ts';
import { treatHost } from './treatment.ts';

/** `members` are those of the unit that are of this dialect. */
export function buildServer(
  input: BuildInput,
  { hostname }: HostUnit,
  members: readonly IngressMember[],
  scope: NginxScope,
): BuiltHost {
  const ordered = [...members].sort(compareInNginx);
  const mains = ordered.filter(({ reading }) => !reading!.isCanary);
  const everyone = hostname === '*' ? mains.filter(takesEveryone) : [];
  const merged = mergeLocations(hostname, mains, (member) => usablePaths(scope, hostname, member), everyone[0]);
  const isServer = mains.length > 0 || hostname === '*';
  const locations = isServer ? inOrder(merged.locations) : [];
  const canaries = ordered.filter(({ reading }) => reading!.isCanary);
  const attached = attachCanaries(hostname, locations, canaries);
  const conflicts = [
    ...merged.lost.map(conflictOf),
    ...everyone.slice(1).map((member) => lateEveryone(member, everyone[0]!)),
    ...attached.conflicts,
    ...mains.flatMap((member) => unusablePaths(scope, hostname, member)),
  ];
  if (!isServer) return { compiled: [], conflicts };
  const stamp = stampOf(scope, hostname);
  const gathered = input.resolver.gather(() => {
    const treatment = treatHost(input.context, input.resolver, scope, hostname, mains);
    for (const canary of canaries) reportUnheeded(input.context, canary);
    const maker = createRouteMaker(input, scope, hostname, treatment, attached.canaries);
    const sources = mains.flatMap((member) => sourcesOf(input.context, hostname, member));
    const routesFor = (isSecured: boolean): readonly Route[] => layOut(maker, hostname, locations, isSecured);
    const shared = { wildcard: 'one-label', paths: 'normal' } as const;
    const from = sources.length > 0 ? sources : [scope.source];
    return {
      host: { hostname, ...shared, routes: routesFor(scope.certificates.isSecured(hostname)), sources: from },
      clientValidation: treatment.clientValidation,
      passthrough: passthroughRoute(input.context, input.resolver, scope, hostname, mains, locations),
      others: otherNames(input, scope, hostname, mains, locations, routesFor),
    };
  }, 'ingress-nginx');
  const { host, others, clientValidation, passthrough } = gathered.value;
  return {
    host,
    others,
    clientValidation,
    passthrough,
    compiled: [{ ...gathered, turn: input.freshness.turn }],
    conflicts,
    stamp,
  };
}

/** What of the certificates a host depends on. */
export function stampOf({ certificates }: NginxScope, hostname: string): string {
  const own = certificates.byHost.get(hostname);
  return `${certificates.isSecured(hostname)} ${own?.id} ${own?.names.join()}`;
}

/** A default backend without rules is for all hosts that have none. */
const takesEveryone = ({ object: { spec } }: IngressMember) =>
  spec?.defaultBackend?.service !== undefined && !spec.rules?.length;

function claimsOf(hostname: string, { reading }: IngressMember): readonly PathClaim[] {
  return reading!.claims.byHost.get(hostname)?.paths ?? [];
}

/** Plain paths, which `strict-validate-path-type` permits with Exact and Prefix. */
const plainPath = /^\/[A-Za-z0-9._\-/]*$/;

const isUsable = ({ config }: NginxScope, { pathType, value }: PathClaim) =>
  pathType === 'ImplementationSpecific' || !config.strictValidatePathType || plainPath.test(value);

/** Paths of resource backends are as if they were not there. */
function usablePaths(scope: NginxScope, hostname: string, member: IngressMember): readonly PathClaim[] {
  return claimsOf(hostname, member).filter((claim) => isUsable(scope, claim) && claim.backend?.service);
}

function unusablePaths(scope: NginxScope, hostname: string, member: IngressMember): Conflict[] {
  return claimsOf(hostname, member).flatMap((claim) => {
    const { ingress, rule, path, fieldPath, pathType, value, backend } = claim;
    if (!isUsable(scope, claim)) {
      const message = `${value} cannot be a path of type ${pathType}: patterns need pathType ImplementationSpecific`;
      return {
        member,
        rule,
        path,
        report: (context) => context.report('FW2010', ingress, `${fieldPath}.path`, message),
      };
    }
    if (backend?.service) return [];
    const resource = backend?.resource
      ? `${backend.resource.kind} ${backend.resource.name}, not a Service`
      : 'no Service';
    const report = (context: Context) =>
      context.report('FW2022', ingress, `${fieldPath}.backend`, `the backend is ${resource}`);
    return { member, rule, path, report };
  });
}

function conflictOf({ member, loser, winner, owner }: LostPath): Conflict {
  const report = (context: Context) => {
    const who = owner === member ? 'this Ingress' : formatRef(owner.ref);
    const where = winner ? winner.fieldPath : 'spec.defaultBackend';
    const message = `${loser.pathType} ${loser.value} of host ${loser.host} belongs to ${who} (${where})`;
    context.report('FW2011', loser.ingress, loser.fieldPath, message);
  };
  return { member, rule: loser.rule, path: loser.path, report };
}

function lateEveryone(member: IngressMember, owner: IngressMember): Conflict {
  const report = (context: Context) => {
    const message = `requests for hosts without rules go to the default backend of ${formatRef(owner.ref)}`;
    context.report('FW2012', member.object, 'spec.defaultBackend', message);
  };
  return { member, rule: -1, path: -1, report };
}

function sourcesOf(context: Context, hostname: string, member: IngressMember): Provenance[] {
  const claimed = member.reading!.claims.byHost.get(hostname)?.hosts ?? [];
  const sources = claimed.map(({ fieldPath, rule }) => context.provenance(member.object, fieldPath, { rule }));
  if (hostname === '*' && takesEveryone(member)) sources.push(context.provenance(member.object, 'spec.defaultBackend'));
  return sources;
}
