/** How the backend of a location is spoken to, where the Service itself does not say: `backend-protocol`, `proxy-ssl-*`, balancing. */
import { fnv1a } from '../../../base/hash.ts';
import { ok, type Result } from '../../../base/result.ts';
import { refOf } from '../../../kube/resources.ts';
import type { Secret } from '../../../kube/types/index.ts';
import { planCertificate, readTlsSecret } from '../../certificates.ts';
import type { BackendVariant } from '../../ingress/backends.ts';
import type { Backend, BackendPolicy, BackendTls, BalancePolicy, Certificate, Template } from '../../plan/plan.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import { nginxPrefix } from '../annotations/table.ts';
import { parseTemplate } from '../variables.ts';
import { keyIn, type LocationDesk } from './desk.ts';
import { certificatesIn, textIn } from './secrets.ts';

/** Undefined: as it is. */
export function backendVariant(desk: LocationDesk): BackendVariant | undefined {
  const policy = policyOf(desk);
  const protocol = protocolOf(desk);
  const trust = trustOf(desk);
  if (!policy && !protocol && !trust) return undefined;
  const suffix = placeSuffix(desk, policy, protocol);
  const isAuto = desk.asked['backend-protocol'] === 'AUTO_HTTP';
  return (backend) => {
    const spoken = protocol ?? backend.protocol;
    const { tls: own, ...plain } = backend;
    const tls = isTls(spoken) ? (trust?.(backend) ?? own ?? unverified(desk)) : undefined;
    return {
      ...plain,
      id: `${backend.id}/Ingress/${ownerOf(desk, backend)}${suffix}`,
      protocol: spoken,
      ...(tls && { tls }),
      ...(isAuto && { tlsAsListener: true }),
      ...(policy && { policy: { ...backend.policy, ...policy } }),
    };
  };
}

/** An Ingress as far as the backend's own id does not tell it apart from others. */
const ownerOf = ({ ingress: { metadata }, namespace }: LocationDesk, backend: Backend) =>
  namespace === backend.namespace ? metadata.name : `${namespace}/${metadata.name}`;

/**
 * What one location of an Ingress makes of a Service and another one does not: a protocol that its host asks for, and
 * hashes over what the location is called.
 */
function placeSuffix(
  { ingress, asked }: LocationDesk,
  policy: BackendPolicy | undefined,
  protocol: Backend['protocol'] | undefined,
): string {
  const usual = readNginxAnnotations(ingress).asked['backend-protocol'];
  const spoken = asked['backend-protocol'] === usual ? '' : `/${protocol}`;
  if (policy?.balance?.type !== 'hash') return spoken;
  const here = JSON.stringify(policy.balance.by);
  const anywhere = hashOf(parseTemplate(hashText(asked) ?? ''));
  return here === JSON.stringify(anywhere?.by) ? spoken : `${spoken}/hash-${fnv1a(here).toString(16)}`;
}

const isTls = (protocol: Backend['protocol']) => protocol === 'https' || protocol === 'h2';

/** `FCGI` shuts the location. */
const protocols: Readonly<Partial<Record<string, Backend['protocol']>>> = {
  HTTP: 'http1',
  AUTO_HTTP: 'https',
  HTTPS: 'https',
  GRPC: 'h2c',
  GRPCS: 'h2',
};

function protocolOf({ asked }: LocationDesk): Backend['protocol'] | undefined {
  const said = asked['backend-protocol'];
  return said === undefined ? undefined : protocols[said];
}

/** That of the data plane, and of ingress-nginx. */
const usualConnectSeconds = 5;

function policyOf(desk: LocationDesk): BackendPolicy | undefined {
  const seconds = desk.asked['proxy-connect-timeout'] ?? desk.config.proxyConnectTimeout;
  const balance = balanceOf(desk);
  if (seconds === usualConnectSeconds && !balance) return undefined;
  return { ...(seconds !== usualConnectSeconds && { connectTimeoutMs: seconds * 1_000 }), ...(balance && { balance }) };
}

/** A hash goes before what `load-balance` says; sessions go before both. */
function balanceOf(desk: LocationDesk): BalancePolicy | undefined {
  const text = hashText(desk.asked);
  const template = text === undefined ? undefined : desk.template('upstream-hash-by', text);
  if (template) return hashOf(ok(template));
  return (desk.asked['load-balance'] ?? desk.config.loadBalance) === 'ewma' ? { type: 'least-request' } : undefined;
}

const hashText = (asked: LocationDesk['asked']) => asked['upstream-hash-by']?.replaceAll(' ', '');

function hashOf(template: Result<Template, string>): (BalancePolicy & { type: 'hash' }) | undefined {
  return template.ok ? { type: 'hash', by: [{ by: 'template', template: template.value }] } : undefined;
}

const sourceOf = ({ ingress }: LocationDesk, name: string) => ({
  object: refOf(ingress),
  fieldPath: `metadata.annotations["${nginxPrefix}${name}"]`,
});

/** Encrypted, to whoever answers, and without a server name. */
function unverified(desk: LocationDesk): BackendTls {
  return {
    ...{ serverName: '', verify: false, ca: 'system', subjectAltNames: [] },
    source: sourceOf(desk, 'backend-protocol'),
  };
}

/** TLS as `proxy-ssl-*` asks for it. Undefined when nothing does, or when it is missed. */
function trustOf(desk: LocationDesk): ((backend: Backend) => BackendTls) | undefined {
  const { asked, scope, miss } = desk;
  const name = 'proxy-ssl-secret';
  const named = asked[name];
  const key = named && keyIn(desk, name, named);
  if (key === undefined) return undefined;
  const secret = scope.resolver.findSecret(key);
  if (!secret) return miss(name, `the Secret ${key} does not exist`);
  const authorities = authoritiesIn(desk, key, secret);
  const shown = certificateIn(desk, key, secret);
  if (authorities === 'missed' || shown === 'missed') return undefined;
  const verify = asked['proxy-ssl-verify'] === true;
  if (verify && authorities === undefined)
    return miss('proxy-ssl-verify', `the Secret ${key} has nothing under the key ca.crt`);
  const serverName = asked['proxy-ssl-name'];
  const ciphers = asked['proxy-ssl-ciphers'];
  const versions = [...(asked['proxy-ssl-protocols'] ?? (['TLSv1.2'] as const))].sort();
  return ({ service, namespace }) => {
    const host = serverName ?? `${service}.${namespace}.svc`;
    return {
      ...{
        serverName: asked['proxy-ssl-server-name'] ? host : '',
        verify,
        ca: authorities ?? 'system',
        subjectAltNames: [],
      },
      ...(verify && { verifyName: host, depth: asked['proxy-ssl-verify-depth'] ?? 1 }),
      ...{ minVersion: versions[0]!, maxVersion: versions.at(-1)! },
      ...(ciphers !== undefined && ciphers !== 'DEFAULT' && { ciphers }),
      ...(shown && { clientCertificate: shown }),
      source: sourceOf(desk, name),
    };
  };
}

function authoritiesIn({ miss }: LocationDesk, key: string, secret: Secret): string | undefined | 'missed' {
  if (textIn(secret, 'ca.crt') === undefined) return undefined;
  const read = certificatesIn(secret, 'ca.crt');
  if (read.ok) return read.value;
  miss('proxy-ssl-secret', `the Secret ${key} ${read.error}`);
  return 'missed';
}

/** Shown to the backend, where the Secret has one. */
function certificateIn({ scope, miss }: LocationDesk, key: string, secret: Secret): Certificate | undefined | 'missed' {
  if (textIn(secret, 'tls.crt') === undefined) return undefined;
  const slash = key.indexOf('/');
  const read = readTlsSecret(scope.input.store, key.slice(0, slash), key.slice(slash + 1));
  if (read.ok) return planCertificate(read.value);
  miss('proxy-ssl-secret', read.error.message);
  return 'missed';
}
