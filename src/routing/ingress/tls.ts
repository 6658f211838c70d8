/** Certificates by server name out of the TLS sections of all Ingresses, oldest first. */
import { formatRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress, IngressTLS } from '../../kube/types/index.ts';
import {
  certificateDiagnostic,
  coversName,
  planCertificate,
  readTlsSecret,
  type ServingCertificate,
} from '../certificates.ts';
import type { Certificate, ListenerTls } from '../plan/plan.ts';
import { type Context, shortList } from './context.ts';
import { checkHost } from './rules.ts';

export interface ServedCertificates {
  readonly tls: ListenerTls;
  readonly certificates: readonly Certificate[];
}

interface Owner {
  readonly ingress: Ingress;
  readonly certificate: ServingCertificate;
}

/** What port 443 presents; undefined while no Ingress has a usable certificate. */
export function collectCertificates(context: Context, ingresses: readonly Ingress[]): ServedCertificates | undefined {
  const owners = new Map<string, Owner>();
  for (const ingress of ingresses)
    (ingress.spec?.tls ?? []).forEach((section, index) => {
      addSection(context, owners, ingress, section, `spec.tls[${index}]`);
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
): void {
  const certificate = readSection(context, ingress, section, `${fieldPath}.secretName`);
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
): ServingCertificate | undefined {
  const { store, now } = context.input;
  const name = section.secretName;
  if (!name) {
    const hosts = section.hosts?.length ? ` for ${shortList(section.hosts)}` : '';
    context.report('FW2030', ingress, fieldPath, `no Secret is named${hosts}`);
    return undefined;
  }
  const reading = readTlsSecret(store, ingress.metadata.namespace ?? 'default', name, undefined, now);
  const at = context.provenance(ingress, fieldPath);
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
