/**
 * XBackends (GEP-4894): destinations outside of the cluster, by hostname. What routes may say of them is judged here, once
 * for all that lead there; names are resolved elsewhere (service/external-endpoints.ts).
 */
import { isIP } from 'node:net';
import { keyOf, type ResourceName, refOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { XBackend } from '../kube/types/index.ts';
import { readCaBundle } from './ca-bundle.ts';
import { planCertificate, readTlsSecret } from './certificates.ts';
import { createGrants, grantHint } from './gateway/grants.ts';
import type { Backend, BackendTls, Certificate, SubjectAltName } from './plan/plan.ts';

export const xBackendGroup = 'gateway.networking.x-k8s.io';
export const xBackendResource: ResourceName = `xbackends.${xBackendGroup}`;

/** Why nothing is sent to an XBackend: reason and message of Accepted=False, and the field to blame. */
export interface XBackendFault {
  readonly reason: string;
  readonly message: string;
  readonly fieldPath: string;
  readonly hint: string;
}

export interface XBackendState {
  readonly object: XBackend;
  readonly hostname: string;
  readonly port: number;
  readonly fault?: XBackendFault;
  /** Absent: plain text. */
  readonly tls?: BackendTls;
}

export interface XBackends {
  /** By `namespace/name`. */
  readonly all: ReadonlyMap<string, XBackendState>;
}

export function readXBackends(store: StoreReader): XBackends {
  const objects = [...store.list<XBackend>(xBackendResource)].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { all: new Map(objects.map((object) => [keyOf(object), read(store, object)])) };
}

function read(store: StoreReader, object: XBackend): XBackendState {
  const { spec } = object;
  const hostname = (spec.externalHostname?.hostname ?? '').toLowerCase();
  const state = { object, hostname, port: spec.port.port };
  const fault = hostFault(object, hostname) ?? protocolFault(object);
  if (fault) return { ...state, fault };
  const tls = tlsOf(store, object, hostname);
  if (!tls) return state;
  return 'reason' in tls ? { ...state, fault: tls } : { ...state, tls };
}

const hostField = 'spec.externalHostname.hostname';

/**
 * Addresses, and names of the cluster itself, are not for XBackends (ExternalHostnameBackend.hostname): they would lead
 * around the permissions that references to Services need.
 */
function hostFault({ spec }: XBackend, hostname: string): XBackendFault | undefined {
  if (spec.type !== 'ExternalHostname' || hostname === '')
    return invalid(
      'spec.type',
      `${spec.type} is not a type of backend`,
      'Use type ExternalHostname with externalHostname.',
    );
  const isAddress = isIP(hostname) !== 0 || /^[0-9.]+$|(?:^|\.)0x[0-9a-f]*$/.test(hostname);
  if (isAddress)
    return invalid(
      hostField,
      `${hostname} is an address, not a hostname`,
      'Write the name that the destination has in DNS.',
    );
  if (/(?:^|\.)(?:cluster\.local|svc|localhost)$/.test(hostname))
    return invalid(
      hostField,
      `${hostname} is a name of the cluster or the machine itself`,
      'Refer to the Service instead.',
    );
  return undefined;
}

const served: ReadonlySet<string | undefined> = new Set([undefined, 'HTTP', 'HTTP11', 'HTTP2', 'H2C', 'TCP']);

function protocolFault({ spec: { protocol, tls } }: XBackend): XBackendFault | undefined {
  const at = 'spec.protocol';
  if (!served.has(protocol))
    return unsupported(at, `the protocol ${protocol} is not spoken`, 'Use HTTP, HTTP11, HTTP2, H2C or TCP.');
  if (protocol === 'H2C' && isSecured(tls))
    return invalid(at, 'H2C is HTTP/2 in plain text, and spec.tls asks for TLS', 'Use HTTP2, or TLS of mode None.');
  return undefined;
}

type Tls = NonNullable<XBackend['spec']['tls']>;

const isSecured = (tls: Tls | undefined): tls is Tls => tls !== undefined && tls.mode !== 'None';

function tlsOf(store: StoreReader, object: XBackend, hostname: string): BackendTls | XBackendFault | undefined {
  const { tls } = object.spec;
  if (!isSecured(tls)) return undefined;
  const shown = tls.mode === 'ClientAndServer' ? shownCertificate(store, object, tls) : undefined;
  if (shown && 'reason' in shown) return shown;
  const own = shown && { clientCertificate: shown };
  if (tls.mode !== 'ServerOnly' && !shown)
    return unsupported('spec.tls.mode', `TLS of mode ${tls.mode} is not served`, 'Use None, ServerOnly or ClientAndServer.'); // biome-ignore format: one line
  const { validation } = tls;
  const source = { object: refOf(object), fieldPath: 'spec.tls' };
  if (!validation) return { serverName: hostname, verify: true, ca: 'system', subjectAltNames: [], ...own, source };
  const ca = authoritiesOf(store, object, validation);
  if (typeof ca !== 'string') return ca;
  const subjectAltNames = (validation.subjectAltNames ?? []).map(toAltName);
  return { serverName: validation.hostname.toLowerCase(), verify: true, ca, subjectAltNames, ...own, source };
}

/** The certificate that the destination asks for; without it nothing is sent there. */
function shownCertificate(store: StoreReader, object: XBackend, tls: Tls): Certificate | XBackendFault {
  const at = 'spec.tls.clientCertificateRef';
  const own = object.metadata.namespace ?? 'default';
  const hint = 'Point it to a Secret of type kubernetes.io/tls.';
  if (!tls.clientCertificateRef) return invalid(at, 'ClientAndServer needs a certificate to show', hint);
  const { group = '', kind = 'Secret', name, namespace = own } = tls.clientCertificateRef;
  if (group !== '' || kind !== 'Secret') return invalid(at, `${kind} ${name} is no Secret`, hint);
  const from = { group: xBackendGroup, kind: 'XBackend', namespace: own };
  const to = { group: '', kind: 'Secret', namespace, name };
  if (!createGrants(store).permits(from, to)) {
    const message = `no ReferenceGrant in ${namespace} permits XBackends of ${own} to use the Secret ${name}`;
    return { ...invalid(at, message, grantHint(from, to)), reason: 'RefNotPermitted' };
  }
  const found = readTlsSecret(store, namespace, name);
  if (found.ok) return planCertificate(found.value);
  return { ...invalid(at, found.error.message, found.error.hint), reason: 'InvalidClientCertificateRef' };
}

type Validation = NonNullable<Tls['validation']>;

/** All references must lead somewhere: a destination whose authorities are not known is not to be trusted less strictly. */
function authoritiesOf(store: StoreReader, object: XBackend, validation: Validation): string | XBackendFault {
  const { wellKnownCACertificates: wellKnown, caCertificateRefs = [] } = validation;
  const at = 'spec.tls.validation';
  if (wellKnown === 'System') return 'system';
  if (wellKnown) {
    const hint = 'Set wellKnownCACertificates to System, or name caCertificateRefs instead.';
    return invalid(`${at}.wellKnownCACertificates`, `${wellKnown} is not known; System is`, hint);
  }
  const bundles: string[] = [];
  for (const [i, ref] of caCertificateRefs.entries()) {
    const found = readCaBundle(store, object.metadata.namespace ?? 'default', ref);
    const hint = 'Name a ConfigMap of the namespace of the XBackend that has a PEM bundle under the key ca.crt.';
    if (!found.ok) return { ...invalid(`${at}.caCertificateRefs[${i}]`, found.error.message, hint), reason: 'InvalidCACertificateRef' }; // biome-ignore format: one line
    bundles.push(found.value);
  }
  if (bundles.length > 0) return bundles.join('');
  return invalid(at, 'it names no CA certificate', 'Set wellKnownCACertificates to System, or name caCertificateRefs.');
}

type GivenAltName = NonNullable<Validation['subjectAltNames']>[number];

function toAltName({ type, hostname = '', uri = '' }: GivenAltName): SubjectAltName {
  return type === 'URI' ? { type: 'uri', value: uri } : { type: 'dns', value: hostname.toLowerCase() };
}

function invalid(fieldPath: string, message: string, hint: string): XBackendFault {
  return { reason: 'Invalid', message, fieldPath, hint };
}

function unsupported(fieldPath: string, message: string, hint: string): XBackendFault {
  return { reason: 'UnsupportedValue', message, fieldPath, hint };
}

/** By what an XBackend is spoken to; undefined where that cannot carry it. `undefined` in spec.protocol is HTTP. */
export function protocolOfXBackend(
  { object, tls }: XBackendState,
  spoken: 'HTTP' | 'gRPC' | 'TCP' | 'UDP',
): Backend['protocol'] | undefined {
  const { protocol = 'HTTP' } = object.spec;
  if (spoken === 'UDP') return undefined;
  if (spoken === 'TCP') return 'tcp';
  if (protocol === 'TCP') return undefined;
  if (spoken === 'gRPC' ? protocol !== 'HTTP11' : protocol === 'HTTP2' || protocol === 'H2C') return tls ? 'h2' : 'h2c';
  if (spoken === 'gRPC') return undefined;
  return tls ? 'https' : 'http1';
}
