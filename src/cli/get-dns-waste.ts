/** `fairway get dns-waste`. */
import { type Command, Option } from 'commander';
import { mergeWaste, type WastePage } from '../dns/waste/page.ts';
import { adviceFor, autopathFix } from '../insight/waste/advice.ts';
import { withOwners } from '../insight/waste/owners.ts';
import { readWaste } from '../insight/waste/read.ts';
import { fixesText, headline, wasteRows } from '../insight/waste/render.ts';
import { collect, formatOf } from './flags.ts';
import { CommandError, print, table } from './output.ts';
import { worldOf } from './sources.ts';

interface WasteFlags {
  server: string;
  namespace?: string;
  file?: string[];
  kubeconfig?: string;
  context?: string;
  output: string;
}

function textOf(page: WastePage, wide: boolean): string {
  if (page.groups.length === 0) return `No search-path waste since ${page.since}.`;
  return [headline(page), '', table(wasteRows(page, wide)), '', fixesText(page)].join('\n');
}

const formats: Record<string, (page: WastePage) => string> = {
  table: (page) => textOf(page, false),
  wide: (page) => textOf(page, true),
  json: (page) =>
    JSON.stringify(
      {
        ...page,
        groups: page.groups.map((group) => ({ ...group, ...adviceFor(group) })),
        autopath: autopathFix(page),
      },
      null,
      2,
    ),
};

export function defineGetDnsWaste(command: Command): void {
  command
    .option('--server <url>', 'metrics door of the fairway dns that counts', 'http://127.0.0.1:9153')
    .option('-n, --namespace <namespace>', 'workloads of this namespace only')
    .option('-f, --file <path>', 'manifests that tell whose addresses were counted (repeatable)', collect)
    .addOption(
      new Option('--kubeconfig <file>', 'Kubernetes API that tells whose addresses were counted').conflicts('file'),
    )
    .addOption(new Option('--context <name>', 'context of the kubeconfig; default: its current one').conflicts('file'))
    .option('-o, --output <format>', 'table, wide or json', 'table')
    .addHelpText(
      'after',
      `
Examples:
  fairway get dns-waste
  fairway get dns-waste --server http://127.0.0.1:9153 -o json

Counts are those of the server since its start. A server knows Pods with "pods verified" or --manifests; addresses that
it counted without are named after their Pods with --kubeconfig, --context or -f.

Exit code: 0, or 1 when the server cannot be read, 2 for wrong usage.`,
    )
    .action(run);
}

/** The waste of one namespace: its own groups, and the sums of those. */
function inNamespace(page: WastePage, namespace: string | undefined): WastePage {
  if (namespace === undefined) return page;
  const groups = page.groups.filter((group) => group.namespace === namespace);
  const sum = (of: (group: WastePage['groups'][number]) => readonly number[], length: number) =>
    Array.from({ length }, (_, i) => groups.reduce((total, group) => total + of(group)[i]!, 0));
  return {
    ...page,
    groups,
    queries: groups.reduce((total, { queries }) => total + queries, 0),
    stages: sum(({ stages }) => stages, page.stages.length),
    dots: sum(({ dots }) => dots, page.dots.length),
  };
}

async function run(flags: WasteFlags): Promise<void> {
  const format = formatOf(formats, flags.output);
  const page = await readWaste(flags.server);
  if (!page.ok) throw new CommandError(page.error);
  const { file, kubeconfig, context } = flags;
  const named = file ?? kubeconfig ?? context;
  const known = named
    ? withOwners(page.value, (await worldOf({ adopt: true, file, kubeconfig, context })).store)
    : mergeWaste([page.value]);
  print(format(inNamespace(known, flags.namespace)));
}
