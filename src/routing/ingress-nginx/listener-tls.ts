/** What port 443 shows: certificates of the hosts of both dialects, and the default one for all other names. */

import { coversName, planCertificate, type ServingCertificate } from '../certificates.ts';
import type { ServedCertificates } from '../ingress/tls.ts';
import type { Certificate, CertificateId, ClientValidation, SniEntry } from '../plan/plan.ts';
import type { HostCertificates } from './tls.ts';

export interface ListenerCertificates {
  /** The same result for as long as what it is made of is. Undefined: nothing can be shown. */
  update(parts: CertificateParts): ServedCertificates | undefined;
}

export interface CertificateParts {
  /** Of hosts in the dialect of Fairway. */
  readonly own: ServedCertificates | undefined;
  readonly servers: HostCertificates;
  /** Aliases and names with or without `www.`, and the hosts that these are answered for. */
  readonly otherNames: ReadonlyMap<string, string>;
  /** Hosts of ingress-nginx that ask clients for certificates. */
  readonly validations: ReadonlyMap<string, ClientValidation>;
  /** For names without a certificate; undefined where there are no Ingresses of ingress-nginx, or nothing was made. */
  readonly fallback: Certificate | undefined;
}

export function createListenerCertificates(): ListenerCertificates {
  let seen: CertificateParts | undefined;
  let last: ServedCertificates | undefined;
  return {
    update(parts) {
      if (seen && isSame(seen, parts)) return last;
      seen = parts;
      last = merge(parts);
      return last;
    },
  };
}

const isSame = (a: CertificateParts, b: CertificateParts): boolean =>
  a.own === b.own &&
  a.servers === b.servers &&
  a.otherNames === b.otherNames &&
  a.validations === b.validations &&
  a.fallback === b.fallback;

function merge({ own, servers, otherNames, validations, fallback }: CertificateParts): ServedCertificates | undefined {
  const usual: Certificate | undefined = servers.usual ? planned(servers.usual) : fallback;
  const entries = new Map<string, SniEntry>();
  const certificates = new Map<CertificateId, Certificate>();
  const show = (serverName: string, certificate: Certificate | undefined) => {
    if (!certificate) return;
    const clientValidation = validations.get(serverName);
    entries.set(serverName, { serverName, certificate: certificate.id, ...(clientValidation && { clientValidation }) });
    certificates.set(certificate.id, certificate);
  };
  for (const entry of own?.tls.certificates ?? []) entries.set(entry.serverName, entry);
  for (const certificate of own?.certificates ?? []) certificates.set(certificate.id, certificate);
  for (const [host, certificate] of servers.byHost) show(host, certificate ? planned(certificate) : usual);
  for (const [name, host] of otherNames) {
    const certificate = servers.byHost.get(host);
    if (certificate && !servers.byHost.has(name) && coversName(certificate.names, name))
      show(name, planned(certificate));
  }
  for (const host of validations.keys()) if (!entries.has(host)) show(host, usual);
  if (usual) show('*', usual);
  if (entries.size === 0) return undefined;
  return {
    tls: { ...own?.tls, certificates: [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry) },
    certificates: [...certificates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

/** The same object for the same certificate, so that lists of them can be compared. */
const plannedCertificates = new WeakMap<ServingCertificate, Certificate>();

function planned(certificate: ServingCertificate): Certificate {
  const known = plannedCertificates.get(certificate) ?? planCertificate(certificate);
  plannedCertificates.set(certificate, known);
  return known;
}
