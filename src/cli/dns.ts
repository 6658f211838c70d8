/** `fairway dns --conf Corefile`. */
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { formatDiagnostic } from '../base/diagnostics/index.ts';
import { openApiSource } from '../dns/objects/api-source.ts';
import type { ApiAccess, ObjectSource } from '../dns/plugins/setup.ts';
import { createCorefileServer } from '../dns/server/corefile-server.ts';
import { formatDoor } from '../dns/server/listeners.ts';
import { createLineLog } from '../dns/server/log.ts';
import { type ManifestStore, openManifestStore } from '../local/manifest-store.ts';
import { CommandError, print, printError } from './output.ts';
import { onStopSignal } from './signals.ts';
import { version } from './version.ts';

interface DnsFlags {
  conf: string;
  manifests?: string[];
  watch: boolean;
  'dns.port': number;
  quiet: boolean;
}

function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new InvalidArgumentError('a port is a number from 0 (any free one) to 65535');
  return number;
}

export function defineDns(command: Command): void {
  command
    .option('--conf <file>', 'the Corefile', 'Corefile')
    .option('--manifests <path...>', 'objects of the kubernetes plugin: files, folders, or - for standard input')
    .option('--no-watch', 'read the manifests once and do not follow edits')
    .option('--dns.port <port>', 'port of dns:// zones that name none', port, 53)
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
function objectsFrom(manifests: ManifestStore | undefined): (access: ApiAccess) => ObjectSource | { error: string } {
  if (!manifests) return (access) => openApiSource(access, { onError: printError });
  return () => ({ store: manifests.store, synced: () => true, close: () => {} });
}

async function dns(flags: DnsFlags): Promise<void> {
  if (!existsSync(flags.conf)) throw new CommandError(`no such Corefile: ${flags.conf}`);
  const manifests = flags.manifests && (await openManifests(flags.manifests, flags.watch));
  let fatal: string | undefined;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const server = createCorefileServer({
    file: flags.conf,
    defaultPort: flags['dns.port'],
    openObjects: objectsFrom(manifests),
    log: createLineLog((line) => process.stdout.write(line)),
    onFatal(reason) {
      fatal = reason;
      end();
    },
  });
  const removeSignals = onStopSignal(end);
  const started = await server.start();
  if (!started.ok) {
    await manifests?.close();
    removeSignals();
    throw new CommandError(started.error);
  }
  if (!flags.quiet) {
    for (const door of server.doors()) print(formatDoor(door));
    print(`Fairway ${version}`);
  }
  await ended;
  await server.stop();
  await manifests?.close();
  removeSignals();
  if (fatal !== undefined) throw new CommandError(fatal);
}
