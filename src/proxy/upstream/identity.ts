/**
 * Whom a backend must prove to be, and who we are to it: what connections over TLS have in common. Connections and
 * sessions are shared within one identity only, so a change of trust never meets a connection made under the old one.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { createSelection } from '../../routing/incremental/records.ts';
import { sameItems } from '../../routing/incremental/sorted.ts';
import type { Backend, BackendTls, Certificate, CertificateId, Plan } from '../../routing/plan/plan.ts';
import type { Reporter } from '../runtime.ts';
import { certificateCheck } from './certificate-check.ts';
import { systemRoots } from './system-roots.ts';

export interface UpstreamIdentity {
  /** Digest of everything that makes the identity. */
  readonly key: string;
  readonly serverName: string;
  readonly verify: boolean;
  /** Of what it was made, apart from the certificate that backends are shown. */
  readonly tls: BackendTls;
  readonly context: SecureContext;
  /** Why the certificate of a backend is not the one wanted; undefined when it is. */
  readonly check: ReturnType<typeof certificateCheck>;
}

export interface UpstreamIdentities {
  /** The identity for what comes from a listener to a backend that is spoken to over TLS, or why there is none. */
  of(plan: Plan, backend: Backend, listener: Shower): UpstreamIdentity | { readonly problem: string };
  /** Forgets what the plan does not name; returns the keys that it does, as the same set for as long as they are the same. */
  update(plan: Plan): ReadonlySet<string>;
}

/** A listener, as far as it says what backends are shown. */
interface Shower {
  readonly backendClientCertificate?: CertificateId;
}

type Known = UpstreamIdentity | { readonly problem: string };

const MIN_TLS_VERSION = 'TLSv1.2';

export function createIdentities(reporter: Reporter): UpstreamIdentities {
  const known = new Map<string, Known>();
  const namedBy = createNames();

  function of(plan: Plan, backend: Backend, listener: Shower): Known {
    const { tls } = backend;
    if (!tls) return { problem: 'the plan does not say how TLS is spoken to the backend' };
    const certificate = tls.clientCertificate ?? clientCertificate(plan, listener);
    const key = keyOf(tls, certificate);
    let identity = known.get(key);
    if (!identity) {
      identity = create(key, tls, certificate, backend, reporter);
      known.set(key, identity);
    }
    return identity;
  }

  return {
    of,
    update(plan) {
      const named = namedBy(plan);
      if (known.size > 0) for (const key of known.keys()) if (!named.has(key)) known.delete(key);
      return named;
    },
  };
}

function clientCertificate({ certificates }: Plan, { backendClientCertificate: id }: Shower): Certificate | undefined {
  return id !== undefined && Object.hasOwn(certificates, id) ? certificates[id] : undefined;
}

/** Keys of the identities that a plan names: of each backend with TLS, with each certificate that a listener shows. */
function createNames(): (plan: Plan) => ReadonlySet<string> {
  const securedOf = createSelection<Backend, BackendTls>(({ tls }) => tls);
  let secured: readonly BackendTls[] = [];
  let shown: readonly (Certificate | undefined)[] = [];
  let keys: ReadonlySet<string> = new Set();
  return (plan) => {
    const [before, beforeShown] = [secured, shown];
    const listeners: readonly Shower[] = [...plan.listeners, ...(plan.streams ?? [])];
    secured = securedOf(plan.backends);
    shown = [...new Set(listeners.map((listener) => clientCertificate(plan, listener)))];
    if (secured !== before || (secured.length > 0 && !sameItems(shown, beforeShown)))
      keys = new Set(secured.flatMap((tls) => shownTo(tls, shown).map((certificate) => keyOf(tls, certificate))));
    return keys;
  };
}

/** A backend with a certificate of its own is shown no other. */
function shownTo(
  { clientCertificate: own }: BackendTls,
  shown: readonly (Certificate | undefined)[],
): readonly (Certificate | undefined)[] {
  return own ? [own] : shown;
}

/** Neither part of an identity is ever changed. */
const knownKeys = new WeakMap<BackendTls, Map<Certificate | undefined, string>>();

function keyOf(tls: BackendTls, certificate: Certificate | undefined): string {
  const known = knownKeys.get(tls) ?? new Map<Certificate | undefined, string>();
  const key = known.get(certificate) ?? digestOf(tls, certificate);
  // Certificates come and go; backends stay.
  if (known.size >= maxKnownKeys) known.clear();
  knownKeys.set(tls, known.set(certificate, key));
  return key;
}

/** Whether the identity is one for a backend that is spoken to like this. */
export function isFor({ tls }: UpstreamIdentity, wanted: BackendTls | undefined): boolean {
  if (tls === wanted || wanted === undefined) return tls === wanted;
  return keyOf(tls, tls.clientCertificate) === keyOf(wanted, wanted.clientCertificate);
}

const maxKnownKeys = 16;

function digestOf(tls: BackendTls, certificate: Certificate | undefined): string {
  const { serverName, verify, ca, subjectAltNames, verifyName, minVersion, maxVersion, ciphers, depth } = tls;
  const own = [verifyName, minVersion, maxVersion, ciphers, depth];
  const parts = [serverName, verify, ca, subjectAltNames, certificate?.chain, certificate?.key, ...own];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function create(
  key: string,
  tls: BackendTls,
  certificate: Certificate | undefined,
  backend: Backend,
  reporter: Reporter,
): Known {
  try {
    // node:tls passes over what is no certificate, and would then trust nobody without saying why.
    if (tls.verify && tls.ca !== 'system') new X509Certificate(tls.ca);
    const context = createSecureContext({
      minVersion: tls.minVersion ?? MIN_TLS_VERSION,
      ...(tls.maxVersion && { maxVersion: tls.maxVersion }),
      ...(tls.ciphers !== undefined && { ciphers: tls.ciphers }),
      ...(tls.verify && { ca: tls.ca === 'system' ? systemRoots() : tls.ca }),
      ...(certificate && { cert: certificate.chain, key: certificate.key }),
    });
    const check = certificateCheck(tls);
    return { key, serverName: tls.serverName, verify: tls.verify, tls, context, check };
  } catch (error) {
    const problem = `TLS to the backend cannot be set up: ${error instanceof Error ? error.message : String(error)}`;
    reporter.report(
      diagnostic('FW5206', { message: `backend ${backend.id}: ${problem}`, object: backend.source.object }),
    );
    return { problem };
  }
}
