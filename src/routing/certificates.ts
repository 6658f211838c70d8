/** TLS certificates out of Secrets: read once per version of a Secret, with everything that is wrong with them as data. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Diagnostic, type DiagnosticCode, diagnostic, diagnosticRules } from '../base/diagnostics/index.ts';
import { err, ok, type Result } from '../base/result.ts';
import { refOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { Secret } from '../kube/types/index.ts';
import type { Certificate, CertificateId, Provenance } from './plan/plan.ts';

export interface CertificateProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint: string;
}

/** What a TLS Secret says. Dates in milliseconds since the epoch. */
export interface ServingCertificate extends Certificate {
  /** Host names it covers, lower case: subject alternative names, or the common name where there are none. */
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the leaf, as openssl writes it: `AB:CD:…`. */
  readonly fingerprint: string;
  /** What should be mended although the certificate is served. */
  readonly warnings: readonly CertificateProblem[];
}

type Reading = Omit<ServingCertificate, 'id' | 'source'>;

/** Longest chain read: OpenSSL verifies no deeper. */
const maxChainLength = 100;

/** Names a certificate in the plan: `namespace/name` of its Secret. */
export function certificateId(namespace: string, name: string): CertificateId {
  return `${namespace}/${name}`;
}

/**
 * Reads a Secret of type kubernetes.io/tls. `now` (RFC 3339) adds warnings about validity; `source` is where the plan's
 * certificate says it comes from, the Secret itself unless given.
 */
export function readTlsSecret(
  store: StoreReader,
  namespace: string,
  name: string,
  source?: Provenance,
  now?: string,
): Result<ServingCertificate, CertificateProblem> {
  const secret = store.get<Secret>('secrets', `${namespace}/${name}`);
  if (!secret) return err(problem('FW6001', `Secret ${namespace}/${name} does not exist`));
  return readCertificate(secret, source, now);
}

/** The same of a Secret that is at hand. */
export function readCertificate(
  secret: Secret,
  source?: Provenance,
  now?: string,
): Result<ServingCertificate, CertificateProblem> {
  const { namespace = 'default', name } = secret.metadata;
  const reading = readingOf(secret);
  if (!reading.ok) return reading;
  return ok({
    id: certificateId(namespace, name),
    source: source ?? { object: refOf(secret) },
    ...reading.value,
    warnings: [...reading.value.warnings, ...(now === undefined ? [] : validity(reading.value, now, secret))],
  });
}

/** The part of it that belongs into a plan. */
export function planCertificate({ id, chain, key, source }: ServingCertificate): Certificate {
  return { id, chain, key, source };
}

/**
 * Whether names of a certificate cover a host: equal, or a wildcard in place of its first label (RFC 6125 6.4.3).
 * A wildcard host is covered by the same wildcard only.
 */
export function coversName(names: readonly string[], hostname: string): boolean {
  const host = hostname.toLowerCase();
  const dot = host.indexOf('.');
  const wildcard = dot > 0 ? `*${host.slice(dot)}` : undefined;
  return names.includes(host) || (wildcard !== undefined && names.includes(wildcard));
}

type FindingPlace = Pick<Diagnostic, 'object' | 'fieldPath' | 'position'>;

/** A problem as a finding about the field that refers to the Secret. */
export function certificateDiagnostic({ code, message, hint }: CertificateProblem, at: FindingPlace): Diagnostic {
  const { object, fieldPath, position } = at;
  return diagnostic(code, {
    message,
    hint,
    ...(object && { object }),
    ...(fieldPath !== undefined && { fieldPath }),
    ...(position && { position }),
  });
}

function problem(code: DiagnosticCode, message: string): CertificateProblem {
  return { code, message, hint: diagnosticRules[code].hint };
}

/** Objects in a store never change, so a reading holds as long as its Secret. */
const readings = new WeakMap<Secret, Result<Reading, CertificateProblem>>();

function readingOf(secret: Secret): Result<Reading, CertificateProblem> {
  let reading = readings.get(secret);
  if (!reading) {
    reading = readSecret(secret);
    readings.set(secret, reading);
  }
  return reading;
}

function readSecret(secret: Secret): Result<Reading, CertificateProblem> {
  const where = `Secret ${secret.metadata.namespace}/${secret.metadata.name}`;
  const chainPem = decodeKey(secret, 'tls.crt', where);
  if (!chainPem.ok) return chainPem;
  const keyPem = decodeKey(secret, 'tls.key', where);
  if (!keyPem.ok) return keyPem;
  const given = parseChain(chainPem.value, where);
  if (!given.ok) return given;
  const key = parseKey(keyPem.value, where);
  if (!key.ok) return key;
  const leaf = given.value.find((certificate) => certificate.checkPrivateKey(key.value));
  if (!leaf) {
    const subject = nameOf(given.value[0]!);
    return err(problem('FW6005', `tls.key of ${where} does not belong to the certificate of ${subject} in tls.crt`));
  }
  const ordered = orderChain(leaf, given.value);
  const chain = ordered.map((certificate) => certificate.toString()).join('');
  const unusable = whyUnusable(chain, keyPem.value);
  if (unusable !== undefined) return err(problem('FW6003', `the certificate of ${where} cannot be used: ${unusable}`));
  const names = namesOf(leaf);
  return ok({
    chain,
    key: keyPem.value,
    names,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    fingerprint: leaf.fingerprint256,
    warnings: [
      ...(secret.type === 'kubernetes.io/tls' ? [] : [wrongType(secret, where)]),
      ...(ordered.every((certificate, i) => certificate === given.value[i]) ? [] : [disordered(where)]),
      ...(leaf.subjectAltName
        ? []
        : [problem('FW6011', `the certificate of ${where} has no subject alternative name`)]),
    ],
  });
}

function wrongType({ type }: Secret, where: string): CertificateProblem {
  return problem('FW6010', `${where} has the type ${type ?? 'Opaque'}`);
}

function disordered(where: string): CertificateProblem {
  return problem(
    'FW6008',
    `tls.crt of ${where} does not begin with the certificate or does not go on with its issuers`,
  );
}

/** Text of one key of the Secret's data. */
function decodeKey(secret: Secret, key: 'tls.crt' | 'tls.key', where: string): Result<string, CertificateProblem> {
  const encoded: unknown = secret.data?.[key];
  if (typeof encoded !== 'string' || encoded === '') {
    const present = Object.keys(secret.data ?? {}).sort();
    const found = present.length > 0 ? `; its keys are ${present.slice(0, 5).join(', ')}` : '';
    return err(problem('FW6002', `${where} has no ${key}${found}`));
  }
  const code = key === 'tls.crt' ? 'FW6003' : 'FW6004';
  if (encoded.includes('-----BEGIN'))
    return err(problem(code, `${key} of ${where} is plain PEM where base64 is expected: move it to stringData`));
  if (!/^[A-Za-z0-9+/=\s]*$/.test(encoded)) return err(problem(code, `${key} of ${where} is not base64`));
  return ok(Buffer.from(encoded, 'base64').toString('utf8'));
}

function parseChain(pem: string, where: string): Result<X509Certificate[], CertificateProblem> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) return err(problem('FW6003', `tls.crt of ${where} holds no PEM certificate`));
  if (blocks.length > maxChainLength)
    return err(problem('FW6003', `tls.crt of ${where} holds ${blocks.length} certificates; ${maxChainLength} at most`));
  const parsed: X509Certificate[] = [];
  for (const [i, block] of blocks.entries()) {
    const certificate = attempt(() => new X509Certificate(block));
    if (!certificate.ok)
      return err(problem('FW6003', `certificate ${i + 1} in tls.crt of ${where} cannot be read: ${certificate.error}`));
    parsed.push(certificate.value);
  }
  return ok(parsed);
}

function parseKey(pem: string, where: string): Result<KeyObject, CertificateProblem> {
  const key = attempt(() => createPrivateKey(pem));
  if (key.ok) return key;
  const reason = pem.includes('ENCRYPTED') ? 'it is protected by a passphrase' : key.error;
  return err(problem('FW6004', `tls.key of ${where} cannot be read: ${reason}`));
}

/** The leaf, then each issuer in turn, then what belongs to neither. */
function orderChain(leaf: X509Certificate, given: readonly X509Certificate[]): X509Certificate[] {
  const rest = given.filter((certificate) => certificate !== leaf);
  const ordered = [leaf];
  for (let last = leaf; ; last = ordered.at(-1)!) {
    const next = rest.findIndex((candidate) => last.checkIssued(candidate));
    if (next < 0) return [...ordered, ...rest];
    ordered.push(...rest.splice(next, 1));
  }
}

/** What the TLS library says against serving it, for instance that the key is too small. */
function whyUnusable(chain: string, key: string): string | undefined {
  const context = attempt(() => createSecureContext({ cert: chain, key }));
  return context.ok ? undefined : context.error;
}

function attempt<T>(run: () => T): Result<T, string> {
  try {
    return ok(run());
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** Node writes `DNS:a.example.com, DNS:b.example.com, IP Address:10.0.0.1`, with odd names in JSON quotes. */
function namesOf(certificate: X509Certificate): string[] {
  const { subjectAltName } = certificate;
  if (!subjectAltName) return commonNames(certificate);
  const names = [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^",]+)(?=,|$)/g)];
  return names.map((match) => match[1]!.toLowerCase());
}

function commonNames({ subject }: X509Certificate): string[] {
  return [...subject.matchAll(/^CN=(.+)$/gm)].map((match) => match[1]!.toLowerCase());
}

function nameOf(certificate: X509Certificate): string {
  return namesOf(certificate)[0] ?? (certificate.subject.replaceAll('\n', ', ') || 'an unnamed subject');
}

function validity({ notBefore, notAfter }: Reading, now: string, secret: Secret): CertificateProblem[] {
  const at = Date.parse(now);
  const where = `the certificate of Secret ${secret.metadata.namespace}/${secret.metadata.name}`;
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (at > notAfter) return [problem('FW6006', `${where} expired on ${day(notAfter)}`)];
  if (at < notBefore) return [problem('FW6007', `${where} is valid from ${day(notBefore)} on`)];
  return [];
}
