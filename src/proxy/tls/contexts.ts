/** Certificates of the plan as TLS contexts: made once per certificate, kept over plans, chosen by SNI. */
import { createSecureContext, type SecureContext } from 'node:tls';
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Certificate, CertificateId, ListenerTls, Plan } from '../../routing/plan/plan.ts';
import type { Reporter } from '../runtime.ts';

/** What a server needs for clients without SNI. Empty when there is no such certificate. */
export interface DefaultIdentity {
  readonly cert?: string;
  readonly key?: string;
}

/** The certificates of one listener. */
export interface Identities {
  /** The context for a server name: exact, then one-label wildcard, then `*`. Undefined: refuse the handshake. */
  find(serverName: string): SecureContext | undefined;
  readonly fallback: DefaultIdentity;
}

export interface Contexts {
  /** Makes contexts of a plan's certificates; those that did not change are kept. */
  update(plan: Plan): void;
  identities(tls: ListenerTls | undefined): Identities;
}

interface Entry {
  readonly chain: string;
  readonly key: string;
  /** Undefined when the certificate cannot be used. */
  readonly context: SecureContext | undefined;
}

export const MIN_TLS_VERSION = 'TLSv1.2';

export function createContexts(reporter: Reporter): Contexts {
  let entries = new Map<CertificateId, Entry>();

  function entryOf(certificate: Certificate): Entry {
    const { id, chain, key } = certificate;
    const kept = entries.get(id);
    return kept?.chain === chain && kept.key === key ? kept : { chain, key, context: load(certificate, reporter) };
  }

  return {
    update(plan) {
      entries = new Map(Object.values(plan.certificates).map((certificate) => [certificate.id, entryOf(certificate)]));
    },
    identities: (tls) => createIdentities(tls, entries),
  };
}

/** A certificate that cannot be used costs its own names only. */
function load({ id, chain, key, source }: Certificate, reporter: Reporter): SecureContext | undefined {
  try {
    return createSecureContext({ cert: chain, key, minVersion: MIN_TLS_VERSION });
  } catch (error) {
    const message = `certificate ${id}: ${error instanceof Error ? error.message : String(error)}`;
    reporter.report(diagnostic('FW5202', { message, object: source.object }));
    return undefined;
  }
}

function createIdentities(tls: ListenerTls | undefined, entries: ReadonlyMap<CertificateId, Entry>): Identities {
  const byName = new Map<string, Entry | undefined>();
  for (const { serverName, certificate } of tls?.certificates ?? []) {
    const name = serverName.toLowerCase();
    if (!byName.has(name)) byName.set(name, entries.get(certificate));
  }
  const any = byName.get('*');
  return {
    find(serverName) {
      const name = serverName.toLowerCase().replace(/\.$/, '');
      // A listed name whose certificate is unusable is refused: another's certificate would not be right for it.
      if (byName.has(name)) return byName.get(name)?.context;
      const dot = name.indexOf('.');
      const wildcard = dot > 0 ? `*${name.slice(dot)}` : '';
      if (byName.has(wildcard)) return byName.get(wildcard)?.context;
      return any?.context;
    },
    fallback: any?.context ? { cert: any.chain, key: any.key } : {},
  };
}
