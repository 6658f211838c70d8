/** Certificates of the plan as TLS contexts: made once per certificate, kept over plans, chosen by SNI. */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { recordChanges } from '../../routing/incremental/records.ts';
import type {
  Certificate,
  CertificateId,
  ClientValidation,
  ListenerTls,
  Plan,
  SniEntry,
  TlsVersion,
} from '../../routing/plan/plan.ts';
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
  /** What clients that come for a server name, or for none, are asked to show for that name alone. */
  ownValidation(serverName: string | undefined): ClientValidation | undefined;
  /** Validations of names by `ClientValidation.id`. */
  validationById(id: string): ClientValidation | undefined;
  /** Some name has a validation of its own, so that a connection's name must be known before its handshake begins. */
  readonly differs: boolean;
  readonly versions: TlsVersions;
  readonly ciphers: string | undefined;
  readonly fallback: DefaultIdentity;
  /** Every name and no name get `fallback`. */
  readonly sameForAll: boolean;
  /** What clients must show; undefined when they are not asked. */
  readonly clientValidation: ClientValidation | undefined;
  /** Changes with everything that decides whether a handshake succeeds. */
  readonly fingerprint: string;
}

export interface TlsVersions {
  readonly minVersion: TlsVersion;
  readonly maxVersion?: TlsVersion;
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
  /** The same for handshakes with something of their own, by what that is. */
  readonly variants: Map<string, SecureContext | undefined>;
}

/** What a handshake has besides its certificate. */
interface Variant {
  /** Authorities that clients are validated by, and what these have revoked. */
  readonly ca?: string;
  readonly crl?: string;
  readonly ciphers?: string;
}

export const MIN_TLS_VERSION = 'TLSv1.2';

/** The same for all contexts of all processes; which sessions are whose, the ticket keys say. */
export const sessionIdContext = 'fairway';

export function createContexts(reporter: Reporter): Contexts {
  const entries = new Map<CertificateId, Entry>();
  let certificates: Plan['certificates'] = {};
  /** Variants that the plan has a use for. */
  let used: ReadonlySet<string> = new Set();
  /** Thousands of names cost something to go through: what was made of a listener stays while no certificate changes. */
  let known = new WeakMap<ListenerTls, Identities>();

  function entryOf(certificate: Certificate): Entry {
    const { id, chain, key } = certificate;
    const kept = entries.get(id);
    return kept?.chain === chain && kept.key === key
      ? kept
      : { chain, key, context: load(certificate, reporter), variants: new Map() };
  }

  return {
    update(plan) {
      for (const { key, now } of recordChanges(certificates, plan.certificates)) {
        known = new WeakMap();
        if (now) entries.set(key, entryOf(now));
        else entries.delete(key);
      }
      certificates = plan.certificates;
      const before = used;
      used = new Set(plan.listeners.flatMap(({ tls }) => (tls ? variantsOf(tls) : [])));
      if (before.size === used.size && [...used].every((key) => before.has(key))) return;
      for (const { variants } of entries.values())
        for (const key of variants.keys()) if (!used.has(key)) variants.delete(key);
    },
    identities(tls) {
      const before = tls && known.get(tls);
      if (before) return before;
      const made = createIdentities(tls, entries, reporter);
      if (tls) known.set(tls, made);
      return made;
    },
  };
}

/** Listeners are replaced, not changed; most have thousands of names and nothing that is one name's own. */
const variantsKnown = new WeakMap<ListenerTls, readonly string[]>();

function variantsOf(tls: ListenerTls): readonly string[] {
  let keys = variantsKnown.get(tls);
  if (!keys) {
    const own = tls.certificates.filter(({ clientValidation }) => clientValidation);
    keys = [...new Set([{}, ...own].map((entry) => keyOfVariant(variantOf(tls, entry))))];
    variantsKnown.set(tls, keys);
  }
  return keys;
}

/** What a name has of its own goes before what its listener has. */
function variantOf(
  tls: Pick<ListenerTls, 'ciphers' | 'clientValidation'>,
  own: Pick<SniEntry, 'clientValidation'>,
): Variant {
  const { ca, crl } = own.clientValidation ?? tls.clientValidation ?? {};
  const { ciphers } = tls;
  return {
    ...(ca !== undefined && { ca }),
    ...(crl !== undefined && { crl }),
    ...(ciphers !== undefined && { ciphers }),
  };
}

/** Empty: nothing of its own. */
function keyOfVariant({ ca = '', crl = '', ciphers = '' }: Variant): string {
  return ca === '' && crl === '' && ciphers === '' ? '' : [ca, crl, ciphers].join('\0');
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

/** What cannot be used with a certificate costs the names of that certificate, for this variant. */
function contextOf(entry: Entry | undefined, variant: Variant, reporter: Reporter): SecureContext | undefined {
  if (!entry?.context) return undefined;
  const key = keyOfVariant(variant);
  if (key === '') return entry.context;
  if (!entry.variants.has(key)) entry.variants.set(key, make(entry, variant, reporter));
  return entry.variants.get(key);
}

function make({ chain: cert, key }: Entry, variant: Variant, reporter: Reporter): SecureContext | undefined {
  try {
    return createSecureContext({ cert, key, ...variant, minVersion: MIN_TLS_VERSION, sessionIdContext });
  } catch (error) {
    const message = `TLS of a listener: ${error instanceof Error ? error.message : String(error)}`;
    reporter.report(diagnostic('FW5202', { message }));
    return undefined;
  }
}

function fingerprintOf(byName: ReadonlyMap<string, Named>, tls: ListenerTls | undefined): string {
  const names = [...byName].map(([name, { entry, isDeep, own }]) => [
    ...[name, entry?.chain, isDeep, own.clientValidation],
  ]);
  const { clientValidation, minVersion, maxVersion, ciphers } = tls ?? {};
  return createHash('sha256')
    .update(JSON.stringify([names.sort(byFirst), clientValidation, minVersion, maxVersion, ciphers]))
    .digest('base64url');
}

const byFirst = ([a]: readonly unknown[], [b]: readonly unknown[]) => (String(a) < String(b) ? -1 : 1);

/** What a server name gets. */
interface Named {
  readonly entry: Entry | undefined;
  /** A wildcard that stands for more than one label. */
  readonly isDeep: boolean;
  readonly own: Pick<SniEntry, 'clientValidation'>;
}

function createIdentities(
  tls: ListenerTls | undefined,
  entries: ReadonlyMap<CertificateId, Entry>,
  reporter: Reporter,
): Identities {
  const byName = new Map<string, Named>();
  const deep = new Set<string>();
  for (const entry of tls?.certificates ?? []) {
    const name = entry.serverName.toLowerCase();
    if (byName.has(name)) continue;
    byName.set(name, { entry: entries.get(entry.certificate), isDeep: entry.anyDepth ?? false, own: entry });
    if (entry.anyDepth) deep.add(name);
  }
  const any = byName.get('*');
  const context = ({ entry, own }: Named) => contextOf(entry, variantOf(tls ?? {}, own), reporter);

  function named(serverName: string): Named | undefined {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    // A listed name whose certificate is unusable is refused: another's certificate would not be right for it.
    const exact = byName.get(name);
    if (exact) return exact;
    const dot = name.indexOf('.');
    const wildcard = dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined;
    if (wildcard) return wildcard;
    const wider = deep.size > 0 ? widerOf(name, deep) : undefined;
    return wider === undefined ? any : byName.get(wider);
  }

  const validations = [...byName.values()].flatMap(({ own }) => own.clientValidation ?? []);
  const byId = new Map(validations.map((validation) => [validation.id, validation]));
  const differs = validations.length > 0;
  return {
    clientValidation: tls?.clientValidation,
    fingerprint: fingerprintOf(byName, tls),
    find(serverName) {
      const found = named(serverName);
      return found && context(found);
    },
    ownValidation: (serverName) => (serverName === undefined ? any : named(serverName))?.own.clientValidation,
    validationById: (id) => byId.get(id),
    differs,
    versions: {
      minVersion: tls?.minVersion ?? MIN_TLS_VERSION,
      ...(tls?.maxVersion && { maxVersion: tls.maxVersion }),
    },
    ciphers: tls?.ciphers,
    sameForAll: !differs && byName.size === 1 && any?.entry?.context !== undefined,
    fallback: any?.entry?.context ? { cert: any.entry.chain, key: any.entry.key } : {},
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
