/** `fairway dns --conf Corefile`. */
import cluster from 'node:cluster';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { formatDiagnostic } from '../base/diagnostics/index.ts';
import { createMetricsRegistry, type MetricsRegistry } from '../base/metrics.ts';
import { parseCorefile } from '../dns/corefile/parse.ts';
import { createApiSources } from '../dns/objects/api-source.ts';
import type { ApiAccess, LogLine, ObjectSource } from '../dns/plugins/setup.ts';
import { createCorefileServer } from '../dns/server/corefile-server.ts';
import { type DnsDoor, formatDoor } from '../dns/server/listeners.ts';
import { createLineLog } from '../dns/server/log.ts';
import { startPrimary } from '../dns/workers/primary.ts';
import { workersWanted } from '../dns/workers/wanted.ts';
import { createWorkerLink, type WorkerLink } from '../dns/workers/worker.ts';
import { type ManifestStore, openManifestStore } from '../local/manifest-store.ts';
import { wholeNumber } from './flags.ts';
import { keepHeapSmall } from './heap.ts';
import { CommandError, print, printError } from './output.ts';
import { onStopSignal } from './signals.ts';
import { version } from './version.ts';

interface DnsFlags {
  conf: string;
  manifests?: string[];
  watch: boolean;
  'dns.port': number;
  workers?: number;
  quiet: boolean;
  waste: boolean;
  'waste.groups': number;
}

const port = wholeNumber(0, 65_535, 'a port is a number from 0 (any free one) to 65535');
const workerCount = wholeNumber(1, 1024, 'worker processes are a number from 1 to 1024');
const groups = wholeNumber(1, 10_000, 'workloads told apart are a number from 1 to 10,000');

export function defineDns(command: Command): void {
  command
    .option('--conf <file>', 'the Corefile', 'Corefile')
    .option('--manifests <path...>', 'objects of the kubernetes plugin: files, folders, or - for standard input')
    .option('--no-watch', 'read the manifests once and do not follow edits')
    .option('--dns.port <port>', 'port of dns:// zones that name none', port, 53)
    .option('--workers <count>', 'processes that share the port; default: what multisocket says, else 1', workerCount)
    .option('--no-waste', 'do not count what search lists ask in vain')
    .option('--waste.groups <count>', 'workloads or clients whose waste is told apart', groups, 100)
    .option('--quiet', 'do not print the addresses at the start', false)
    .addHelpText(
      'after',
      '\nExample:\n  fairway dns --conf Corefile --manifests examples/front-door\n\nEnds with Ctrl-C or SIGTERM, after the lame-duck time of the health plugin. Exit code: 0 after a clean stop,\n1 when it could not start or had to stop, 2 for wrong usage.',
    )
    .action(dns);
}

async function openManifests(paths: readonly string[], watch: boolean): Promise<ManifestStore> {
  const opened = await openManifestStore({
    paths,
    ...(paths.includes('-') && { stdin: await text(process.stdin) }),
    onError: (error, key) => printError(`${key}: ${error instanceof Error ? error.message : String(error)}`),
  });
  if (opened.unread.length === paths.length) throw new CommandError(opened.unread.map(formatDiagnostic).join('\n'));
  for (const finding of opened.diagnostics()) if (finding.severity !== 'info') printError(formatDiagnostic(finding));
  if (watch)
    await opened.watch(({ diagnostics }) => {
      for (const finding of diagnostics) printError(formatDiagnostic(finding));
    });
  return opened;
}

/** Objects of the kubernetes plugin: the manifests when there are any, else the API that the Corefile names. */
function objectsFrom(
  manifests: ManifestStore | undefined,
  metrics: MetricsRegistry,
  log: LogLine,
): (access: ApiAccess) => ObjectSource | { error: string } {
  if (!manifests)
    return createApiSources({ onError: (text) => log('error', `plugin/kubernetes: ${text}`), metrics }).open;
  return () => ({ store: manifests.store, synced: () => true, close: () => {} });
}

/** Processes to serve with; a Corefile that cannot be read is the server's to tell. */
function processes({ conf, workers }: DnsFlags): number {
  if (workers !== undefined) return workers;
  const corefile = parseCorefile(readFileSync(conf, 'utf8'), { file: conf });
  return corefile.ok ? workersWanted(corefile.value) : 1;
}

function announce(doors: readonly DnsDoor[], { quiet }: DnsFlags): void {
  if (quiet) return;
  for (const door of doors) print(formatDoor(door));
  print(`Fairway ${version}`);
}

async function dns(flags: DnsFlags): Promise<void> {
  if (!existsSync(flags.conf)) throw new CommandError(`no such Corefile: ${flags.conf}`);
  if (cluster.isWorker) return work(flags);
  const count = processes(flags);
  return count > 1 ? supervise(flags, count) : serve(flags);
}

/** Serves with several processes, each of which runs `work`. */
async function supervise(flags: DnsFlags, count: number): Promise<void> {
  if (flags.manifests?.includes('-')) throw new CommandError('standard input cannot be read by several workers');
  const primary = startPrimary({
    count,
    log: createLineLog((line) => process.stdout.write(line)),
    onStarted: (doors) => announce(doors, flags),
  });
  const removeSignals = onStopSignal(primary.stop);
  const reason = await primary.ended;
  removeSignals();
  if (reason !== undefined) throw new CommandError(reason);
}

/** One worker process: what goes wrong is told to the primary, which ends all. */
async function work(flags: DnsFlags): Promise<void> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const link = createWorkerLink(stop);
  try {
    await serve({ ...flags, quiet: true }, { stopped, link });
  } catch (error) {
    link.failed(error instanceof Error ? error.message : String(error));
  }
  process.exit();
}

async function serve(flags: DnsFlags, worker?: { stopped: Promise<void>; link: WorkerLink }): Promise<void> {
  keepHeapSmall();
  const manifests = flags.manifests && (await openManifests(flags.manifests, flags.watch));
  const metrics = createMetricsRegistry();
  const log = createLineLog((line) => process.stdout.write(line));
  let fatal: string | undefined;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  void worker?.stopped.then(end);
  const server = createCorefileServer({
    file: flags.conf,
    defaultPort: flags['dns.port'],
    openObjects: objectsFrom(manifests, metrics, log),
    metrics,
    waste: flags.waste && { groups: flags['waste.groups'] },
    log,
    onFatal(reason) {
      fatal = reason;
      end();
    },
    ...(worker && { http: worker.link.doors, speaks: worker.link.speaks }),
  });
  const removeSignals = onStopSignal(end);
  const started = await server.start();
  if (!started.ok) {
    await manifests?.close();
    removeSignals();
    throw new CommandError(started.error);
  }
  worker?.link.started(server.doors());
  announce(server.doors(), flags);
  await ended;
  await server.stop();
  await manifests?.close();
  removeSignals();
  if (fatal !== undefined) throw new CommandError(fatal);
}
