/** `fairway lookup NAME [TYPE] --pod NS/POD`. */
import { type Command, Option } from 'commander';
import { typeNumber } from '../dns/wire/numbers.ts';
import { type Asker, createAsker } from '../insight/ask.ts';
import type { Ask } from '../insight/lookup/exchange.ts';
import { type LookupResult, lookup } from '../insight/lookup/lookup.ts';
import { renderLookup } from '../insight/lookup/render.ts';
import type { Libc } from '../insight/lookup/resolver-config.ts';
import { openTraceSource, TraceError } from '../insight/lookup/trace-source.ts';
import { tracedAsk } from '../insight/lookup/traced.ts';
import { findPod, resolvConfOf } from '../insight/pod.ts';
import type { World } from '../insight/world.ts';
import { formatOf } from './flags.ts';
import { CommandError, print, printError } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

interface LookupFlags extends SourceFlags {
  pod?: string;
  libc: Libc;
  output: string;
  trace?: boolean;
  conf?: string;
  dnsServer?: string;
}

const formats: Record<string, (result: LookupResult) => string> = {
  text: (result) => renderLookup(result).trimEnd(),
  json: (result) => JSON.stringify(result, null, 2),
};

/** Stands for the server that is traced where no Pod's resolv.conf names one. */
const noPodServer = '127.0.0.1';

const help = `
Examples:
  fairway lookup api-v1 --pod default/dns-cluster-first -f examples/front-door
  fairway lookup api-v1.default --pod default/dns-cluster-first -f examples/front-door --trace
  fairway lookup www.example.com. --trace --conf Corefile -f examples/front-door
  fairway lookup www.example.com. --trace --dns-server http://127.0.0.1:9153

--trace shows for each query which plugin answered it and why, what the plugins before it did, what stands in the
cache, and TTLs. Its queries are real ones: upstreams are asked, and a server that runs keeps what it learns.
With --trace, --pod may be left out: the name is asked as it is.

Exit code: 0 when the name is found, 1 when it is not, 2 for wrong usage.`;

export function defineLookup(command: Command): void {
  defineSourceOptions(command)
    .argument('<name>', 'the name as a program in the Pod has it: web, web.shop, www.example.com.')
    .argument('[type]', 'record type; default: A and AAAA, as getaddrinfo asks')
    .option('--pod <pod>', 'whose resolver asks, as NAMESPACE/NAME')
    .addOption(
      new Option('--libc <libc>', 'whose resolver the Pod’s image has').choices(['glibc', 'musl']).default('glibc'),
    )
    .option('--trace', 'show what each plugin did for each query')
    .addOption(new Option('--conf <file>', 'with --trace: the Corefile whose plugins answer').conflicts('dnsServer'))
    .option(
      '--dns-server <url>',
      'with --trace: the fairway dns that runs, by its metrics door (http://127.0.0.1:9153)',
    )
    .option('-o, --output <format>', 'text or json', 'text')
    .addHelpText('after', help)
    .action(run);
}

async function run(name: string, type: string | undefined, flags: LookupFlags): Promise<void> {
  const format = formatOf(formats, flags.output);
  const number = type === undefined ? undefined : typeNumber(type.toUpperCase());
  if (type !== undefined && number === undefined) throw new CommandError(`not a record type: ${type}`, 2);
  if (!flags.trace && (flags.conf ?? flags.dnsServer) !== undefined)
    throw new CommandError('--conf and --dns-server go with --trace', 2);
  if (!flags.trace && flags.pod === undefined)
    throw new CommandError('whose resolver asks? name a Pod with --pod NAMESPACE/NAME', 2);
  const result = await lookUp(name, number, flags);
  print(format(result));
  process.exitCode = result.outcome === 'found' ? 0 : 1;
}

async function lookUp(name: string, type: number | undefined, flags: LookupFlags): Promise<LookupResult> {
  // A server that runs has objects of its own; others are needed only for the Pod's resolv.conf.
  const world = flags.dnsServer === undefined || flags.pod !== undefined ? await worldOf(flags) : undefined;
  const resolvConf = resolvConfText(world, flags.pod);
  const asker = world && createAsker(world, { network: true });
  const traced = flags.trace ? await openTraced(flags, world, asker) : undefined;
  try {
    const ask = traced?.ask ?? asker!.ask;
    return await lookup({ name, resolvConf, ask, libc: flags.libc, ...(type !== undefined && { type }) });
  } catch (error) {
    if (error instanceof TraceError) throw new CommandError(error.message);
    throw error;
  } finally {
    await traced?.close();
    await asker?.close();
  }
}

function resolvConfText(world: World | undefined, pod: string | undefined): string {
  if (!world || pod === undefined) return `nameserver ${noPodServer}\n`;
  const conf = resolvConfOf(world, pod);
  if (!conf.ok) throw new CommandError(conf.error);
  return conf.value.text;
}

/** The address from which a Pod asks. */
function addressOf(world: World | undefined, name: string | undefined): string | undefined {
  const pod = world && name !== undefined ? findPod(world, name) : undefined;
  return pod?.ok ? pod.value.status?.podIP : undefined;
}

async function openTraced(
  flags: LookupFlags,
  world: World | undefined,
  asker: Asker | undefined,
): Promise<{ ask: Ask; close(): Promise<void> }> {
  const source = await openTraceSource({
    ...(flags.dnsServer !== undefined && { url: flags.dnsServer }),
    ...(flags.conf !== undefined && { conf: flags.conf }),
    ...(world && { world }),
    ...(asker && { asker }),
    log: printError,
  });
  if (!source.ok) throw new CommandError(source.error);
  const client = addressOf(world, flags.pod);
  const ask = tracedAsk({
    trace: source.value.trace,
    servers: new Set([...(world?.dnsAddresses ?? []), ...(flags.pod === undefined ? [noPodServer] : [])]),
    otherwise: asker?.ask ?? (() => Promise.resolve(undefined)),
    ...(client !== undefined && { client }),
  });
  return { ask, close: () => source.value.close() };
}
