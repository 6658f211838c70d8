/** Certificates of clients (`auth-tls-*`): said by one Ingress for all locations of its host. */
import { createSecureContext } from 'node:tls';
import type { Ingress, Secret } from '../../../kube/types/index.ts';
import { compileFinder } from '../../match/pattern.ts';
import type { ClientValidation, Filter, RequestFact, Template } from '../../plan/plan.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import { type Asked, type NginxKey, nginxPrefix } from '../annotations/table.ts';
import type { NginxConfig } from '../config/config.ts';
import { createDesk, type Desk, keyIn, type PolicyScope, reportAnnotations } from './desk.ts';
import { certificatesIn, textIn } from './secrets.ts';

export interface ServerPolicy {
  /** For the names of the host. Absent: clients are not asked. */
  readonly clientValidation?: ClientValidation;
  /** Before everything else that looks at requests. */
  readonly filters: readonly Filter[];
  /** For backends. */
  readonly headers: readonly (readonly [header: string, value: Template])[];
  /** For services that are asked about requests. */
  readonly authHeaders: readonly (readonly [header: string, value: Template])[];
  /** No location of the host lets a request through, for this reason. */
  readonly refusal?: string;
}

export const clientTlsKeys: readonly NginxKey[] = [
  ...(['auth-tls-secret', 'auth-tls-verify-client', 'auth-tls-verify-depth'] as const),
  ...(['auth-tls-error-page', 'auth-tls-pass-certificate-to-upstream', 'auth-tls-match-cn'] as const),
];

/** Whether an Ingress has a say in who may connect: of those of a host, the oldest that does counts. */
export function asksForCertificates(ingress: Ingress): boolean {
  const { asked, broken } = readNginxAnnotations(ingress);
  return asked['auth-tls-secret'] !== undefined || broken.includes('auth-tls-secret');
}

const noCertificates: ServerPolicy = { filters: [], headers: [], authHeaders: [] };

export function serverPolicy(scope: PolicyScope, ingress: Ingress, asked: Asked, config: NginxConfig): ServerPolicy {
  if (!asksForCertificates(ingress)) return noCertificates;
  reportAnnotations(scope, ingress);
  const desk = createDesk(scope, ingress, asked, config);
  const { broken } = readNginxAnnotations(ingress);
  const policy = policyOf(desk);
  const culprit = desk.missed ?? clientTlsKeys.find((key) => broken.includes(key));
  if (culprit === undefined && policy) return policy;
  return { ...noCertificates, refusal: `the annotation ${nginxPrefix}${culprit} cannot be honoured` };
}

const filterModes = { on: 'required', optional: 'optional', optional_no_ca: 'any' } as const;

function policyOf(desk: Desk): ServerPolicy | undefined {
  const { asked, miss } = desk;
  const named = asked['auth-tls-secret'];
  const key = named && keyIn(desk, 'auth-tls-secret', named);
  if (key === undefined) return undefined;
  const secret = desk.scope.resolver.findSecret(key);
  if (!secret) return miss('auth-tls-secret', `the Secret ${key} does not exist`);
  const subject = asked['auth-tls-match-cn'];
  const fault = subject === undefined ? undefined : patternFault(subject);
  if (fault !== undefined) return miss('auth-tls-match-cn', fault, 'noted');
  const clientValidation = validationOf(desk, key, secret);
  const verify = asked['auth-tls-verify-client'] ?? 'on';
  if (!clientValidation) return undefined;
  if (verify === 'off')
    return {
      ...noCertificates,
      filters: subjectGate(subject),
      headers: [notShown, ...identity],
      authHeaders: [notShown, ...identity],
    };
  const errorPage = asked['auth-tls-error-page'];
  const certificate: Filter = {
    ...{ type: 'client-certificate', mode: filterModes[verify], validation: clientValidation.id },
    ...(errorPage !== undefined && { errorPage }),
  };
  const headers = [asked['auth-tls-pass-certificate-to-upstream'] ? shown : notShown, ...identity];
  return { clientValidation, filters: [certificate, ...subjectGate(subject)], headers, authHeaders: headers };
}

function patternFault(pattern: string): string | undefined {
  const read = compileFinder(pattern);
  return read.ok ? undefined : `the pattern ${pattern} cannot be used: ${read.error}`;
}

const value = (fact: RequestFact): Template => [{ of: 'fact', fact }];
const shown = ['ssl-client-cert', value('client-certificate')] as const;
/** What clients write there themselves is no certificate that anybody has looked at. */
const notShown = ['ssl-client-cert', []] as const;
const identity = [
  ['ssl-client-verify', value('client-certificate-verify')],
  ['ssl-client-subject-dn', value('client-certificate-subject')],
  ['ssl-client-issuer-dn', value('client-certificate-issuer')],
] as const;

/** Over plain HTTP there is no subject, so that nobody is let in there: not even to be redirected. */
function subjectGate(pattern: string | undefined): readonly Filter[] {
  if (pattern === undefined) return [];
  const when = [{ value: value('client-certificate-subject'), test: { type: 'matches', pattern }, not: true }] as const;
  const reason = 'the subject of the certificate is not one that auth-tls-match-cn takes';
  return [{ type: 'respond', when, status: 403, body: ['client certificate unauthorized'], reason }];
}

/** Those that OpenSSL cannot read must not get as far as a listener. */
function isRevocationList(pem: string): boolean {
  try {
    createSecureContext({ crl: pem });
    return /-----BEGIN X509 CRL-----/.test(pem);
  } catch {
    // What is wrong with it is in the words of OpenSSL, which help nobody.
    return false;
  }
}

type NamedValidation = ClientValidation & { readonly id: string };

function validationOf({ asked, miss }: Desk, key: string, secret: Secret): NamedValidation | undefined {
  const ca = certificatesIn(secret, 'ca.crt');
  if (!ca.ok) return miss('auth-tls-secret', `the Secret ${key} ${ca.error}`);
  const crl = textIn(secret, 'ca.crl');
  if (crl !== undefined && !isRevocationList(crl))
    return miss('auth-tls-secret', `the Secret ${key} has no PEM list of revocations under the key ca.crl`);
  const depth = asked['auth-tls-verify-depth'] ?? 1;
  const id = `ca-secret/${key}${depth === 1 ? '' : `/depth-${depth}`}`;
  return { ca: ca.value, mode: 'ask', id, depth, ...(crl !== undefined && { crl }) };
}
