/** `fairway get records [NAME] [-n NAMESPACE]`. */
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { servedByCorefile } from '../insight/records/corefile.ts';
import { createServed, type Served, type ServedRecord } from '../insight/records/records.ts';
import type { World } from '../insight/world.ts';
import { formatOf } from './flags.ts';
import { CommandError, print, printError, table } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

interface RecordsFlags extends SourceFlags {
  namespace: string;
  allNamespaces?: boolean;
  conf?: string;
  output: string;
}

const ownerText = ({ from }: ServedRecord): string =>
  from ? `${from.kind} ${from.namespace ? `${from.namespace}/` : ''}${from.name}` : '-';

function endpointText({ endpoint }: ServedRecord): string {
  if (!endpoint) return '-';
  const { slice, target } = endpoint;
  return `${target ? `${target.kind} ${target.name}, ` : ''}EndpointSlice ${slice}`;
}

const heading = ['NAME', 'TYPE', 'TTL', 'DATA', 'FROM'];
const rowOf = (record: ServedRecord): string[] => [
  ...[record.name, record.type, String(record.ttl), record.data, ownerText(record)],
];

const formats: Record<string, (records: readonly ServedRecord[]) => string> = {
  table: (records) => table([heading, ...records.map(rowOf)]),
  wide: (records) =>
    table([[...heading, 'ENDPOINT'], ...records.map((record) => [...rowOf(record), endpointText(record)])]),
  json: (records) => JSON.stringify({ items: records }, null, 2),
};

export function defineGetRecords(command: Command): void {
  defineSourceOptions(command)
    .argument('[name]', 'a Service, a DNS name (web.shop, web.shop.svc.cluster.local.) or an address; default: all')
    .option('-n, --namespace <namespace>', 'of Services, and of whoever writes the name', 'default')
    .option('-A, --all-namespaces', 'Services of all namespaces')
    .option('--conf <file>', 'the Corefile whose kubernetes plugin says zone, TTL and what is exposed')
    .option('-o, --output <format>', 'table, wide or json', 'table')
    .addHelpText(
      'after',
      `
Examples:
  fairway get records -f examples/front-door
  fairway get records mysql -f examples/front-door -o wide
  fairway get records web-frontend.default.svc.cluster.local. -f examples/front-door

Lists what a zone transfer would have and the names of addresses. Names of Pods are found by name.

Exit code: 0, or 1 when there is no such name, 2 for wrong usage.`,
    )
    .action(run);
}

/** The name as a Service first, as kubectl has it; then as a name. */
function recordsOf(served: Served, name: string | undefined, flags: RecordsFlags): ServedRecord[] {
  if (name === undefined) return served.list(flags.allNamespaces ? undefined : flags.namespace);
  const plain = !name.includes('.') && isIP(name) === 0;
  const service = plain ? served.service(flags.namespace, name) : undefined;
  if (service) return service;
  const found = served.name(name, flags.namespace);
  if (!found.ok) throw new CommandError(`no name ${name}: ${found.error}`);
  return found.value;
}

function servedOf(world: World, conf: string | undefined): Served {
  if (conf === undefined) return createServed({ store: world.store, clusterDomain: world.clusterDomain });
  const options = servedByCorefile(conf, world.store);
  if (!options.ok) throw new CommandError(options.error);
  return createServed(options.value);
}

async function run(name: string | undefined, flags: RecordsFlags): Promise<void> {
  const format = formatOf(formats, flags.output);
  const served = servedOf(await worldOf(flags), flags.conf);
  try {
    const records = recordsOf(served, name, flags);
    if (records.length > 0 || flags.output === 'json') print(format(records));
    else printError(`No records found${flags.allNamespaces || name ? '' : ` in ${flags.namespace} namespace`}.`);
  } finally {
    served.close();
  }
}
