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

/** For nginx, a name that begins with a dot is the name behind it and all beneath that. Patterns stay as they are written. */
function namesOf(alias: string): readonly string[] {
  if (alias.startsWith('~')) return [alias];
  const name = alias.toLowerCase();
  return name.startsWith('.') ? [name.slice(1), `*${name}`] : [name];
}

interface Fault {
  readonly why: string;
  readonly hint?: string;
}

/** Why a name of nginx is none here, and what says the same. */
function faultOf(name: string): Fault | undefined {
  if (name.startsWith('~')) {
    const hint = 'Write out the names that it stands for, or *.shop.example for all names beneath one.';
    return { why: 'hosts are found by name, and not by patterns', hint };
  }
  if (name.endsWith('.*')) {
    const [first] = name.split('.*');
    const hint = `Write out the names that it stands for: ${first}.example, ${first}.test and so on.`;
    return { why: 'a star may stand only for what a name begins with', hint };
  }
  const why = checkHost(name);
  return why === undefined ? undefined : { why };
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
  const names = readNginxAnnotations(member.object).asked['server-alias']!.flatMap(namesOf);
  const certificate = scope.certificates.byHost.get(hostname);
  const sources = [context.provenance(member.object, fieldPath)];
  return [...new Set(names)].flatMap((name): OtherName[] => {
    if (name === hostname) return [];
    const fault = faultOf(name);
    if (fault) {
      context.report('FW5502', member.object, fieldPath, `${name} cannot be an alias: ${fault.why}`, fault);
      return [];
    }
    const isSecured = certificate !== undefined && coversName(certificate.names, name);
    // A star of nginx stands for one label and more.
    const wildcard = 'any-depth';
    const host = { hostname: name, wildcard, paths: 'normal', routes: routesFor(isSecured), sources } as const;
    return [{ host, kind: 'alias', of: hostname, member, fieldPath }];
  });
}
