/** `fairway up [PATH…]`. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { formatDiagnostic } from '../base/diagnostics/index.ts';
import { clusterConfigOf, maxInstance } from '../local/config.ts';
import { type FrontDoor, type FrontDoorEvent, NothingToServe, startFrontDoor } from '../local/front-door.ts';
import { type BindMode, bindModes } from '../service/bind.ts';
import { parseBackend } from './backend-flag.ts';
import { addCertificateFlags, type CertificateFlags, placeOf } from './certificate-flags.ts';
import { addDataPlaneFlags, type DataPlaneFlags, dataPlaneOf } from './data-plane-flags.ts';
import { printFinding } from './findings.ts';
import { collectWhenIdle, growHeapSlowly } from './heap.ts';
import { addIngressNginxFlags, type IngressNginxCliFlags, ingressFlagsOf } from './ingress-nginx-flags.ts';
import { inlineLittle } from './inlining.ts';
import { CommandError, print } from './output.ts';
import { proxyWorkerCommand } from './proxy-worker.ts';
import { renderReady } from './ready-table.ts';
import { addDrainFlag, addWorkersFlag } from './serving-flags.ts';
import { onStopSignal } from './signals.ts';
import { addTelemetryFlags, type TelemetryFlags, telemetryOf } from './telemetry-flags.ts';

interface UpFlags extends TelemetryFlags, DataPlaneFlags, CertificateFlags, IngressNginxCliFlags {
  json: boolean;
  backend: string[];
  adopt: boolean;
  watch: boolean;
  apiPort?: number;
  dnsPort?: number;
  bindMode?: BindMode;
  maxFileSize: number;
  nodeResolvConf: string;
  instance: number;
  workers: number;
  gateway: boolean;
  drainTimeout: number;
}

function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new InvalidArgumentError('a port is a number from 0 (any free one) to 65535');
  return number;
}

function instance(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > maxInstance)
    throw new InvalidArgumentError(`a number from 0 to ${maxInstance}`);
  return number;
}

function mebibytes(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('a size is a number of MiB above 0');
  return number;
}

function bindMode(value: string): BindMode {
  if (!(bindModes as readonly string[]).includes(value))
    throw new InvalidArgumentError(`one of ${bindModes.join(', ')}`);
  return value as BindMode;
}

const collect = (value: string, before: string[]) => [...before, value];

export function defineUp(command: Command): void {
  defineFlags(command);
  addWorkersFlag(command);
  addDrainFlag(command, 1);
  addCertificateFlags(command, 'kube-system/fairway-issuers');
  addIngressNginxFlags(command);
  addTelemetryFlags(command);
  addDataPlaneFlags(command);
  command
    .addHelpText(
      'after',
      '\nExample:\n  fairway up examples/front-door\n\nEnds with Ctrl-C. Exit code: 0 after a clean stop, 1 when errors were in force at the stop or it could not start,\n2 for wrong usage.',
    )
    .action(up);
}

function defineFlags(command: Command): void {
  command
    .argument('[path...]', 'manifests: files, folders, or - for standard input; default: the current folder')
    .option('--json', 'print one JSON object per line: ready, changed, diagnostic, stopped', false)
    .option('--backend <ns/svc[:port]=host:port>', 'put a real process behind a Service (repeatable)', collect, [])
    .option('--no-adopt', 'leave classes of other controllers alone, as in a cluster')
    .option('--no-gateway', 'leave Gateways and Ingresses to a fairway gateway: API, DNS and Pods only')
    .option('--no-watch', 'read the manifests once and do not follow edits')
    .option('--api-port <port>', 'port of the Kubernetes API on 127.0.0.1; 0 picks a free one; default: 8001', port)
    .option('--dns-port <port>', 'port of the DNS server on 127.0.0.1; default: 1053', port)
    .option(
      '--bind-mode <mode>',
      `how addresses are bound: ${bindModes.join(', ')}; default: found out at the start`,
      bindMode,
    )
    .option(
      '--instance <n>',
      'run beside another fairway up: addresses of its own, and ports 8001 + n and 1053 + n',
      instance,
      0,
    )
    .option('--max-file-size <MiB>', 'refuse larger manifest files', mebibytes, 16)
    .option(
      '--node-resolv-conf <file>',
      'resolv.conf of the node: upstream resolvers and the base of Pods’ resolv.conf',
      '/etc/resolv.conf',
    );
}

function readNodeResolvConf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(
      `cannot read the node's resolv.conf: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Findings go to stderr, so that stdout stays the table and the changes after it. */
function printEvent(event: FrontDoorEvent): void {
  if (event.event === 'diagnostic') {
    printFinding(event.diagnostic);
    return;
  }
  const { files, created, updated, deleted, elapsedMs } = event;
  print(
    `${files.join(', ')}: ${created} created, ${updated} updated, ${deleted} deleted, live after ${Math.round(elapsedMs)} ms`,
  );
}

/** What is about traffic says nothing where none is carried. */
function checkGatewayFlags(flags: UpFlags): void {
  if (flags.gateway) return;
  const { dataPlane, trustedProxies, proxyProtocolFrom, forwarded, via, zone, accessLog, startTraces, otlp } = flags;
  const given = Object.entries({
    ...{ workers: flags.workers || undefined, 'data-plane': dataPlane, 'trusted-proxies': trustedProxies },
    ...{ 'proxy-protocol-from': proxyProtocolFrom, forwarded, via, zone, 'access-log': accessLog },
    ...{ 'start-traces': startTraces, otlp },
  }).find(([, value]) => value !== undefined);
  if (given) throw new CommandError(`--${given[0]} says nothing with --no-gateway: no traffic is carried`, 2);
}

async function up(paths: string[], flags: UpFlags): Promise<void> {
  growHeapSlowly();
  const inlineAgain = inlineLittle();
  checkGatewayFlags(flags);
  const emit = (event: object) => print(JSON.stringify(event));
  const chosen = paths.length > 0 ? paths : ['.'];
  const stop = new Promise<void>((resolve) => onStopSignal(resolve));
  const door = await startOrFail({
    paths: chosen,
    ...(chosen.includes('-') && { stdin: await text(process.stdin) }),
    backends: flags.backend.map(parseBackend),
    adopt: flags.adopt,
    watch: flags.watch,
    apiPort: flags.apiPort ?? 8001 + flags.instance,
    dnsPort: flags.dnsPort ?? 1053 + flags.instance,
    config: clusterConfigOf(flags.instance),
    ...(flags.bindMode && { bindMode: flags.bindMode }),
    maxFileBytes: flags.maxFileSize * 1024 * 1024,
    nodeResolvConf: readNodeResolvConf(flags.nodeResolvConf),
    stateFolder: '.fairway',
    gateway: flags.gateway,
    ...(flags.acmeIssuers !== undefined && { acmeIssuers: placeOf(flags.acmeIssuers) }),
    ...ingressFlagsOf(flags),
    telemetry: telemetryOf(flags),
    dataPlane: dataPlaneOf(flags),
    ...(flags.workers > 0 && { workers: { count: flags.workers, command: proxyWorkerCommand() } }),
    onEvent: flags.json ? emit : printEvent,
  });
  inlineAgain();
  let errors = 0;
  // Without workers this process carries the traffic, which is not to wait for it.
  const stopCollecting = flags.workers > 0 ? collectWhenIdle() : undefined;
  try {
    // Since the start of the process, not of this function: what a user waits for.
    const elapsedMs = Math.round(performance.now());
    if (flags.json) emit({ event: 'ready', elapsedMs, ...door.summary });
    else {
      for (const finding of door.summary.diagnostics) printFinding(finding);
      print(renderReady(door.summary, door.store, elapsedMs, flags.watch, door.plan()));
    }
    await stop;
    errors = door.diagnostics().filter(({ severity }) => severity === 'error').length;
  } finally {
    stopCollecting?.();
    await door.close(flags.drainTimeout * 1000);
  }
  if (flags.json) emit({ event: 'stopped', errors });
  if (errors > 0) process.exitCode = 1;
}

async function startOrFail(options: Parameters<typeof startFrontDoor>[0]): Promise<FrontDoor> {
  try {
    return await startFrontDoor(options);
  } catch (error) {
    if (!(error instanceof NothingToServe)) throw error;
    throw new CommandError(error.diagnostics.map(formatDiagnostic).join('\n'));
  }
}
