/**
 * The DNS cache of a node: a Corefile server behind addresses of its own, with the rules that lead Pods to it. In place
 * of node-cache (kubernetes-sigs/node-local-dns), with its flags.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { createMetricsRegistry, type MetricsRegistry } from '../../base/metrics.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { LogLine, Page } from '../plugins/setup.ts';
import { formatHostPort } from '../server/addresses.ts';
import { type CorefileServer, type CorefileServerOptions, createCorefileServer } from '../server/corefile-server.ts';
import { createHttpDoors } from '../server/http-doors.ts';
import type { DnsDoor } from '../server/listeners.ts';
import { createCommandRunner, type RunCommand } from './command.ts';
import { createCorefileKeeper } from './corefile.ts';
import { createLocalInterface } from './interface.ts';
import { createNodeCacheMetrics } from './metrics.ts';
import { createNetwork } from './network.ts';
import { createRuleKeeper } from './rule-keeper.ts';
import { checkServer, selfCheck } from './self-check.ts';
import type { NodeCacheSettings } from './settings.ts';

export interface NodeCacheOptions extends Pick<CorefileServerOptions, 'openObjects' | 'onFatal' | 'graceMs'> {
  readonly settings: NodeCacheSettings;
  readonly log: LogLine;
  /** Default: one of its own. */
  readonly metrics?: MetricsRegistry;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: child processes. */
  readonly run?: RunCommand;
}

export interface NodeCache {
  /** Serves; the rules follow at once when it answers. After an error nothing is left behind. */
  start(): Promise<Result<void, string>>;
  /** Reads template and ConfigMap again at once. */
  reload(): Promise<void>;
  doors(): DnsDoor[];
  /** What is not up yet: `interface`, `rules`, `server`. */
  notReady(): string[];
  /**
   * First the rules that lead queries here, so that new ones go to the cluster's DNS; then the server, which answers
   * what it has and what still comes; the other rules and the addresses last, since no answer can leave without them.
   */
  stop(): Promise<void>;
}

/** Packets on their way when the rules change arrive within this, milliseconds. */
const settleMs = 100;

export function createNodeCache(options: NodeCacheOptions): NodeCache {
  const { settings, log, environment, run = createCommandRunner() } = options;
  const registry = options.metrics ?? createMetricsRegistry();
  const metrics = createNodeCacheMetrics(registry);
  const pages = createHttpDoors((wanted) => wanted);
  const localInterface = settings.setupInterface
    ? createLocalInterface({ name: settings.interfaceName, addresses: settings.localIps, run, log })
    : undefined;
  const rules = settings.setupRules ? createRuleKeeper({ settings, run, log, metrics }) : undefined;
  const addresses = settings.localIps.map(({ text }) => text);
  const network = createNetwork({
    ...{ localInterface, rules, log, metrics, syncIntervalMs: settings.syncIntervalMs },
    selfCheck: () => checkServer(server.doors(), { port: settings.dnsPort, ...(rules && { addresses }) }),
  });
  const server: CorefileServer = createCorefileServer({
    ...{ file: settings.corefile, defaultPort: settings.dnsPort, metrics: registry, log, environment },
    ...{ openObjects: options.openObjects, onFatal: options.onFatal, notReady: network.missing },
    ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
  });
  /** A reload under way may have read the file before it was written; without a change the second one does nothing. */
  async function reloadServer(): Promise<{ readonly error?: string }> {
    const first = await server.reload();
    return first.error === undefined ? server.reload() : first;
  }
  const corefile = createCorefileKeeper({ settings, environment, log, metrics, reload: reloadServer });
  let stopping: Promise<void> | undefined;

  const readyPage: Page = () => {
    if (stopping) return { status: 503, text: 'Shutting down' };
    const missing = network.missing();
    return missing.length === 0 ? { status: 200, text: 'OK' } : { status: 503, text: missing.join(',') };
  };

  /** As in node-cache, a page that cannot be opened is logged, and DNS is served all the same. */
  async function openPages(): Promise<void> {
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    const metricsPage: Page = () => ({ status: 200, text: registry.expose(), type });
    const wanted = new Map([['/metrics', metricsPage] as const, ['/ready', readyPage] as const]);
    const opened = await pages.open(new Map([[settings.metricsAddress, wanted]]));
    if (!opened.ok) log('error', `nodecache: Failed to start metrics handler: ${opened.error}`);
  }

  function writePidFile(): void {
    if (settings.pidFile === undefined) return;
    try {
      writeFileSync(settings.pidFile, `${process.pid}\n`);
    } catch (error) {
      log('error', `nodecache: cannot write the pidfile: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function warnAboutHealth(): void {
    const places = [...addresses, ''].map((host) => formatHostPort({ host, port: settings.healthPort }));
    if (places.some((place) => server.page(place))) return;
    log('warning', `nodecache: the Corefile has no health page at ${places[0]}; -health-port should be its port`);
  }

  /** Takes back what was set up. What another process needs stays: one that answers at these addresses. */
  async function giveUp(error: string, prepared?: 'present' | 'made' | 'failed'): Promise<Result<void, string>> {
    await pages.close();
    if (settings.skipTeardown) return err(error);
    const { faults } = await selfCheck({ addresses, port: settings.dnsPort });
    const foreign = faults.length === 0;
    if (foreign)
      log('warning', `nodecache: another server answers at ${addresses.join(', ')}; rules there are left alone`);
    else await rules?.remove();
    if (!foreign || prepared === 'made') await removeInterface();
    return err(prepared === 'failed' ? `${error} (the interface could not be made)` : error);
  }

  async function removeInterface(): Promise<void> {
    const removed = await localInterface?.remove();
    if (!removed || removed.ok) return;
    metrics.countError(removed.error.type);
    log('error', `nodecache: ${removed.error.text}`);
  }

  async function stopNow(): Promise<void> {
    corefile.stop();
    await network.stop();
    if (!settings.skipTeardown) await rules?.divert();
    // What came before that is in the sockets by now.
    await new Promise((resume) => setTimeout(resume, settleMs));
    await server.stop();
    if (!settings.skipTeardown) {
      await rules?.remove();
      await removeInterface();
    }
    await pages.close();
    if (settings.pidFile !== undefined) rmSync(settings.pidFile, { force: true });
  }

  return {
    async start() {
      const written = corefile.write();
      if (!written.ok) return giveUp(written.error);
      await openPages();
      const prepared = await network.prepare();
      const started = await server.start();
      if (!started.ok) return giveUp(started.error, prepared);
      await network.start();
      writePidFile();
      warnAboutHealth();
      corefile.start();
      return ok(undefined);
    },
    reload: () => corefile.check(),
    doors: () => server.doors(),
    notReady: () => network.missing(),
    stop() {
      stopping ??= stopNow();
      return stopping;
    },
  };
}
