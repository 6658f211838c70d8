/**
 * Entry of the `fairway` command: one file per sub-command, loaded only when it is called.
 * Exit codes: 0 good, 1 findings or failure, 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { CommandError, printError } from './output.ts';
import { endWhenUnread } from './unread.ts';
import { version } from './version.ts';

/** A sub-command adds itself to the program; its code is loaded when it runs. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Not for people: one of our own processes starts it. */
  readonly hidden?: true;
  readonly load: () => Promise<(command: Command) => void>;
}

const entries: readonly Entry[] = [
  {
    name: 'up',
    summary: 'start a cluster’s front door on this machine from plain manifests',
    load: async () => (await import('./up.ts')).defineUp,
  },
  {
    name: 'explain',
    summary: 'show the whole path of one request, and why other routes lost',
    load: async () => (await import('./explain.ts')).defineExplain,
  },
  {
    name: 'lookup',
    summary: 'show the DNS queries that a Pod’s resolver sends, and the answers',
    load: async () => (await import('./lookup.ts')).defineLookup,
  },
  {
    name: 'resolvconf',
    summary: 'show a Pod’s resolv.conf and where each line comes from',
    load: async () => (await import('./resolvconf.ts')).defineResolvconf,
  },
  {
    name: 'get',
    summary: 'show the rules of the front door, what DNS serves and from which object, and who asks in vain',
    load: async () => (await import('./get.ts')).defineGet,
  },
  {
    name: 'dns',
    summary: 'serve DNS as a Corefile says, in place of CoreDNS',
    load: async () => (await import('./dns.ts')).defineDns,
  },
  {
    name: 'lint',
    summary: 'find in a Corefile or in manifests what does not work, never happens, or will hurt',
    load: async () => (await import('./lint.ts')).defineLint,
  },
  {
    name: 'dns-autoscaler',
    summary: 'keep the replicas of the cluster DNS in proportion to the cluster',
    load: async () => (await import('./dns-autoscaler.ts')).defineDnsAutoscaler,
  },
  {
    name: 'node-cache',
    summary: 'serve DNS from a cache on each node, in place of node-cache (NodeLocal DNSCache)',
    load: async () => (await import('./node-cache.ts')).defineNodeCache,
  },
  {
    name: 'gateway',
    summary: 'serve the Gateways and Ingresses of a cluster: controller and data plane',
    load: async () => (await import('./gateway.ts')).defineGateway,
  },
  {
    name: 'proxy-worker',
    summary: 'carry traffic for fairway up --workers',
    hidden: true,
    load: async () => (await import('./proxy-worker.ts')).defineProxyWorker,
  },
];

async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('fairway')
    .description(
      'The front door of a Kubernetes cluster: DNS, Ingress and Gateway API, and the tools that explain them.',
    )
    .version(version)
    .option('--debug', 'print stack traces')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .showHelpAfterError('(see fairway --help)');
  const wanted = argv.find((word) => !word.startsWith('-'));
  for (const { name, summary, hidden = false, load } of entries) {
    const command = program.command(name, { hidden }).description(summary).exitOverride();
    if (name === wanted) (await load())(command);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const debug = argv.includes('--debug');
    const text = error instanceof Error ? (debug ? error.stack : error.message) : String(error);
    printError(`fairway: ${text}`);
    return error instanceof CommandError ? error.exitCode : 1;
  }
}

endWhenUnread({
  streams: [process.stdout, process.stderr],
  hasStop: () => process.listenerCount('SIGTERM') > 0,
  stop: () => process.kill(process.pid, 'SIGTERM'),
  exit: (status) => process.exit(status),
});

const code = await run(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
