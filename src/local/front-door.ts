/**
 * `fairway up`: the whole front door in one process. Builds each part, connects them in the order of the flow in
 * docs/architecture.md (manifests → store → controllers, plan, records → sockets) and tears them down in reverse.
 */
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { type ControllerState, createController } from '../control/controller.ts';
import { frontDoorNames } from '../control/front-door-names.ts';
import { createClusterDns } from '../dns/cluster-dns.ts';
import { resolvConfNameservers } from '../dns/plugins/forward/upstreams.ts';
import { createManifestSource } from '../kube/manifests/source.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { Pod } from '../kube/types/index.ts';
import { createProxy } from '../proxy/proxy.ts';
import { type BindMode, probeBinding } from '../service/bind.ts';
import { createServiceForwarder } from '../service/forward/forwarder.ts';
import { kubeconfigFor } from './apiserver/kubeconfig.ts';
import { createApiServer } from './apiserver/server.ts';
import { type BackendOverride, createLocalCluster } from './cluster.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';
import { createEchoRuntime } from './echo/runtime.ts';
import { createLocalObjects } from './local-objects.ts';
import { settingsObject } from './settings.ts';
import { type Summary, summarise } from './summary.ts';

export interface FrontDoorOptions {
  /** Manifests: files, folders, `-`. */
  paths: readonly string[];
  stdin?: string;
  watch?: boolean;
  adopt?: boolean;
  backends?: readonly BackendOverride[];
  /** 0 picks a free port. */
  apiPort?: number;
  dnsPort?: number;
  bindMode?: BindMode;
  maxFileBytes?: number;
  /** resolv.conf of the node: upstreams of the cluster's DNS and the base of Pods' resolv.conf. */
  nodeResolvConf: string;
  /** Where `kubeconfig` is written; undefined writes none. */
  stateFolder?: string;
  config?: ClusterConfig;
  /** Milliseconds to wait at most for Pods and listeners before saying ready. Default 10,000. */
  readyTimeoutMs?: number;
  onEvent?(event: FrontDoorEvent): void;
}

export type FrontDoorEvent =
  | {
      readonly event: 'changed';
      readonly files: readonly string[];
      readonly created: number;
      readonly updated: number;
      readonly deleted: number;
      readonly elapsedMs: number;
    }
  | { readonly event: 'diagnostic'; readonly diagnostic: Diagnostic };

export interface FrontDoor {
  readonly summary: Summary;
  readonly store: StoreReader;
  /** Findings in force now. */
  diagnostics(): Diagnostic[];
  /** Resolves when no change is on its way to the data plane. */
  settled(): Promise<void>;
  /** Ends everything; requests in flight get `graceMs` (default 1,000). */
  close(graceMs?: number): Promise<void>;
}

/** None of the paths can be read: there is nothing to serve, and nothing to wait for. */
export class NothingToServe extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super('none of the paths can be read');
    this.diagnostics = diagnostics;
  }
}

const apiHost = '127.0.0.1';
const extraDnsAddress = '127.0.0.1';

/** Findings that have not been told yet, by what they say. */
function createTeller(tell: (finding: Diagnostic) => void) {
  const told = new Set<string>();
  return {
    /** Marks as told without telling: they are in the ready event. */
    remember: (findings: readonly Diagnostic[]) => {
      for (const finding of findings) told.add(JSON.stringify(finding));
    },
    tell(findings: readonly Diagnostic[]) {
      const now = new Set(findings.map((finding) => JSON.stringify(finding)));
      for (const finding of findings) {
        const text = JSON.stringify(finding);
        if (!told.has(text)) tell(finding);
        told.add(text);
      }
      // What was mended and comes back is told again.
      for (const text of told) if (!now.has(text)) told.delete(text);
    },
  };
}

interface WaitingContainer {
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

/** Whether a Pod answers, or has said why it does not. */
function isDecided({ status }: Pod): boolean {
  if (status?.phase !== 'Pending') return status?.phase !== undefined;
  const waiting = ((status.containerStatuses ?? []) as WaitingContainer[]).map(({ state }) => state?.waiting?.reason);
  return waiting.some((reason) => reason !== undefined && reason !== 'ContainerCreating');
}

/** Resolves when the condition holds, looked at after every burst of changes, or when the time is over. */
function until(store: StoreReader, holds: () => boolean, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let scheduled = false;
    const finish = (result: boolean) => {
      clearTimeout(timer);
      unsubscribe();
      resolve(result);
    };
    const look = () => {
      scheduled = false;
      if (holds()) finish(true);
    };
    const timer = setTimeout(() => finish(holds()), timeoutMs);
    const unsubscribe = store.subscribe(() => {
      if (scheduled) return;
      scheduled = true;
      setImmediate(look);
    });
    look();
  });
}

type ApiServer = ReturnType<typeof createApiServer>;

/** Listens on the wanted port; when that is taken, on a free one, with a finding that says so. */
async function listenApi(api: ApiServer, port: number, findings: Diagnostic[]): Promise<string> {
  try {
    return (await api.listen({ host: apiHost, port })).url;
  } catch (error) {
    const { url } = await api.listen({ host: apiHost, port: 0 });
    const reason = error instanceof Error ? error.message : String(error);
    findings.push(
      diagnostic('FW5005', {
        message: `the Kubernetes API cannot listen on ${apiHost}:${port} (${reason}): it answers at ${url}`,
      }),
    );
    return url;
  }
}

async function writeKubeconfig(folder: string, server: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kubeconfig'), kubeconfigFor(server));
}

async function removeKubeconfig(folder: string): Promise<void> {
  await rm(join(folder, 'kubeconfig'), { force: true });
  // The folder stays when something else is in it.
  await rmdir(folder).catch(() => undefined);
}

/** One finding for each listener of the plan that has no socket. */
function unboundFindings(unbound: ControllerState['unbound']): Diagnostic[] {
  return Object.entries(unbound).map(([id, reason]) =>
    diagnostic('FW5006', { message: `cannot listen on ${id}: ${reason}` }),
  );
}

/** Starts everything and resolves when it answers. What cannot be had (a port, a permission) is a finding; the rest starts. */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const config = options.config ?? defaultClusterConfig;
  const adopt = options.adopt ?? true;
  const errors: Diagnostic[] = [];
  const onError = (message: string) => {
    errors.push(diagnostic('FW1010', { message }));
  };
  const bind = await probeBinding(options.bindMode ? { mode: options.bindMode } : {});
  const objects = createLocalObjects(config);
  const { store } = objects;
  const source = createManifestSource({
    paths: options.paths,
    objects,
    ...(options.stdin !== undefined && { stdin: options.stdin }),
    ...(options.maxFileBytes !== undefined && { maxFileBytes: options.maxFileBytes }),
  });
  objects.create(
    settingsObject({
      adopt,
      clusterDomain: config.clusterDomain,
      ingressAddress: config.ingressAddress,
      dnsAddress: config.dnsAddress,
      nodeResolvConf: options.nodeResolvConf,
    }),
  );
  const loaded = await source.load();
  const unread = loaded.diagnostics.filter(({ code }) => code === 'FW1005');
  if (unread.length > 0 && unread.length === options.paths.length) throw new NothingToServe(unread);

  const runtime = createEchoRuntime({ policy: bind, store });
  const cluster = createLocalCluster({
    objects,
    config,
    runtime,
    nodeResolvConf: options.nodeResolvConf,
    ...(options.backends && { backends: [...options.backends] }),
    onError: (error, key) => onError(`${key}: ${error instanceof Error ? error.message : String(error)}`),
  });
  cluster.settle();
  cluster.start();

  const dnsDoors = [
    { address: config.dnsAddress, port: 53 },
    { address: extraDnsAddress, port: options.dnsPort ?? 1053 },
  ];
  const dns = createClusterDns({
    store,
    clusterDomain: config.clusterDomain,
    listen: dnsDoors.map(({ address, port }) => bind.map(address, port, 'UDP')),
    upstreams: resolvConfNameservers(options.nodeResolvConf),
    onError: (error) => onError(`DNS: ${error instanceof Error ? error.message : String(error)}`),
  });
  const proxy = createProxy();
  const controller = createController({
    objects,
    proxy,
    addresses: cluster.addresses,
    adopt,
    position: source.position,
    bind,
    onError,
    onSettled: ({ plan }) => {
      dns.setFrontDoorNames(frontDoorNames(plan));
    },
  });
  controller.start();

  const own = new Set([`${config.dnsAddress}:53`, `${config.ingressAddress}:80`, `${config.ingressAddress}:443`]);
  const forwarder = createServiceForwarder({
    store,
    policy: bind,
    nodeAddresses: [config.nodeAddress],
    reserved: (address, port) => own.has(`${address}:${port}`),
  });
  const api = createApiServer({ objects, podLogs: runtime.logs });
  const [apiDoor, dnsBound] = await Promise.all([
    listenApi(api, options.apiPort ?? 8001, errors),
    dns.start(),
    forwarder.start(),
  ]);
  for (const door of dnsBound) {
    if (door.error)
      errors.push(
        diagnostic('FW4006', { message: `DNS cannot listen on ${door.address}:${door.port}: ${door.error}` }),
      );
  }
  if (options.stateFolder !== undefined) await writeKubeconfig(options.stateFolder, apiDoor);

  const timeout = options.readyTimeoutMs ?? 10_000;
  await until(store, () => store.list<Pod>('pods').every(isDecided), timeout);
  // Endpoints follow from Pods: they are worked out and delivered before anything is called ready.
  cluster.settle();
  controller.deliverEndpoints();
  await controller.settled();
  await new Promise((resume) => setImmediate(resume));

  const findings = (): Diagnostic[] => [
    ...bind.describe(),
    ...source.diagnostics(),
    ...cluster.diagnostics(),
    ...controller.state.diagnostics,
    ...unboundFindings(controller.state.unbound),
    ...dns.diagnostics(),
    ...forwarder.diagnostics(),
    ...errors,
  ];
  const teller = createTeller((finding) => options.onEvent?.({ event: 'diagnostic', diagnostic: finding }));
  const atStart = findings();
  teller.remember(atStart);
  const summary = summarise({
    store,
    config,
    bind,
    api: apiDoor,
    dns: dnsBound.filter(({ error }) => !error).map(({ address, port }) => ({ address, port })),
    diagnostics: atStart,
  });
  let quiet: NodeJS.Timeout | undefined;
  const unsubscribe = store.subscribe(() => {
    // Findings follow from changes; they are told once the dust has settled.
    quiet ??= setTimeout(() => {
      quiet = undefined;
      teller.tell(findings());
    }, 200);
  });
  if (options.watch ?? true) {
    await source.watch(async (report, noticed) => {
      await controller.settled();
      const { files, created, updated, deleted } = report;
      options.onEvent?.({ event: 'changed', files, created, updated, deleted, elapsedMs: performance.now() - noticed });
      teller.tell(findings());
    });
  }

  return {
    summary,
    store,
    diagnostics: findings,
    settled: () => controller.settled(),
    async close(graceMs = 1000) {
      unsubscribe();
      clearTimeout(quiet);
      await source.close();
      controller.stop();
      await Promise.all([proxy.close(graceMs), api.close(), forwarder.stop(), dns.close()]);
      cluster.stop();
      await runtime.close();
      if (options.stateFolder !== undefined) await removeKubeconfig(options.stateFolder);
    },
  };
}
