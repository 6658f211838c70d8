/** `fairway get routes [NAME] [-n NAMESPACE]`. */
import type { Command } from 'commander';
import { backendsText, filtersInFull, filtersText, ruleText, statusText } from '../insight/routes/render.ts';
import { routeRows } from '../insight/routes/rows.ts';
import type { RuleRow } from '../insight/routes/types.ts';
import { writeYaml } from '../kube/manifests/yaml.ts';
import { formatOf } from './flags.ts';
import { addIngressNginxFlags } from './ingress-nginx-flags.ts';
import { print, printError, table } from './output.ts';
import { defineObjectSource, type SourceFlags, worldOf } from './sources.ts';

interface RoutesFlags extends SourceFlags {
  namespace: string;
  allNamespaces?: boolean;
  output: string;
}

/** Columns where a terminal does not say how many it has. */
const defaultWidth = 120;
/** No column becomes narrower than that. */
const leastWidth = 8;

const doorOf = ({ listener }: RuleRow): string => listener?.replace(/^.*:(?=\d+\/)/, '') ?? '-';
const nameOf = ({ owner }: RuleRow): string => `${owner.kind} ${owner.namespace ?? 'default'}/${owner.name}`;

const heading = ['PORT', 'HOSTNAME', 'MATCH', 'ROUTE', 'RULE', 'BACKENDS', 'FILTERS'];

/** Namespaces are named where there may be several, and a path or location needs no word that says so. */
function rowOf(row: RuleRow, isAll: boolean | undefined): string[] {
  const { namespace = 'default', name } = row.owner;
  const backends = row.listener === null ? 'not in force: see -o wide' : backendsText(row);
  const matches = row.matches.replace(/^(?:path|location) /, '');
  const route = isAll ? `${namespace}/${name}` : name;
  return [doorOf(row), row.hostname, matches, route, ruleText(row), backends, filtersText(row)];
}

const wideHeading = ['LISTENER', 'RANK', 'HOSTNAME', 'MATCH', 'OWNER', 'RULE', 'BACKENDS', 'FILTERS', 'STATUS'];
const wideRowOf = (row: RuleRow): string[] => [
  ...[row.listener ?? '-', row.rank === null ? '-' : String(row.rank), row.hostname, row.matches],
  ...[nameOf(row), ruleText(row), backendsText(row), filtersInFull(row), statusText(row)],
];

/** Rows cut so that they are at most `width` wide: the widest columns give way first. */
export function cutTo(rows: readonly (readonly string[])[], width: number): string[][] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const total = () => widths.reduce((sum, one) => sum + one, 0) + 3 * (widths.length - 1);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= leastWidth) break;
    widths[widest]! -= 1;
  }
  return rows.map((row) =>
    row.map((cell, i) => (cell.length > widths[i]! ? `${cell.slice(0, widths[i]! - 1)}…` : cell)),
  );
}

const formats: Record<string, (rows: readonly RuleRow[], flags: RoutesFlags) => string> = {
  table: (rows, { allNamespaces }) =>
    table(cutTo([heading, ...rows.map((row) => rowOf(row, allNamespaces))], process.stdout.columns ?? defaultWidth)),
  wide: (rows) => table([wideHeading, ...rows.map(wideRowOf)]),
  json: (rows) => JSON.stringify({ items: rows }, null, 2),
  yaml: (rows) => writeYaml({ items: rows }).trimEnd(),
};

export function defineGetRoutes(command: Command): void {
  addIngressNginxFlags(defineObjectSource(command));
  command
    .argument('[name]', 'of a route or an Ingress, or a hostname as it stands there; default: all')
    .option('-n, --namespace <namespace>', 'of routes and Ingresses', 'default')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-o, --output <format>', 'table, wide, json or yaml', 'table')
    .addHelpText(
      'after',
      `
Examples:
  fairway get routes -f examples/front-door
  fairway get routes canary -f examples/front-door -o wide
  fairway get routes api.example.com -f examples/front-door -o json

One row for each match of a rule on each listener, in the order in which the listener tries them; RANK counts from 1.
BACKENDS are SERVICE:PORT ×WEIGHT READY/ALL endpoints. Rules that no listener carries come last, with the reason.

Exit code: 0, or 1 when there is no such route, 2 for wrong usage.`,
    )
    .action(run);
}

async function run(name: string | undefined, flags: RoutesFlags): Promise<void> {
  const format = formatOf(formats, flags.output);
  const rows = routeRows(await worldOf(flags)).filter(
    ({ owner, hostname }) =>
      (flags.allNamespaces || (owner.namespace ?? 'default') === flags.namespace) &&
      (name === undefined || owner.name === name || hostname.split(',').includes(name.toLowerCase())),
  );
  if (rows.length > 0 || flags.output === 'json' || flags.output === 'yaml') print(format(rows, flags));
  else printError(`No routes found${flags.allNamespaces ? '' : ` in ${flags.namespace} namespace`}.`);
  if (rows.length === 0 && name !== undefined) process.exitCode = 1;
}
