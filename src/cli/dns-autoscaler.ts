/** `fairway dns-autoscaler --target deployment/coredns --configmap NAME`, with the flags of cluster-proportional-autoscaler. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { createAutoscaler } from '../dns/autoscaler/autoscaler.ts';
import { parseDefaultParams } from '../dns/autoscaler/params.ts';
import { parseTargets } from '../dns/autoscaler/targets.ts';
import { parseHostPort } from '../dns/server/addresses.ts';
import { createLineLog } from '../dns/server/log.ts';
import { createKubeClient } from '../kube/client/client.ts';
import { findClientConfig } from '../kube/client/kubeconfig.ts';
import { goBoolean, wholeNumber } from './flags.ts';
import { CommandError, print } from './output.ts';
import { onStopSignal } from './signals.ts';
import { version } from './version.ts';

interface AutoscalerFlags {
  target?: string;
  configmap?: string;
  namespace?: string;
  defaultParams?: string;
  pollPeriodSeconds: number;
  nodelabels?: string;
  maxSyncFailures: number;
  address: string;
  leaderElect: boolean;
  leaseName: string;
  kubeconfig?: string;
  context?: string;
  server?: string;
  version?: boolean;
}

const atLeast = (least: number) =>
  wholeNumber(least, Number.MAX_SAFE_INTEGER, `a whole number of at least ${least} is wanted`);

/** Of Go's logging library: Fairway writes one kind of log to standard output. */
const withoutMeaning = [
  ...['--logtostderr [bool]', '--alsologtostderr [bool]', '--stderrthreshold <level>', '--v <level>'],
  ...['--vmodule <levels>', '--log-dir <folder>', '--log-backtrace-at <place>', '--log_dir <folder>'],
  '--log_backtrace_at <place>',
];

export function defineDnsAutoscaler(command: Command): void {
  command
    .option(
      '--target <targets>',
      'what to scale: deployment/NAME, replicaset/NAME, replicationcontroller/NAME; commas between several',
    )
    .option('--configmap <name>', 'the ConfigMap with the parameters')
    .option('--namespace <namespace>', 'of targets, ConfigMap and Lease; default: MY_POD_NAMESPACE of the environment')
    .option('--default-params <json>', 'parameters of a ConfigMap that is made when there is none')
    .option('--poll-period-seconds <n>', 'time between two looks at the cluster', atLeast(1), 10)
    .option('--nodelabels <selector>', 'count only Nodes with these labels: label1=value1,label2=value2')
    .option('--max-sync-failures <n>', 'end with 1 after so many failed looks in a row; 0: never', atLeast(0), 0)
    .option('--version', 'print the version and exit')
    .option('--address <address>', 'of /healthz, /last-poll and /metrics', ':8080')
    .option('--leader-elect [bool]', 'let one of several replicas scale, by a Lease', goBoolean, true)
    .option('--lease-name <name>', 'of the Lease', 'fairway-dns-autoscaler')
    .option('--kubeconfig <file>', 'how to reach the API; default: the cluster that this runs in, else ~/.kube/config')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('--server <url>', 'the API server; alone: without credentials');
  for (const flags of withoutMeaning) command.addOption(new Option(flags, 'accepted, and without meaning').hideHelp());
  command
    .addHelpText(
      'after',
      '\nFlags of Go’s logging (--logtostderr, --v and others) are accepted and mean nothing.\n\nExample:\n  fairway dns-autoscaler --namespace kube-system --target deployment/coredns --configmap dns-autoscaler \\\n    --default-params \'{"linear":{"coresPerReplica":256,"nodesPerReplica":16,"preventSinglePointFailure":true}}\'\n\nEnds with Ctrl-C or SIGTERM. Exit code: 0 after a clean stop, 1 when it could not start or had to stop, 2 for\nwrong usage.',
    )
    .action(dnsAutoscaler);
}

function wrong(message: string): never {
  throw new CommandError(message, 2);
}

/** Checks everything that can be checked before the API is asked. */
function readFlags(flags: AutoscalerFlags) {
  const namespace = flags.namespace ?? process.env.MY_POD_NAMESPACE ?? '';
  if (namespace === '') wrong('--namespace is needed, or MY_POD_NAMESPACE in the environment');
  if (!flags.configmap) wrong('--configmap is needed: the ConfigMap with the parameters');
  if (!parseHostPort(flags.address)) wrong(`--address takes HOST:PORT, not ${flags.address}`);
  const targets = parseTargets(flags.target ?? '', namespace);
  if (!targets.ok) wrong(targets.error);
  const defaults = flags.defaultParams === undefined ? undefined : parseDefaultParams(flags.defaultParams);
  if (defaults && !defaults.ok) wrong(`--default-params: ${defaults.error}`);
  return { namespace, configMap: flags.configmap, targets: targets.value, defaultParams: defaults?.value };
}

function clientOf({ kubeconfig, context, server }: AutoscalerFlags) {
  const config = findClientConfig({
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(server !== undefined && { server }),
  });
  if (!config.ok) throw new CommandError(config.error.message);
  return createKubeClient({
    config: config.value,
    userAgent: `fairway-dns-autoscaler/${version}`,
    timeoutMs: 10_000,
    retries: 1,
  });
}

async function dnsAutoscaler(flags: AutoscalerFlags): Promise<void> {
  if (flags.version) return print(`Fairway ${version}`);
  const { defaultParams, ...what } = readFlags(flags);
  const client = clientOf(flags);
  const log = createLineLog((line) => process.stdout.write(line));
  let end: (reason?: string) => void = () => {};
  const ended = new Promise<string | undefined>((resolve) => {
    end = resolve;
  });
  const autoscaler = createAutoscaler({
    ...{ client, log, ...what, ...(defaultParams && { defaultParams }) },
    ...{ pollMs: flags.pollPeriodSeconds * 1000, maxFailures: flags.maxSyncFailures, address: flags.address },
    ...(flags.nodelabels && { nodeLabels: flags.nodelabels }),
    ...(flags.leaderElect && { election: { name: flags.leaseName, identity: `${hostname()}_${randomUUID()}` } }),
    onFatal: end,
  });
  const removeSignals = onStopSignal(() => end());
  const started = await autoscaler.start();
  const reason = started.ok ? await ended : started.error;
  await autoscaler.stop();
  client.close();
  removeSignals();
  if (reason !== undefined) throw new CommandError(reason);
}
