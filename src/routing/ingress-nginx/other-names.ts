/** Names that a host of ingress-nginx is answered under besides its own: aliases, and the one with or without `www.`. */
import { coversName } from '../certificates.ts';
import type { BuildInput } from '../ingress/host-unit.ts';
import type { IngressMember } from '../ingress/members.ts';
import type { OtherName } from '../ingress/other-names.ts';
import { checkHost } from '../ingress/rules.ts';
import type { Route } from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { nginxPrefix } from './annotations/table.ts';
import type { Location } from './locations.ts';
import { counterpart, wwwHost } from './redirects.ts';
import type { NginxScope } from './scope.ts';

/** `routesFor`: routes of the host, as they are with and without a certificate. */
export function otherNames(
  input: BuildInput,
  scope: NginxScope,
  hostname: string,
  mains: readonly IngressMember[],
  locations: readonly Location[],
  routesFor: (isSecured: boolean) => readonly Route[],
): readonly OtherName[] {
  if (hostname === '*') return [];
  return [...wwwName(input, scope, hostname, locations), ...aliases(input, scope, hostname, mains, routesFor)];
}

const field = (name: string) => `metadata.annotations["${nginxPrefix}${name}"]`;

function wwwName(
  { context }: BuildInput,
  scope: NginxScope,
  hostname: string,
  locations: readonly Location[],
): OtherName[] {
  const asking = locations.find(
    ({ claim, member }) =>
      claim && member && readNginxAnnotations(member.object).asked['from-to-www-redirect'] === true,
  );
  const from = counterpart(hostname);
  if (!asking?.member || from === undefined) return [];
  const { member } = asking;
  const fieldPath = field('from-to-www-redirect');
  const source = context.provenance(member.object, fieldPath);
  const host = wwwHost(from, hostname, `Ingress/${member.key}/from-to-www-redirect`, source, scope.config);
  return [{ host, kind: 'redirect', of: hostname, member, fieldPath }];
}

/** The aliases of the first Ingress that has any. */
function aliases(
  { context }: BuildInput,
  scope: NginxScope,
  hostname: string,
  mains: readonly IngressMember[],
  routesFor: (isSecured: boolean) => readonly Route[],
): OtherName[] {
  const fieldPath = field('server-alias');
  const member = mains.find(({ object }) => readNginxAnnotations(object).asked['server-alias']?.length);
  if (!member) return [];
  const names = readNginxAnnotations(member.object).asked['server-alias']!.map((name) => name.toLowerCase());
  const certificate = scope.certificates.byHost.get(hostname);
  const sources = [context.provenance(member.object, fieldPath)];
  return [...new Set(names)].flatMap((name): OtherName[] => {
    if (name === hostname) return [];
    const fault = checkHost(name);
    if (fault !== undefined) {
      context.report('FW5502', member.object, fieldPath, `${name} cannot be an alias: ${fault}`);
      return [];
    }
    const isSecured = certificate !== undefined && coversName(certificate.names, name);
    // A star of nginx stands for one label and more.
    const wildcard = 'any-depth';
    const host = { hostname: name, wildcard, paths: 'normal', routes: routesFor(isSecured), sources } as const;
    return [{ host, kind: 'alias', of: hostname, member, fieldPath }];
  });
}
