/** Where a URL of an annotation leads: to the endpoints of a Service, or to a name in DNS. */
import { isIP } from 'node:net';
import { err, ok, type Result } from '../../../base/result.ts';
import { refOf } from '../../../kube/resources.ts';
import type { Backend, BackendId, RequestValue, Template } from '../../plan/plan.ts';
import type { NginxKey } from '../annotations/table.ts';
import type { LocationDesk } from './desk.ts';
import { ownBackend } from './own-host.ts';

export interface Destination {
  readonly backend: BackendId;
  /** Without its port, as Host says it. Undefined: that of the request. */
  readonly host: string | undefined;
  /** Path and query. Empty when the URL has none. */
  readonly target: Template;
}

/** A variable that begins with a slash ends the authority: `https://copy.example.com$request_uri`. */
const parts = /^(https?):\/\/((?:(?!\$\{?(?:request_uri|document_uri|uri)\b)[^/?])+)(.*)$/is;

/** Missed when it cannot be told where the URL leads. */
export function destinationOf(desk: LocationDesk, name: NginxKey, url: string): Destination | undefined {
  const [, scheme = '', authority = '', rest = ''] = parts.exec(url) ?? [];
  const host = desk.template(name, authority);
  const target = host && desk.template(name, rest.startsWith('?') ? `/${rest}` : rest);
  if (!host || !target) return undefined;
  const own = isOwnHost(host, desk.facts.hostname) ? ownBackend(desk, name, target) : undefined;
  if (own === 'loop') return desk.miss(name, 'the path of the host that it leads to is protected by the same question');
  if (own) return { backend: own.backend, host: undefined, target };
  const place = placeOf(host, desk.facts.hostname);
  if (!place.ok) return desk.miss(name, place.error);
  const isTls = scheme.toLowerCase() === 'https';
  const port = place.value.port ?? (isTls ? 443 : 80);
  const backend = backendOf(desk, place.value.hostname, port, isTls);
  if (!backend.ok) return desk.miss(name, backend.error);
  return { backend: backend.value, host: place.value.hostname, target };
}

interface Place {
  readonly hostname: string;
  readonly port: number | undefined;
}

function placeOf(host: Template, hostname: string): Result<Place, string> {
  const text = hostText(host, hostname);
  if (text === undefined)
    return err('its host is made of the request, and could lead anywhere; write the name of a Service or a host');
  const [, name = '', port] = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (name === '') return err(`${JSON.stringify(text)} is not a host`);
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65_535)) return err(`${port} is not a port`);
  return ok({ hostname: name.toLowerCase().replace(/\.$/, ''), port: number });
}

/** `$host` is the host of the location, where that is one name. */
function hostText(host: Template, hostname: string): string | undefined {
  let text = '';
  for (const part of host) {
    if (typeof part === 'string') text += part;
    else if (isHost(part) && !hostname.startsWith('*')) text += hostname;
    else return undefined;
  }
  return text;
}

const isHost = (part: RequestValue) => part.of === 'fact' && (part.fact === 'hostname' || part.fact === 'host');

/** `$host` alone, or the name of the host. */
function isOwnHost([host, ...rest]: Template, hostname: string): boolean {
  if (host === undefined || rest.length > 0) return false;
  return typeof host === 'string' ? host.toLowerCase() === hostname : isHost(host);
}

function backendOf(desk: LocationDesk, hostname: string, port: number, isTls: boolean): Result<BackendId, string> {
  const [, service, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?$/.exec(hostname) ?? [];
  if (service !== undefined) return serviceBackend(desk, namespace!, service, port, isTls);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0)
    return err(`${hostname} is an address; write SERVICE.NAMESPACE.svc.cluster.local, or a name of DNS`);
  if (!hostname.includes('.'))
    return err(`${hostname} is no whole name; write ${hostname}.${desk.namespace}.svc.cluster.local for the Service`);
  const backend = externalBackend(desk, hostname, port, isTls);
  desk.scope.resolver.use(backend);
  return ok(backend.id);
}

/** The URL says what is spoken, and nothing of it who is to be trusted. */
function serviceBackend(
  { scope }: LocationDesk,
  namespace: string,
  service: string,
  port: number,
  isTls: boolean,
): Result<BackendId, string> {
  const variant = (backend: Backend): Backend => {
    if ((backend.protocol === 'https' || backend.protocol === 'h2') === isTls) return backend;
    const { tls: _, ...plain } = backend;
    if (!isTls) return { ...plain, id: `${backend.id}/http`, protocol: 'http1' };
    return {
      ...plain,
      id: `${backend.id}/https`,
      protocol: 'https',
      tls: trusting(`${service}.${namespace}.svc`, backend),
    };
  };
  const found = scope.resolver.findBackend(namespace, { name: service, port: { number: port } }, variant);
  return 'id' in found ? ok(found.id) : err(found.reason);
}

/** Of one Ingress: others may say the same name. */
function externalBackend(
  { ingress, namespace }: LocationDesk,
  hostname: string,
  port: number,
  isTls: boolean,
): Backend {
  const source = { object: refOf(ingress) };
  const scheme = isTls ? 'https' : 'http';
  const backend: Backend = {
    id: `Ingress/${namespace}/${ingress.metadata.name}/${scheme}/${hostname}:${port}`,
    ...{ namespace, service: hostname, port, external: { hostname } },
    protocol: isTls ? 'https' : 'http1',
    source,
  };
  return isTls ? { ...backend, tls: trusting(hostname, { source }) } : backend;
}

/** As nginx does: with the server name, without a look at the certificate. */
function trusting(serverName: string, { source }: Pick<Backend, 'source'>): NonNullable<Backend['tls']> {
  return { serverName, verify: false, ca: 'system', subjectAltNames: [], source };
}
