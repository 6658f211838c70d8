/**
 * The ConfigMaps with which ingress-nginx carries TCP and UDP: `"9000": namespace/service:port`, with `:PROXY` after it
 * where clients, and after that where backends, are to announce whom they speak for.
 */
import { equalJson } from '../../../kube/objects.ts';
import type { ConfigMap, Service, ServicePort } from '../../../kube/types/index.ts';
import type { Context } from '../../ingress/context.ts';
import {
  type Backend,
  listenerId,
  type StreamBackend,
  type StreamListener,
  type StreamRoute,
  streamBackendId,
} from '../../plan/plan.ts';

type L4 = 'TCP' | 'UDP';

export interface CarriedStreams {
  readonly streams: readonly StreamListener[];
  readonly backends: readonly Backend[];
}

/** Ports that the doors for HTTP have. */
const taken: ReadonlySet<number> = new Set([80, 443]);
/** Each is a socket. */
const maxPorts = 1_000;

/** Sorted by port. What is wrong with an entry costs that entry. */
export function carryStreams(
  context: Context,
  map: ConfigMap,
  protocol: L4,
  addresses: readonly string[],
): CarriedStreams {
  const entries = Object.entries(map.data ?? {}).sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1));
  if (entries.length > maxPorts) {
    const message = `it has ${entries.length} ports; those after the first ${maxPorts} are left out`;
    context.report('FW5512', map, 'data', message);
  }
  const backends = new Map<string, Backend>();
  const streams = entries.slice(0, maxPorts).flatMap(([port, reference]) => {
    const found = readEntry(context, map, protocol, port, String(reference).trim());
    if (!found) return [];
    if (found.backend) backends.set(found.backend.id, found.backend);
    return addresses.map((address) => listenerOf(context, map, protocol, address, port, found.share));
  });
  return { streams, backends: [...backends.values()] };
}

interface Entry {
  readonly share: StreamBackend;
  readonly backend?: Backend;
}

function readEntry(context: Context, map: ConfigMap, protocol: L4, key: string, text: string): Entry | undefined {
  const fieldPath = `data["${key}"]`;
  const fail = (message: string) => void context.report('FW5512', map, fieldPath, message);
  const port = /^[0-9]{1,5}$/.test(key) ? Number(key) : 0;
  if (port < 1 || port > 65_535) return fail(`${JSON.stringify(key)} is no port`);
  if (protocol === 'TCP' && taken.has(port)) return fail(`port ${port} is that of the Ingress door`);
  const [, namespace, name, wanted, decode, encode] =
    /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63}):([a-z0-9-]{1,15})(:(?:PROXY)?)?(:(?:PROXY)?)?$/i.exec(text) ?? [];
  if (!namespace || !name || !wanted) return fail(`${JSON.stringify(text)} is not namespace/service:port`);
  if (/PROXY/i.test(decode ?? ''))
    return fail(
      'clients that announce whom they speak for are named at the start (`--data-plane FILE`, proxyProtocol)',
    );
  const source = context.provenance(map, fieldPath);
  const service = context.input.store.get<Service>('services', `${namespace}/${name}`);
  const found = service?.spec?.ports?.find((each) => matches(each, wanted, protocol));
  if (!service || !found) {
    const invalid = service
      ? `Service ${namespace}/${name} has no ${protocol} port ${wanted}`
      : `Service ${namespace}/${name} does not exist`;
    context.report('FW5512', map, fieldPath, invalid);
    return { share: { weight: 1, invalid, source } };
  }
  const announces = protocol === 'TCP' && /PROXY/i.test(encode ?? '');
  const backend = backendOf(context, service, namespace, found, protocol, announces);
  return { share: { weight: 1, backend: backend.id, source }, backend };
}

function matches(port: ServicePort, wanted: string, protocol: L4): boolean {
  if ((port.protocol ?? 'TCP') !== protocol) return false;
  return /^[0-9]+$/.test(wanted) ? port.port === Number(wanted) : port.name === wanted;
}

/** One that announces its clients is another backend than one that does not. */
function backendOf(
  context: Context,
  service: Service,
  namespace: string,
  { port }: ServicePort,
  protocol: L4,
  announces: boolean,
): Backend {
  const { name } = service.metadata;
  const id = streamBackendId(namespace, name, port, protocol);
  return {
    id: announces ? `${id}/PROXY` : id,
    namespace,
    service: name,
    port,
    protocol: protocol === 'TCP' ? 'tcp' : 'udp',
    ...(announces && { proxyProtocol: 'v1' }),
    source: context.provenance(service, 'spec.ports'),
  };
}

function listenerOf(
  context: Context,
  map: ConfigMap,
  protocol: L4,
  address: string,
  key: string,
  share: StreamBackend,
): StreamListener {
  const port = Number(key);
  const { namespace, name } = map.metadata;
  const source = context.provenance(map, `data["${key}"]`);
  const id = `ConfigMap/${namespace}/${name}/${key}`;
  const route: StreamRoute = { id, serverName: '*', tls: 'none', backends: [share], source };
  return { id: listenerId(address, port, protocol), address, port, protocol, routes: [route], sources: [source] };
}

/** The same result for as long as it says the same. */
export function keepCarried(now: CarriedStreams, before: CarriedStreams | undefined): CarriedStreams {
  return before && equalJson(now, before) ? before : now;
}
