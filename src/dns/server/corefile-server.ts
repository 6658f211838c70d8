/** The DNS server that a Corefile describes: start, reload without losing a query, stop after the lame-duck time. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../../base/clock.ts';
import { createMetricsRegistry, type MetricsRegistry } from '../../base/metrics.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseCorefile } from '../corefile/parse.ts';
import { type Corefile, formatCorefileError } from '../corefile/types.ts';
import { checkDirective } from '../plugins/order.ts';
import type { ApiAccess, LogLine, MapAddress, ObjectSource, Shared } from '../plugins/setup.ts';
import { insightPages } from '../trace/pages.ts';
import { createWasteLedger, type WasteOptions } from '../waste/ledger.ts';
import type { HostPort } from './addresses.ts';
import { createHttpDoors, type HttpDoors } from './http-doors.ts';
import { createInstance, type Instance } from './instance.ts';
import { createListeners, type DnsDoor } from './listeners.ts';
import { drained } from './udp.ts';

export interface CorefileServerOptions {
  /** Name of the Corefile; imports are relative to it, and `reload` reads it again. */
  file: string;
  /** Its text, when it is not in that file. */
  text?: string;
  /** Port of zones without one. Default 53. */
  defaultPort?: number;
  openObjects(access: ApiAccess): ObjectSource | { readonly error: string };
  log: LogLine;
  /** Called when a plugin finds that the server must not go on (`loop`). */
  onFatal(reason: string): void;
  metrics?: MetricsRegistry;
  clock?: Clock;
  environment?: Readonly<Record<string, string | undefined>>;
  /** Binds other addresses than those wanted. Default: the wanted ones. */
  mapAddress?: MapAddress;
  /** Where pages are served. Default: HTTP servers of this process. */
  http?: HttpDoors;
  /** For queries under way at a stop or a reload, ms. Default 5,000, as in CoreDNS. */
  graceMs?: number;
  /** What must be up besides the plugins before the page of `ready` says so. Default: nothing. */
  notReady?(): readonly string[];
  /** How search-path waste is counted; false: not at all. Default: with the limits of `WasteOptions`. */
  waste?: WasteOptions | false;
  /** Traces that the page `/fairway/trace` makes in a second. Default 10. */
  tracesPerSecond?: number;
  /** Whether this process sends NOTIFY; of several that share their addresses one does. Default: yes. */
  speaks?(): boolean;
}

export interface CorefileServer {
  /** Reads, sets up, binds, serves. The error is for people, with file and line where there is one. */
  start(): Promise<Result<void, string>>;
  reload(): Promise<{ readonly error?: string; readonly changed: boolean }>;
  doors(): DnsDoor[];
  /** Where a page's address (`:8080`) is bound. */
  page(address: string): HostPort | undefined;
  readonly metrics: MetricsRegistry;
  /** Goes on answering for the lame-duck time, then answers what is under way, then closes. */
  stop(): Promise<void>;
}

function hashOf(corefile: Corefile): string {
  const hash = createHash('sha512');
  for (const [file, text] of [...corefile.sources].sort()) hash.update(`${file}\0${text}\0`);
  return hash.digest('hex');
}

export function createCorefileServer(options: CorefileServerOptions): CorefileServer {
  const { log, graceMs = 5000, mapAddress = (wanted) => wanted } = options;
  const metrics = options.metrics ?? createMetricsRegistry();
  const listeners = createListeners(mapAddress);
  const http = options.http ?? createHttpDoors(mapAddress);
  let current: Instance | undefined;
  let hash = '';
  let stopping = false;
  let reloading: Promise<{ error?: string; changed: boolean }> | undefined;

  const clock = options.clock ?? systemClock;
  const waste = options.waste === false ? undefined : createWasteLedger({ metrics, clock }, options.waste);

  const shared: Shared = {
    ...{ metrics, log, mapAddress, clock },
    ...(waste && { waste }),
    ...(options.speaks && { speaks: options.speaks }),
    pages: insightPages({
      ...{ waste, places: () => current?.listeners ?? [] },
      ...(options.tracesPerSecond !== undefined && { tracesPerSecond: options.tracesPerSecond }),
    }),
    pageDoor: (address) => http.bound(address),
    openObjects: options.openObjects,
    fatal: options.onFatal,
    reload: () => reload(),
    configurationHash: () => hash,
    ownDoors: () => listeners.doors().map(({ name, address, port }) => ({ name, port, address: address || '::' })),
    notReady: () => {
      const waiting = (current?.plugins ?? []).filter((p) => p.ready && !p.ready());
      return [...waiting.map(({ name }) => name), ...(options.notReady?.() ?? [])];
    },
    stopping: () => stopping,
  };

  function read(): Result<Corefile, string> {
    let content: string;
    try {
      content = options.text ?? readFileSync(options.file, 'utf8');
    } catch (error) {
      return err(`cannot read the Corefile: ${error instanceof Error ? error.message : String(error)}`);
    }
    const parsed = parseCorefile(content, {
      ...{ file: options.file, checkDirective },
      ...(options.environment && { environment: options.environment }),
    });
    if (!parsed.ok) return err(formatCorefileError(parsed.error));
    if (parsed.value.blocks.length === 0) return err(`${options.file}: no server block`);
    for (const warning of parsed.value.warnings) log('warning', formatCorefileError(warning));
    return parsed;
  }

  /** Brings an instance into service; on an error the one before goes on. */
  async function launch(corefile: Corefile): Promise<Result<void, string>> {
    const made = createInstance(corefile, { shared, defaultPort: options.defaultPort ?? 53 });
    if (!made.ok) return err(formatCorefileError(made.error));
    const next = made.value;
    await Promise.all(next.plugins.map((plugin) => plugin.prepare?.()));
    const bound = await listeners.bind(next.listeners);
    if (!bound.ok) {
      await next.close();
      return bound;
    }
    const opened = await http.open(next.wishes.pages);
    if (!opened.ok) {
      await Promise.all([next.close(), listeners.serve(current?.listeners ?? [], 0)]);
      return opened;
    }
    const before = current;
    current = next;
    hash = hashOf(corefile);
    await listeners.serve(next.listeners, graceMs);
    await Promise.all(next.plugins.map((plugin) => plugin.start?.()));
    if (before) void retire(before);
    return ok(undefined);
  }

  /** Lets the queries of the old instance end before its plugins go. */
  async function retire(instance: Instance): Promise<void> {
    await drained(() => instance.inFlight() > 0, graceMs);
    await instance.close();
  }

  async function reloadNow(): Promise<{ error?: string; changed: boolean }> {
    const corefile = read();
    if (!corefile.ok) return { changed: true, error: corefile.error };
    if (hashOf(corefile.value) === hash) return { changed: false };
    const launched = await launch(corefile.value);
    return launched.ok ? { changed: true } : { changed: true, error: launched.error };
  }

  function reload(): Promise<{ error?: string; changed: boolean }> {
    if (stopping) return Promise.resolve({ changed: false });
    reloading ??= reloadNow().finally(() => {
      reloading = undefined;
    });
    return reloading;
  }

  return {
    metrics,
    reload,
    async start() {
      const corefile = read();
      const launched = corefile.ok ? await launch(corefile.value) : corefile;
      if (!launched.ok) await Promise.all([listeners.close(0), http.close()]);
      return launched;
    },
    doors: () => listeners.doors(),
    page: (address) => http.bound(address),
    async stop() {
      if (stopping) return;
      stopping = true;
      await reloading;
      const lameduckMs = current?.wishes.lameduckMs ?? 0;
      if (lameduckMs > 0) {
        log('info', `plugin/health: Going into lameduck mode for ${lameduckMs / 1000}s`);
        await new Promise((resume) => setTimeout(resume, lameduckMs));
      }
      await listeners.close(graceMs);
      await current?.close();
      await http.close();
    },
  };
}
