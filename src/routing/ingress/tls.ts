/** Certificates by server name out of the TLS sections of all Ingresses, oldest first. */
import { type Diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress, IngressTLS } from '../../kube/types/index.ts';
import {
  certificateDiagnostic,
  coversName,
  planCertificate,
  readTlsSecret,
  type ServingCertificate,
} from '../certificates.ts';
import { capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import { createFilteredList } from '../incremental/sorted.ts';
import type { Certificate, ListenerTls } from '../plan/plan.ts';
import { type Context, shortList } from './context.ts';
import { compareMembers, type IngressMember } from './members.ts';
import { checkHost } from './rules.ts';

export interface ServedCertificates {
  readonly tls: ListenerTls;
  readonly certificates: readonly Certificate[];
}

interface Owner {
  readonly ingress: Ingress;
  readonly certificate: ServingCertificate;
}

/** What was collected, and all that it depends on. */
interface Collected {
  readonly served: ServedCertificates | undefined;
  readonly findings: readonly Diagnostic[];
  readonly sections: readonly Sections[];
  /** Keys of the Secrets that were asked for, there or not. */
  readonly secrets: ReadonlySet<string>;
  /** From and before which times the certificates are as valid as they were; milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

interface Sections {
  readonly member: IngressMember;
  readonly tls: readonly IngressTLS[];
}

export interface TlsMemory {
  collect(context: Context, members: readonly IngressMember[]): ServedCertificates | undefined;
}

/** Collects anew when a section, a Secret that one names or the validity of a certificate has changed. */
export function createTlsMemory(): TlsMemory {
  const changes = createChanges('secrets');
  const secured = createFilteredList<IngressMember>(compareMembers);
  let last: Collected | undefined;
  let before: readonly IngressMember[] = [];
  return {
    collect(context, members) {
      const changed = changes.since(context.input.store);
      const at = Date.parse(context.input.now);
      const now = secured.update(members, ({ object }) => !!object.spec?.tls?.length);
      const sections =
        last && now === before ? last.sections : now.map((member) => ({ member, tls: member.object.spec!.tls! }));
      before = now;
      const holds = last && at >= last.from && at < last.until && !meets(changed, last.secrets);
      if (!last || !holds || !sameSections(last.sections, sections))
        last = collectAnew(context, sections, last?.served);
      else if (sections !== last.sections) last = { ...last, sections };
      for (const finding of last.findings) context.findings.push(finding);
      return last.served;
    },
  };
}

function meets(changed: ReadonlySet<string>, asked: ReadonlySet<string>): boolean {
  for (const key of changed) if (asked.has(key)) return true;
  return false;
}

function sameSections(a: readonly Sections[], b: readonly Sections[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every(({ member, tls }, i) => {
      const other = b[i]!;
      if (member === other.member) return true;
      return (
        member.key === other.member.key && member.placement === other.member.placement && equalJson(tls, other.tls)
      );
    })
  );
}

/** What the sections that are being read depend on. */
interface Reads {
  readonly secrets: Set<string>;
  /** Times at which the validity of a certificate begins or ends. */
  readonly turns: number[];
}

function collectAnew(
  context: Context,
  sections: readonly Sections[],
  before: ServedCertificates | undefined,
): Collected {
  const reads: Reads = { secrets: new Set(), turns: [] };
  const { value, findings } = capture(context, () => serve(context, sections, reads));
  const at = Date.parse(context.input.now);
  return {
    served: value && before && equalJson(value, before) ? before : value,
    findings,
    sections,
    secrets: reads.secrets,
    from: at,
    until: reads.turns.reduce((first, turn) => (turn >= at && turn < first ? turn : first), Number.POSITIVE_INFINITY),
  };
}

/** What port 443 presents; undefined while no Ingress has a usable certificate. */
function serve(context: Context, sections: readonly Sections[], reads: Reads): ServedCertificates | undefined {
  const owners = new Map<string, Owner>();
  for (const { member, tls } of sections)
    tls.forEach((section, index) => {
      addSection(context, owners, member.object, section, `spec.tls[${index}]`, reads);
    });
  if (owners.size === 0) return undefined;
  const sorted = [...owners].sort(([a], [b]) => (a < b ? -1 : 1));
  const certificates = new Map(sorted.map(([, { certificate }]) => [certificate.id, planCertificate(certificate)]));
  return {
    tls: { certificates: sorted.map(([serverName, { certificate }]) => ({ serverName, certificate: certificate.id })) },
    certificates: [...certificates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function addSection(
  context: Context,
  owners: Map<string, Owner>,
  ingress: Ingress,
  section: IngressTLS,
  fieldPath: string,
  reads: Reads,
): void {
  const certificate = readSection(context, ingress, section, `${fieldPath}.secretName`, reads);
  if (!certificate) return;
  for (const { host, field } of serverNames(context, ingress, section, certificate, fieldPath)) {
    const owner = owners.get(host);
    if (!owner) owners.set(host, { ingress, certificate });
    else if (owner.certificate.id !== certificate.id) {
      const message = `${host} is served with Secret ${owner.certificate.id} of ${formatRef(refOf(owner.ingress))}`;
      context.report('FW2031', ingress, field, message);
    }
  }
}

function readSection(
  context: Context,
  ingress: Ingress,
  section: IngressTLS,
  fieldPath: string,
  reads: Reads,
): ServingCertificate | undefined {
  const { store, now } = context.input;
  const name = section.secretName;
  // Hosts without a Secret have the default certificate, where there is one.
  if (!name && context.input.ingressNginx?.defaultCertificate !== undefined) return undefined;
  if (!name) {
    const hosts = section.hosts?.length ? ` for ${shortList(section.hosts)}` : '';
    context.report('FW2030', ingress, fieldPath, `no Secret is named${hosts}`);
    return undefined;
  }
  const namespace = ingress.metadata.namespace ?? 'default';
  reads.secrets.add(`${namespace}/${name}`);
  const reading = readTlsSecret(store, namespace, name, undefined, now);
  if (reading.ok) reads.turns.push(reading.value.notBefore, reading.value.notAfter);
  const at = context.place(ingress, fieldPath);
  const problems = reading.ok ? reading.value.warnings : [reading.error];
  for (const problem of problems) context.findings.push(certificateDiagnostic(problem, at));
  return reading.ok ? reading.value : undefined;
}

/** The section's hosts, or the certificate's own names where it lists none. */
function serverNames(
  context: Context,
  ingress: Ingress,
  section: IngressTLS,
  certificate: ServingCertificate,
  fieldPath: string,
): { host: string; field: string }[] {
  const listed = section.hosts ?? [];
  if (listed.length === 0)
    return certificate.names
      .filter((host) => checkHost(host) === undefined)
      .map((host) => ({ host, field: `${fieldPath}.secretName` }));
  return listed.flatMap((given, index) => {
    const field = `${fieldPath}.hosts[${index}]`;
    const host = given.toLowerCase();
    const fault = checkHost(host);
    if (fault !== undefined) {
      context.report('FW2010', ingress, field, `${given}: ${fault}`);
      return [];
    }
    if (!coversName(certificate.names, host)) reportUncovered(context, ingress, certificate, host, field);
    return [{ host, field }];
  });
}

function reportUncovered(
  context: Context,
  ingress: Ingress,
  { id, names }: ServingCertificate,
  host: string,
  field: string,
): void {
  const message = `the certificate of Secret ${id} is for ${shortList(names) || 'no name'}, not for ${host}`;
  context.report('FW6009', ingress, field, message);
}
