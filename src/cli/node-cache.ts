/** `fairway node-cache -localip ADDRESS,...`, with the flags of node-cache in Go's spelling. */
import type { Command } from 'commander';
import { createMetricsRegistry } from '../base/metrics.ts';
import { createNodeCache, type NodeCache } from '../dns/nodecache/node-cache.ts';
import { type NodeCacheSettings, nodeCacheUsage, parseNodeCacheCommand } from '../dns/nodecache/settings.ts';
import { type ApiSources, createApiSources } from '../dns/objects/api-source.ts';
import { pluginOrder } from '../dns/plugins/order.ts';
import { formatDoor } from '../dns/server/listeners.ts';
import { createLineLog } from '../dns/server/log.ts';
import { keepHeapSmall } from './heap.ts';
import { CommandError, print } from './output.ts';
import { onStopSignal } from './signals.ts';
import { version } from './version.ts';

const summary = `Usage: fairway node-cache -localip ADDRESS[,ADDRESS...] [flags]

Serves DNS on addresses of this node, in place of node-cache. Flags are spelled as Go spells them: -name value,
-name=value or --name=value.

${nodeCacheUsage()}

Example:
  fairway node-cache -localip 169.254.20.10,10.96.0.10 -conf /etc/Corefile -upstreamsvc kube-dns-upstream

SIGUSR1 reads template and ConfigMap again. Ends with Ctrl-C or SIGTERM. Exit code: 0 after a clean stop, 1 when it
could not start or had to stop, 2 for wrong usage.`;

/** Commander knows no long flags with a single dash: it hands on the words as they are. */
export function defineNodeCache(command: Command): void {
  command
    .helpOption(false)
    .usage('-localip ADDRESS[,ADDRESS...] [flags]')
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[flags...]')
    .action((_flags: string[], _options: object, self: Command) => nodeCache(self.args));
}

async function nodeCache(words: readonly string[]): Promise<void> {
  const parsed = parseNodeCacheCommand(words);
  if (!parsed.ok) throw new CommandError(`${parsed.error} (see fairway node-cache -help)`, 2);
  const { value } = parsed;
  if (value.kind === 'help') return print(summary);
  if (value.kind === 'version') return print(`Fairway ${version}`);
  if (value.kind === 'plugins') return print(pluginNames().join('\n'));
  return serve(value.settings);
}

function pluginNames(): string[] {
  return pluginOrder.flatMap(({ name, setup }) => (setup ? [`dns.${name}`] : [])).sort();
}

/** Resolves with the reason when the process must end; undefined when it was asked to. */
function createEnd() {
  let end: (reason?: string) => void = () => {};
  const ended = new Promise<string | undefined>((resolve) => {
    end = resolve;
  });
  return { end: (reason?: string) => end(reason), ended };
}

/** An exception that nobody expected must not leave rules that lead to a process that is gone. */
function onCrash(stop: (reason: string) => void): () => void {
  const crash = (error: unknown) => stop(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on('uncaughtException', crash);
  return () => process.off('uncaughtException', crash);
}

async function serve(settings: NodeCacheSettings): Promise<void> {
  keepHeapSmall();
  const { end, ended } = createEnd();
  const metrics = createMetricsRegistry();
  const log = createLineLog((line) => process.stdout.write(line));
  /** Made for the first plugin that wants objects, which is rare here: its metrics are shown only then. */
  let sources: ApiSources | undefined;
  const cache: NodeCache = createNodeCache({
    settings,
    environment: process.env,
    log,
    metrics,
    openObjects(access) {
      sources ??= createApiSources({ onError: (text) => log('error', `plugin/kubernetes: ${text}`), metrics });
      return sources.open(access);
    },
    onFatal: end,
  });
  const reread = () => void cache.reload();
  process.on('SIGUSR1', reread);
  const removers = [onStopSignal(end), onCrash(end), () => process.off('SIGUSR1', reread)];
  const started = await cache.start();
  if (started.ok && !settings.quiet) {
    for (const door of cache.doors()) print(formatDoor(door));
    print(`Fairway ${version}`);
  }
  const reason = started.ok ? await ended : started.error;
  if (started.ok) await cache.stop();
  for (const remove of removers) remove();
  if (reason !== undefined) throw new CommandError(reason);
}
