/**
 * `fairway up`: the whole front door in one process. Builds each part, connects them in the order of the flow in
 * docs/architecture.md (manifests → store → controllers, plan, records → sockets) and tears them down in reverse.
 */
import { isIP } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { openFileLimit } from '../base/open-files.ts';
import { type AcmePlace, challengesName, defaultIssuersName } from '../control/acme/names.ts';
import { createClusterDns } from '../dns/cluster-dns.ts';
import { resolvConfNameservers } from '../dns/plugins/forward/upstreams.ts';
import { createManifestSource } from '../kube/manifests/source.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { WorkersOptions } from '../proxy/workers/workers.ts';
import type { IngressNginxFlags } from '../routing/ingress-nginx/flags.ts';
import { emptyPlan, type Plan } from '../routing/plan/plan.ts';
import { type BindMode, probeBinding } from '../service/bind.ts';
import type { ExternalOptions } from '../service/external-endpoints.ts';
import { createSocketDemand } from '../service/forward/demand.ts';
import { createServiceForwarder } from '../service/forward/forwarder.ts';
import { createSocketRoom, socketsWithin } from '../service/socket-room.ts';
import { apiHost, listenApi, removeKubeconfig, writeKubeconfig } from './api-door.ts';
import { createApiServer } from './apiserver/server.ts';
import { type BackendOverride, createLocalCluster } from './cluster.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';
import type { DataPlaneFile } from './data-plane-file.ts';
import { createEchoRuntime } from './echo/runtime.ts';
import { type LocalGateways, noGateways, openGateways } from './gateways.ts';
import { createLocalObjects } from './local-objects.ts';
import { podsDecided } from './readiness.ts';
import { settingsObject } from './settings.ts';
import { type Summary, summarise } from './summary.ts';
import { createTeardown, type Teardown } from './teardown.ts';
import { openTelemetry, type TelemetryWishes } from './telemetry.ts';
import { createTeller } from './teller.ts';

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
  /**
   * Listening sockets of Services and Pods together, at most; Pods beyond wait. Default: three quarters of the files that
   * the process may open, so that its own doors and connections always find room.
   */
  sockets?: number;
  /** Milliseconds to wait at most for Pods and listeners before saying ready. Default 10,000. */
  readyTimeoutMs?: number;
  /** Serve Gateways and Ingresses; false where another process does, through the API. Default true. */
  gateway?: boolean;
  /** Access log, metrics page, traces. Default: none of them. */
  telemetry?: TelemetryWishes;
  /** Options of the data plane, and what was wrong with others. Default: its defaults. */
  dataPlane?: DataPlaneFile;
  /** Flags of ingress-nginx that change what becomes of Ingresses. Default: its defaults. */
  ingressNginx?: IngressNginxFlags;
  /** ConfigMap of ACME's issuers, in whose namespace its state is kept. Default `kube-system/fairway-issuers`. */
  acmeIssuers?: AcmePlace;
  /** How names outside of the cluster (XBackend) are resolved, and where they may lead. */
  external?: ExternalOptions;
  /** Processes of the data plane. Default: it runs in this one. */
  workers?: WorkersOptions;
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
  /** In force now. */
  plan(): Plan;
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

/** What is left of telling about traffic gets so long after a stop, even when requests have used up the grace. */
const leastTellingMs = 500;

const extraDnsAddress = '127.0.0.1';

/** Faults of parts that have no list of their own; the newest are kept. */
const maxFaults = 100;

function createFaults() {
  const faults: Diagnostic[] = [];
  const add = (finding: Diagnostic) => {
    faults.push(finding);
    if (faults.length > maxFaults) faults.shift();
  };
  const fail = (where: string, error: unknown) =>
    add(diagnostic('FW1010', { message: `${where}: ${error instanceof Error ? error.message : String(error)}` }));
  return { list: faults, add, fail };
}

/** Objects of the manifests and of the cluster itself, before anything runs. */
async function loadObjects(options: FrontDoorOptions, config: ClusterConfig) {
  const objects = createLocalObjects(config);
  const { adopt = true, nodeResolvConf } = options;
  const { clusterDomain, ingressAddress, dnsAddress } = config;
  const told = { ...(options.ingressNginx && { ingressNginx: options.ingressNginx }) };
  objects.create(settingsObject({ adopt, clusterDomain, ingressAddress, dnsAddress, nodeResolvConf, ...told }));
  const source = createManifestSource({
    paths: options.paths,
    objects,
    ...(options.stdin !== undefined && { stdin: options.stdin }),
    ...(options.maxFileBytes !== undefined && { maxFileBytes: options.maxFileBytes }),
  });
  const loaded = await source.load();
  const unread = loaded.diagnostics.filter(({ code }) => code === 'FW1005');
  if (unread.length > 0 && unread.length === options.paths.length) throw new NothingToServe(unread);
  return { objects, source };
}

/** The folder that has a kubeconfig now. */
async function tryKubeconfig(
  folder: string | undefined,
  apiUrl: string,
  faults: ReturnType<typeof createFaults>,
): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  try {
    await writeKubeconfig(folder, apiUrl);
    return folder;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = `Run it where ${folder} can be a folder, or give kubectl the address: --server ${apiUrl}`;
    faults.add(diagnostic('FW1010', { message: `no kubeconfig was written: ${reason}`, severity: 'warning', hint }));
    return undefined;
  }
}

/**
 * Starts everything and resolves when it answers. What cannot be had (a port, a permission) is a finding; the rest
 * starts. What was opened is closed again when it throws.
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const teardown = createTeardown();
  try {
    return await openFrontDoor(options, teardown);
  } catch (error) {
    await teardown.close(0);
    throw error;
  }
}

async function openFrontDoor(options: FrontDoorOptions, teardown: Teardown): Promise<FrontDoor> {
  const config = options.config ?? defaultClusterConfig;
  const faults = createFaults();
  const bind = await probeBinding(options.bindMode ? { mode: options.bindMode } : {});
  const { objects, source } = await loadObjects(options, config);
  teardown.add(() => source.close());
  const { store } = objects;

  const demand = createSocketDemand(store, [config.nodeAddress]);
  teardown.add(() => demand.close());
  const room = createSocketRoom(options.sockets ?? socketsWithin(openFileLimit()), demand.count);
  const runtime = createEchoRuntime({ policy: bind, store, room: room.pods });
  teardown.add(() => runtime.close());
  const apiPort = options.apiPort ?? 8001;
  const cluster = createLocalCluster({
    objects,
    config,
    runtime,
    nodeResolvConf: options.nodeResolvConf,
    doors: {
      dns: { address: config.dnsAddress, port: 53 },
      ...(apiPort > 0 && { api: { address: apiHost, port: apiPort } }),
    },
    ...(options.backends && { backends: [...options.backends] }),
    onError: (error, key) => faults.fail(key, error),
  });
  teardown.add(() => cluster.stop());
  cluster.settle();
  cluster.start();

  const acme = options.acmeIssuers ?? { namespace: 'kube-system', name: defaultIssuersName };
  const dns = createClusterDns({
    store,
    challenges: `${acme.namespace}/${challengesName}`,
    clusterDomain: config.clusterDomain,
    listen: [bind.map(config.dnsAddress, 53, 'UDP'), { address: extraDnsAddress, port: options.dnsPort ?? 1053 }],
    upstreams: resolvConfNameservers(options.nodeResolvConf),
    onError: (error) => faults.fail('DNS', error),
  });
  let tellSoon = () => {};
  const find = (finding: Diagnostic) => {
    faults.add(finding);
    tellSoon();
  };
  const telemetry = await openTelemetry(options.telemetry ?? {}, find);
  teardown.add((left) => telemetry.close(Math.max(leastTellingMs, left())));
  const gateways: LocalGateways =
    options.gateway === false
      ? noGateways
      : openGateways({
          ...{ objects, source, bind, telemetry, teardown, addresses: cluster.addresses },
          adopt: options.adopt ?? true,
          wishes: options,
          external: {
            servers: resolvConfNameservers(options.nodeResolvConf).filter((one) => isIP(one)),
            ...options.external,
          },
          acme,
          ...(options.ingressNginx && { ingressNginx: options.ingressNginx }),
          onChange: () => tellSoon(),
          onNames: (names) => dns.changeFrontDoorNames(names),
          onFinding: find,
          onError: (message) => faults.fail('controller', message),
        });
  telemetry.show({ dns: () => dns.metrics(), ...(gateways.state && { controller: gateways.state }) });
  // Workers that are there by now get the plan, and read it while everything else is opened here. What they have said is
  // heard between two turns.
  await nextTurn();
  await nextTurn();

  const own = new Set([`${config.dnsAddress}:53`, `${config.ingressAddress}:80`, `${config.ingressAddress}:443`]);
  const forwarder = createServiceForwarder({
    store,
    policy: bind,
    nodeAddresses: [config.nodeAddress],
    room: room.services,
    reserved: (address, port) => own.has(`${address}:${port}`),
  });
  const api = createApiServer({ objects, podLogs: runtime.logs });
  teardown.add(() => Promise.all([api.close(), forwarder.stop(), dns.close()]));
  const [apiUrl, dnsBound] = await Promise.all([listenApi(api, apiPort, faults.list), dns.start(), forwarder.start()]);
  for (const { error } of dnsBound) if (error) faults.add(error);
  const kubeconfigFolder = await tryKubeconfig(options.stateFolder, apiUrl, faults);
  if (kubeconfigFolder !== undefined) teardown.add(() => removeKubeconfig(kubeconfigFolder));

  await podsDecided(store, options.readyTimeoutMs ?? 10_000);
  // Endpoints follow from Pods: they are worked out and delivered before anything is called ready.
  cluster.settle();
  gateways.deliverEndpoints();
  await gateways.settled();
  await nextTurn();

  const diagnostics = (): Diagnostic[] => [
    ...bind.describe(),
    ...source.diagnostics(),
    ...cluster.diagnostics(),
    ...gateways.diagnostics(),
    ...dns.diagnostics(),
    ...forwarder.diagnostics(),
    ...(options.dataPlane?.diagnostics ?? []),
    ...faults.list,
  ];
  const atStart = diagnostics();
  const dnsDoors = dnsBound.filter(({ error }) => !error).map(({ address, port }) => ({ address, port }));
  const plan = () => gateways.state?.().plan ?? emptyPlan;
  const summary = summarise({
    store,
    plan: plan(),
    config,
    bind,
    api: apiUrl,
    dns: dnsDoors,
    metrics: telemetry.url,
    diagnostics: atStart,
  });
  const teller = createTeller((finding) => options.onEvent?.({ event: 'diagnostic', diagnostic: finding }));
  teller.remember(atStart);
  let quiet: NodeJS.Timeout | undefined;
  // Findings follow from changes; they are told once the dust has settled.
  tellSoon = () => {
    quiet ??= setTimeout(() => {
      quiet = undefined;
      teller.tell(diagnostics());
    }, 200);
  };
  const unsubscribe = store.subscribe(tellSoon);
  teardown.add(() => {
    unsubscribe();
    tellSoon = () => {};
    clearTimeout(quiet);
  });
  if (options.watch ?? true) {
    await source.watch(async ({ files, created, updated, deleted }, noticed) => {
      await gateways.settled();
      const elapsedMs = performance.now() - noticed;
      options.onEvent?.({ event: 'changed', files, created, updated, deleted, elapsedMs });
      teller.tell(diagnostics());
    });
    teardown.add(() => source.close());
  }

  return {
    summary,
    store,
    plan,
    diagnostics,
    settled: () => gateways.settled(),
    close: (graceMs = 1000) => teardown.close(graceMs),
  };
}
