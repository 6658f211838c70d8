/** Where a world comes from: manifests, a Kubernetes API, or the `fairway up` that runs in this folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toKubeTime } from '../base/clock.ts';
import { type Compiled, compile, compiledResources } from '../control/compile.ts';
import { createInfrastructure, localSink } from '../control/infrastructure.ts';
import { createSelfSigned } from '../control/self-signed.ts';
import type { ApiError } from '../kube/client/api-error.ts';
import { createKubeClient } from '../kube/client/client.ts';
import { type FindConfigOptions, findClientConfig } from '../kube/client/kubeconfig.ts';
import { listInto } from '../kube/client/list.ts';
import { createManifestSource } from '../kube/manifests/source.ts';
import type { ObjectApi } from '../kube/objects.ts';
import { createResourceRegistry, resourceName } from '../kube/resources.ts';
import { readGatewayCrds, resourceOfCrd } from '../kube/schema/crd.ts';
import { createStore, type StoreReader } from '../kube/store/store.ts';
import type { Gateway, Node } from '../kube/types/index.ts';
import { createLocalCluster, resolvConfAnnotation } from '../local/cluster.ts';
import { defaultClusterConfig } from '../local/config.ts';
import { createLocalObjects } from '../local/local-objects.ts';
import { readSettings } from '../local/settings.ts';
import type { IngressNginxFlags } from '../routing/ingress-nginx/flags.ts';
import { type AddressBook, type Generated, gatewayControllerName, type TranslateInput } from '../routing/translate.ts';
import { clusterDnsOf } from './cluster-dns.ts';
import type { World } from './world.ts';

export interface SourceOptions {
  /** Manifests: files, folders, `-`. */
  files?: readonly string[];
  stdin?: string;
  /** URL of a Kubernetes API; alone, one that wants no credentials. */
  server?: string;
  /** A kubeconfig file. */
  kubeconfig?: string;
  /** Context of the kubeconfig; without a file, of those that kubectl reads. */
  context?: string;
  /** Take on classes of other controllers; for files. Default true, as `fairway up` does. */
  adopt?: boolean;
  /** `spec.controllerName` of the GatewayClasses that count, and of entries in statuses. */
  controllerName?: string;
  /** Text of the node's resolv.conf, when it is not to be taken from the Node. */
  nodeResolvConf?: string;
  /** Command line of ingress-nginx; of an API, absent: what the `fairway up` that serves it was told. */
  ingressNginx?: IngressNginxFlags;
  /** Folder in which `fairway up` runs, for finding it. Default the current one. */
  folder?: string;
}

/** A source that cannot be read, with what to do about it. */
export class SourceError extends Error {}

/** The kubeconfig of the `fairway up` that was started in a folder. */
export function runningKubeconfig(folder: string = process.cwd()): string | undefined {
  const path = join(folder, '.fairway', 'kubeconfig');
  return existsSync(path) ? path : undefined;
}

/** Resources that any question may need, beyond those that the plan is compiled from. */
const otherResources = ['pods', 'nodes', 'endpoints', 'endpointslices.discovery.k8s.io'];

/** Addresses as the API shows them: whoever runs there has chosen them. */
function publishedAddresses(store: StoreReader, ingressAddress: string): AddressBook {
  return {
    ingress: () => [ingressAddress],
    gateway(namespace, name) {
      const gateway = store.get<Gateway>('gateways.gateway.networking.k8s.io', `${namespace}/${name}`);
      return gateway?.status?.addresses?.[0]?.value ?? ingressAddress;
    },
    usable: () => true,
  };
}

type Compiling = Pick<TranslateInput, 'adopt' | 'addresses' | 'position' | 'ingressNginx' | 'controllerName'>;

/** As a front door does; its certificate for names without one is another each time. */
async function compileWorld(store: StoreReader, options: Compiling): Promise<Compiled> {
  const input = { store, ...options, now: toKubeTime(Date.now()) };
  let isWanted = false;
  const compiled = compile({
    ...input,
    selfSigned: () => {
      isWanted = true;
      return undefined;
    },
  });
  if (!isWanted) return compiled;
  const certificate = await createSelfSigned();
  return compile({ ...input, selfSigned: () => certificate });
}

/** What `fairway up` takes for the node's resolv.conf as well; undefined where there is none. */
function hostResolvConf(): string | undefined {
  const path = '/etc/resolv.conf';
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

async function fromFiles(files: readonly string[], given: SourceOptions): Promise<World> {
  const options = { ...given, nodeResolvConf: given.nodeResolvConf ?? hostResolvConf() };
  const objects = createLocalObjects();
  const source = createManifestSource({
    paths: files,
    objects,
    ...(options.stdin !== undefined && { stdin: options.stdin }),
  });
  const loaded = await source.load();
  const cluster = createLocalCluster({
    objects,
    ...(options.nodeResolvConf !== undefined && { nodeResolvConf: options.nodeResolvConf }),
  });
  cluster.settle();
  const compiled = await compileWorld(objects.store, {
    adopt: options.adopt ?? true,
    addresses: cluster.addresses,
    position: source.position,
    ...(options.ingressNginx && { ingressNginx: options.ingressNginx }),
    ...(options.controllerName !== undefined && { controllerName: options.controllerName }),
  });
  generate(objects, compiled.generated);
  cluster.settle();
  cluster.stop();
  const dns = { clusterDomain: defaultClusterConfig.clusterDomain, dnsAddresses: [defaultClusterConfig.dnsAddress] };
  const unread = loaded.diagnostics;
  return world(
    objects.store,
    compiled,
    { ...dns, unread, source: files.join(' '), isLive: false, position: source.position },
    options,
  );
}

/** Writes what is generated for Gateways, so that their names resolve here as they do in `fairway up`. */
function generate(objects: ObjectApi, generated: readonly Generated[]): void {
  const { store } = objects;
  // What is refused is missing in the answers; `fairway up` tells why.
  const infrastructure = createInfrastructure({ store, sink: localSink(objects), onError: () => {} });
  infrastructure.apply(generated);
  infrastructure.stop();
}

function describeError({ kind, message }: ApiError): string {
  if (kind !== 'unreachable' && kind !== 'timeout') return message;
  return `cannot reach the Kubernetes API: ${message}\nIs fairway up running? Or name manifests with -f.`;
}

async function fromServer(from: FindConfigOptions, options: SourceOptions): Promise<World> {
  const config = findClientConfig(from);
  if (!config.ok) throw new SourceError(config.error.message);
  const { server } = config.value;
  const client = createKubeClient({ config: config.value, timeoutMs: 10_000, retries: 1 });
  const store = createStore();
  const registry = createResourceRegistry();
  const crds = readGatewayCrds().map(resourceOfCrd);
  for (const crd of crds) registry.add(crd);
  const resources = [...compiledResources, ...otherResources, ...crds.map(resourceName)];
  const listed = await listInto({ client, store, registry, resources: [...new Set(resources)] });
  client.close();
  if (!listed.ok) throw new SourceError(describeError(listed.error));
  const settings = readSettings(store);
  const addresses = publishedAddresses(store, settings?.ingressAddress ?? defaultClusterConfig.ingressAddress);
  const ingressNginx = options.ingressNginx ?? settings?.ingressNginx;
  const compiled = await compileWorld(store, {
    adopt: options.adopt ?? settings?.adopt ?? false,
    addresses,
    position: () => undefined,
    ...(ingressNginx && { ingressNginx }),
    ...(options.controllerName !== undefined && { controllerName: options.controllerName }),
  });
  const told = { ...clusterDnsOf(store), unread: [], source: server, isLive: true, position: () => undefined };
  return world(store, compiled, told, options);
}

function world(
  store: StoreReader,
  compiled: Compiled,
  told: Pick<World, 'unread' | 'clusterDomain' | 'dnsAddresses' | 'source' | 'isLive' | 'position'>,
  options: SourceOptions,
): World {
  const settings = readSettings(store);
  const annotation = store.list<Node>('nodes')[0]?.metadata.annotations?.[resolvConfAnnotation];
  const nodeResolvConf = options.nodeResolvConf ?? settings?.nodeResolvConf ?? annotation;
  const ingressNginx = options.ingressNginx ?? settings?.ingressNginx;
  return {
    store,
    controllerName: options.controllerName ?? gatewayControllerName,
    plan: compiled.plan,
    statuses: compiled.statuses,
    diagnostics: [...told.unread, ...compiled.diagnostics],
    ...told,
    ...(settings && { clusterDomain: settings.clusterDomain, dnsAddresses: [settings.dnsAddress] }),
    ...(nodeResolvConf !== undefined && { nodeResolvConf }),
    ...(ingressNginx && { ingressNginx }),
  };
}

/** Manifests when named, else the API when named, else the `fairway up` of this folder. */
export async function openWorld(options: SourceOptions): Promise<World> {
  const { files, server, kubeconfig, context, folder } = options;
  if (files?.length) return fromFiles(files, options);
  if (server ?? kubeconfig ?? context) return fromServer({ server, kubeconfig, context }, options);
  const running = runningKubeconfig(folder);
  if (running) return fromServer({ kubeconfig: running }, options);
  throw new SourceError(
    'nothing to ask: name manifests with -f, a Kubernetes API with --server or --kubeconfig, or start fairway up in this folder',
  );
}
