/**
 * Certificates of hosts, as ingress-nginx chooses them: for each host the oldest Ingress with TLS sections decides, by the
 * section that lists the host, or else by the first whose certificate covers it. Where that comes to nothing, the default
 * certificate is shown, and the host counts as secured all the same.
 */
import { type Diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { certificateDiagnostic, coversName, readTlsSecret, type ServingCertificate } from '../certificates.ts';
import { capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import { createFilteredList, sameItems } from '../incremental/sorted.ts';
import { type Context, shortList } from '../ingress/context.ts';
import { compareMembers, type IngressMember } from '../ingress/members.ts';
import { compareInNginx } from './order.ts';

export interface HostCertificates {
  /** By host: what TLS sections say; undefined stands for the default certificate. */
  readonly byHost: ReadonlyMap<string, ServingCertificate | undefined>;
  /** Of `--default-ssl-certificate`. */
  readonly usual?: ServingCertificate;
  /** Whether a certificate is configured for the name, by itself or by a wildcard host one label up. */
  isSecured(hostname: string): boolean;
}

export const noCertificates: HostCertificates = { byHost: new Map(), isSecured: () => false };

export interface NginxTlsMemory {
  /** `isServer`: hosts that are of this dialect. The same result for as long as nothing of it changes. */
  collect(
    context: Context,
    members: readonly IngressMember[],
    isServer: (hostname: string) => boolean,
  ): HostCertificates;
}

interface Collected {
  readonly certificates: HostCertificates;
  readonly findings: readonly Diagnostic[];
  readonly secrets: ReadonlySet<string>;
  /** From and before which times the certificates are as valid as they were; milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

const isSecuring = ({ object, claim, reading }: IngressMember) =>
  claim.dialect === 'ingress-nginx' && !reading!.isCanary && !!object.spec?.tls?.length;

export function createNginxTlsMemory(): NginxTlsMemory {
  const changes = createChanges('secrets');
  const secured = createFilteredList<IngressMember>(compareMembers);
  let last: Collected | undefined;
  let seen: readonly unknown[] = [];
  return {
    collect(context, members, isServer) {
      const changed = changes.since(context.input.store);
      const at = Date.parse(context.input.now);
      const now = secured.update(members, isSecuring);
      const isMixed = now.length > 0 && members.some(({ claim }) => claim.dialect !== 'ingress-nginx');
      const state = [now, context.input.ingressNginx, isMixed && members];
      const holds = last && at >= last.from && at < last.until && ![...changed].some((key) => last!.secrets.has(key));
      if (!last || !holds || !sameItems(seen, state)) last = collectAnew(context, now, isServer, last);
      seen = state;
      for (const finding of last.findings) context.findings.push(finding);
      return last.certificates;
    },
  };
}

/** What the sections that are being read depend on, and what was read. */
interface Reads {
  readonly secrets: Set<string>;
  readonly turns: number[];
  readonly sections: Map<string, ServingCertificate | undefined>;
}

function collectAnew(
  context: Context,
  members: readonly IngressMember[],
  isServer: (hostname: string) => boolean,
  before: Collected | undefined,
): Collected {
  const reads: Reads = { secrets: new Set(), turns: [], sections: new Map() };
  const { value, findings } = capture(context, () => choose(context, members, isServer, reads));
  const at = Date.parse(context.input.now);
  const isSame =
    before &&
    equalJson([...before.certificates.byHost], [...value.byHost]) &&
    equalJson(before.certificates.usual, value.usual);
  return {
    certificates: isSame ? before.certificates : value,
    findings,
    secrets: reads.secrets,
    from: at,
    until: reads.turns.reduce((first, turn) => (turn >= at && turn < first ? turn : first), Number.POSITIVE_INFINITY),
  };
}

function choose(
  context: Context,
  members: readonly IngressMember[],
  isServer: (hostname: string) => boolean,
  reads: Reads,
): HostCertificates {
  const byHost = new Map<string, ServingCertificate | undefined>();
  const owners = new Map<string, IngressMember>();
  for (const member of [...members].sort(compareInNginx)) {
    for (const host of member.reading!.claims.byHost.keys()) {
      if (host === '*' || !isServer(host)) continue;
      const owner = owners.get(host);
      if (owner) reportLate(context, member, owner, host, byHost.get(host));
      else {
        owners.set(host, member);
        byHost.set(host, certificateFor(context, member, host, reads));
      }
    }
  }
  const usual = usualCertificate(context, reads);
  return {
    byHost,
    ...(usual && { usual }),
    isSecured(hostname) {
      const dot = hostname.indexOf('.');
      return byHost.has(hostname) || (dot > 0 && byHost.has(`*${hostname.slice(dot)}`));
    },
  };
}

function usualCertificate(context: Context, reads: Reads): ServingCertificate | undefined {
  const key = context.input.ingressNginx?.defaultCertificate;
  if (key === undefined) return undefined;
  const [namespace = '', name = ''] = key.split('/');
  reads.secrets.add(key);
  const reading = readTlsSecret(context.input.store, namespace, name, undefined, context.input.now);
  if (reading.ok) reads.turns.push(reading.value.notBefore, reading.value.notAfter);
  const at = { object: { apiVersion: 'v1', kind: 'Secret', namespace, name } };
  for (const problem of reading.ok ? reading.value.warnings : [reading.error])
    context.findings.push(certificateDiagnostic(problem, at));
  return reading.ok ? reading.value : undefined;
}

function certificateFor(
  context: Context,
  member: IngressMember,
  host: string,
  reads: Reads,
): ServingCertificate | undefined {
  const sections = member.object.spec!.tls!;
  const listed = sections.findIndex(({ hosts }) => hosts?.some((each) => each.toLowerCase() === host));
  if (listed < 0)
    return sections
      .map((_section, index) => readSection(context, member, index, reads))
      .find((certificate) => certificate && coversName(certificate.names, host));
  const certificate = readSection(context, member, listed, reads);
  if (!certificate || coversName(certificate.names, host)) return certificate;
  const at = sections[listed]!.hosts!.findIndex((each) => each.toLowerCase() === host);
  const names = shortList(certificate.names) || 'no name';
  const message = `the certificate of Secret ${certificate.id} is for ${names}, not for ${host}, which shows the default certificate`;
  context.report('FW6009', member.object, `spec.tls[${listed}].hosts[${at}]`, message);
  return undefined;
}

/** Read once for all hosts; undefined for a section that names no Secret, and for one whose Secret cannot be used. */
function readSection(
  context: Context,
  { object, key }: IngressMember,
  index: number,
  reads: Reads,
): ServingCertificate | undefined {
  const name = object.spec!.tls![index]!.secretName;
  const id = `${key} ${index}`;
  if (!name || reads.sections.has(id)) return reads.sections.get(id);
  const namespace = object.metadata.namespace ?? 'default';
  reads.secrets.add(`${namespace}/${name}`);
  const { store, now } = context.input;
  const reading = readTlsSecret(store, namespace, name, undefined, now);
  if (reading.ok) reads.turns.push(reading.value.notBefore, reading.value.notAfter);
  const at = context.place(object, `spec.tls[${index}].secretName`);
  for (const problem of reading.ok ? reading.value.warnings : [reading.error])
    context.findings.push(certificateDiagnostic(problem, at));
  const certificate = reading.ok ? reading.value : undefined;
  reads.sections.set(id, certificate);
  return certificate;
}

function reportLate(
  context: Context,
  { object }: IngressMember,
  owner: IngressMember,
  host: string,
  served: ServingCertificate | undefined,
): void {
  const index = object.spec!.tls!.findIndex(({ hosts }) => hosts?.some((each) => each.toLowerCase() === host));
  const name = object.spec!.tls![index]?.secretName;
  if (!name || served?.id === `${object.metadata.namespace}/${name}`) return;
  const shown = served ? `Secret ${served.id}` : 'the default certificate';
  const message = `${host} is served with ${shown} because of ${formatRef(owner.ref)}`;
  context.report('FW2031', object, `spec.tls[${index}].secretName`, message);
}
