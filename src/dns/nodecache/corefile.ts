/** Keeps the Corefile equal to what template and ConfigMap say; a bad one never replaces a good one. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { canonicalIp } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { LogLine } from '../plugins/setup.ts';
import { type KubeDnsConfig, noKubeDnsConfig, readKubeDnsConfig } from './configmap.ts';
import type { NodeCacheMetrics } from './metrics.ts';
import type { NodeCacheSettings } from './settings.ts';
import { type FilledTemplate, fillTemplate, serviceHostVariable } from './template.ts';

export interface CorefileKeeperOptions {
  readonly settings: NodeCacheSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: LogLine;
  readonly metrics: Pick<NodeCacheMetrics, 'countError'>;
  /** Puts the written Corefile into service; the error says why the one before goes on. */
  reload(): Promise<{ readonly error?: string }>;
}

export interface CorefileKeeper {
  /** Writes the first Corefile. An error only when there is none to start with. */
  write(): Result<void, string>;
  /** Reads template and ConfigMap again, and puts a changed Corefile into service. */
  check(): Promise<void>;
  /** Checks from time to time. */
  start(): void;
  stop(): void;
}

/** Where kubelet mounts the ConfigMap in the usual DaemonSet. */
const usualFolder = '/etc/kube-dns';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function createCorefileKeeper(options: CorefileKeeperOptions): CorefileKeeper {
  const { settings, log } = options;
  const folder = settings.kubeDnsFolder ?? (existsSync(usualFolder) ? usualFolder : undefined);
  let config: KubeDnsConfig = noKubeDnsConfig;
  /** The last text that was tried, good or not. */
  let tried: string | undefined;
  let serving: string | undefined;
  const told = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let checking: Promise<void> | undefined;
  let stopped = false;

  /** Counts and logs an error once, not at every look. */
  function report(source: string, error: string | undefined): void {
    if (error !== undefined && told.get(source) !== error) {
      options.metrics.countError('configmap');
      log('error', `nodecache: ${error}`);
    }
    if (error === undefined) told.delete(source);
    else told.set(source, error);
  }

  function clusterDns(): Result<string, string> {
    const variable = serviceHostVariable(settings.upstreamService);
    const value = options.environment[variable];
    const ip = canonicalIp(value ?? '');
    if (ip) return ok(ip);
    const fault = value === undefined ? 'is not set' : `is no IP address: "${value}"`;
    return err(
      `the template wants the cluster IP of the Service ${settings.upstreamService}, but ${variable} ${fault}: the Service must exist before this Pod starts`,
    );
  }

  function readConfig(): void {
    if (folder === undefined) return;
    const read = readKubeDnsConfig(folder);
    if (read.ok) config = read.value;
    report('kube-dns', read.ok ? undefined : `${read.error}; the configuration before it stays`);
  }

  function build(): Result<FilledTemplate, string> {
    let template: string;
    try {
      template = readFileSync(settings.baseCorefile, 'utf8');
    } catch (error) {
      return err(`cannot read the template: ${textOf(error)}`);
    }
    return fillTemplate(template, {
      localIps: settings.localIps.map(({ text }) => text),
      dnsPort: settings.dnsPort,
      prometheusAddress: settings.prometheusAddress,
      clusterDns: clusterDns(),
      config,
    });
  }

  function save(text: string): string | undefined {
    try {
      writeFileSync(settings.corefile, text);
      return undefined;
    } catch (error) {
      return `cannot write the Corefile: ${textOf(error)}`;
    }
  }

  function describe({ unknown }: FilledTemplate): void {
    const servers = config.upstreamNameservers.join(' ') || '/etc/resolv.conf';
    log('info', `Updated Corefile with ${config.stubDomains.size} custom stubdomains and upstream servers ${servers}`);
    for (const name of unknown)
      log('warning', `nodecache: nothing stands for ${name} in ${settings.baseCorefile}; put its value there`);
  }

  function write(): Result<void, string> {
    readConfig();
    const built = build();
    const error = built.ok ? save(built.value.text) : built.error;
    report('template', error);
    if (built.ok && error === undefined) {
      tried = serving = built.value.text;
      describe(built.value);
      return ok(undefined);
    }
    // As node-cache: a Corefile that is there already is served.
    return existsSync(settings.corefile) ? ok(undefined) : err(error!);
  }

  async function checkNow(): Promise<void> {
    readConfig();
    const built = build();
    if (!built.ok) return report('template', built.error);
    const { text } = built.value;
    if (text === tried) return undefined;
    tried = text;
    const unsaved = save(text);
    if (unsaved !== undefined) {
      tried = undefined;
      return report('template', unsaved);
    }
    const { error } = await options.reload();
    report('template', error && `the new Corefile is refused, the one before goes on: ${error}`);
    if (error === undefined) {
      serving = text;
      describe(built.value);
    } else if (serving !== undefined) report('restore', save(serving));
    return undefined;
  }

  function check(): Promise<void> {
    checking ??= checkNow().finally(() => {
      checking = undefined;
    });
    return checking;
  }

  function later(): void {
    if (stopped) return;
    timer = setTimeout(() => void check().finally(later), settings.configIntervalMs);
    timer.unref();
  }

  return {
    ...{ write, check },
    start: later,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
