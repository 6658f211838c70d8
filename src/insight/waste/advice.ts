/** What would keep a workload from asking in vain, and how many queries that saves. */
import type { WasteGroup, WastePage } from '../../dns/waste/page.ts';

/** One search list is sent for one lookup of one type; the query that ends it is not in vain. */
export interface Fix {
  readonly kind: 'ndots' | 'trailing dot' | 'autopath';
  /** Lines of YAML, names, or lines of the Corefile. */
  readonly write: readonly string[];
  /** Where: `spec.template.spec` of the workload, the program's configuration, the Corefile. */
  readonly where: string;
  /** Queries of `sent` that would not have come. */
  readonly saves: number;
}

export interface WasteAdvice {
  /** Queries in vain, for certain. */
  readonly wasted: number;
  /** With those that ended the searches: an estimate, one for each first domain tried. */
  readonly sent: number;
  readonly fixes: readonly Fix[];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The option that lets names with two dots or more go out as they are, first of all. */
const ndots = 2;
const ndotsLines = ['dnsConfig:', '  options:', '    - name: ndots', `      value: "${ndots}"`];

const podSpecs: Record<string, string> = { Pod: 'spec', CronJob: 'spec.jobTemplate.spec.template.spec' };

function podSpecOf(workload: string): string {
  if (!workload) return 'the Pod template of whoever has the address';
  const [kind, name] = workload.split('/') as [string, string];
  return `${podSpecs[kind] ?? 'spec.template.spec'} of ${kind} ${name}`;
}

/** Searches that were made: each sends one query with each domain, unless it began or ended elsewhere. */
const searchesOf = ({ stages }: Pick<WastePage, 'stages'>): number => Math.max(0, ...stages);

export function adviceFor(group: WasteGroup): WasteAdvice {
  const searches = searchesOf(group);
  const byNdots = sum(group.dots.slice(ndots));
  const fixes: Fix[] = [];
  if (byNdots > 0) fixes.push({ kind: 'ndots', write: ndotsLines, where: podSpecOf(group.workload), saves: byNdots });
  fixes.push({
    ...{ kind: 'trailing dot', write: group.names.map(({ name }) => name) },
    ...{ where: 'the configuration of the program', saves: group.queries },
  });
  return { wasted: group.queries, sent: group.queries + searches, fixes };
}

/**
 * For all clients at once, without a change of theirs: the server walks the search list itself and answers the first
 * query, so that the others, and the one that ends the search, are never sent.
 */
export function autopathFix({ stages }: WastePage): Fix {
  const [first = 0, ...later] = stages;
  // A search that does not begin with the namespace's domain is none that autopath takes up.
  const saves = later.reduce((total, stage) => total + Math.min(stage, first), first);
  const write = ['kubernetes ZONES {', '    pods verified', '}', 'autopath @kubernetes'];
  return { kind: 'autopath', write, where: 'the Corefile', saves };
}
