/** Certificates of the plan as TLS contexts: made once per certificate, kept over plans, chosen by SNI. */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { recordChanges } from '../../routing/incremental/records.ts';
import type { Certificate, CertificateId, ClientValidation, ListenerTls, Plan } from '../../routing/plan/plan.ts';
import type { Reporter } from '../runtime.ts';

/** What a server needs for clients without SNI. Empty when there is no such certificate. */
export interface DefaultIdentity {
  readonly cert?: string;
  readonly key?: string;
}

/** The certificates of one listener. */
export interface Identities {
  /** The context for a server name: exact, then the nearest wildcard that stands for it, then `*`. Undefined: refuse the handshake. */
  find(serverName: string): SecureContext | undefined;
  readonly fallback: DefaultIdentity;
  /** Every name and no name get `fallback`. */
  readonly sameForAll: boolean;
  /** What clients must show; undefined when they are not asked. */
  readonly clientValidation: ClientValidation | undefined;
  /** Changes with everything that decides whether a handshake succeeds. */
  readonly fingerprint: string;
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
  /** The same with authorities that clients are validated by, by their PEM. */
  readonly validating: Map<string, SecureContext>;
}

export const MIN_TLS_VERSION = 'TLSv1.2';

/** The same for all contexts of all processes; which sessions are whose, the ticket keys say. */
export const sessionIdContext = 'fairway';

export function createContexts(reporter: Reporter): Contexts {
  const entries = new Map<CertificateId, Entry>();
  let certificates: Plan['certificates'] = {};
  /** Authorities that clients are validated by. */
  let bundles: ReadonlySet<string | undefined> = new Set();

  function entryOf(certificate: Certificate): Entry {
    const { id, chain, key } = certificate;
    const kept = entries.get(id);
    return kept?.chain === chain && kept.key === key
      ? kept
      : { chain, key, context: load(certificate, reporter), validating: new Map() };
  }

  return {
    update(plan) {
      for (const { key, now } of recordChanges(certificates, plan.certificates)) {
        if (now) entries.set(key, entryOf(now));
        else entries.delete(key);
      }
      certificates = plan.certificates;
      const before = bundles;
      bundles = new Set(plan.listeners.map(({ tls }) => tls?.clientValidation?.ca));
      if (before.size === bundles.size && [...bundles].every((ca) => before.has(ca))) return;
      for (const { validating } of entries.values())
        for (const ca of validating.keys()) if (!bundles.has(ca)) validating.delete(ca);
    },
    identities: (tls) => createIdentities(tls, entries),
  };
}

/** A certificate that cannot be used costs its own names only. */
function load({ id, chain, key, source }: Certificate, reporter: Reporter): SecureContext | undefined {
  try {
    return createSecureContext({ cert: chain, key, minVersion: MIN_TLS_VERSION, sessionIdContext });
  } catch (error) {
    const message = `certificate ${id}: ${error instanceof Error ? error.message : String(error)}`;
    reporter.report(diagnostic('FW5202', { message, object: source.object }));
    return undefined;
  }
}

function validatingContext(entry: Entry | undefined, ca: string): SecureContext | undefined {
  if (!entry?.context) return undefined;
  let context = entry.validating.get(ca);
  if (!context) {
    const { chain: cert, key } = entry;
    context = createSecureContext({ cert, key, ca, minVersion: MIN_TLS_VERSION, sessionIdContext });
    entry.validating.set(ca, context);
  }
  return context;
}

function fingerprintOf(
  byName: ReadonlyMap<string, Entry | undefined>,
  deep: ReadonlySet<string>,
  validation: ClientValidation | undefined,
): string {
  const names = [...byName].map(([name, entry]) => [name, entry?.chain, deep.has(name)]).sort();
  return createHash('sha256')
    .update(JSON.stringify([names, validation]))
    .digest('base64url');
}

function createIdentities(tls: ListenerTls | undefined, entries: ReadonlyMap<CertificateId, Entry>): Identities {
  const byName = new Map<string, Entry | undefined>();
  /** Wildcards that stand for more than one label. */
  const deep = new Set<string>();
  for (const { serverName, certificate, anyDepth } of tls?.certificates ?? []) {
    const name = serverName.toLowerCase();
    if (byName.has(name)) continue;
    byName.set(name, entries.get(certificate));
    if (anyDepth) deep.add(name);
  }
  const any = byName.get('*');
  const validation = tls?.clientValidation;
  const contextOf = (entry: Entry | undefined) =>
    validation ? validatingContext(entry, validation.ca) : entry?.context;
  return {
    clientValidation: validation,
    fingerprint: fingerprintOf(byName, deep, validation),
    find(serverName) {
      const name = serverName.toLowerCase().replace(/\.$/, '');
      // A listed name whose certificate is unusable is refused: another's certificate would not be right for it.
      if (byName.has(name)) return contextOf(byName.get(name));
      const dot = name.indexOf('.');
      const wildcard = dot > 0 ? `*${name.slice(dot)}` : '';
      if (byName.has(wildcard)) return contextOf(byName.get(wildcard));
      const wider = deep.size > 0 ? widerOf(name, deep) : undefined;
      return contextOf(wider === undefined ? any : byName.get(wider));
    },
    sameForAll: byName.size === 1 && any?.context !== undefined,
    fallback: any?.context ? { cert: any.chain, key: any.key } : {},
  };
}

/** The nearest of the wildcards that a name ends like. */
function widerOf(name: string, wildcards: ReadonlySet<string>): string | undefined {
  for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const wildcard = `*${name.slice(dot)}`;
    if (wildcards.has(wildcard)) return wildcard;
  }
  return undefined;
}
