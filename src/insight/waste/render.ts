/** Search-path waste as text for people. */
import type { WasteGroup, WastePage } from '../../dns/waste/page.ts';
import { adviceFor, autopathFix, type Fix } from './advice.ts';

/** Who asks in vain: `Deployment/web`, or the address where no Pod is known. */
export const whoOf = ({ workload, address }: WasteGroup): string => workload || address;

const approximately = (count: number, error: number): string => (error > 0 ? `${count}+` : String(count));

/** Rows of the table, with its heading. `wide`: all names, and what the counts leave out. */
export function wasteRows({ groups }: WastePage, wide: boolean): string[][] {
  const heading = ['NAMESPACE', 'WORKLOAD', 'WASTED', 'SENT', 'SAVED BY NDOTS:2', 'NAMES'];
  const rows = groups.map((group) => {
    const { wasted, sent, fixes } = adviceFor(group);
    const shown = group.names
      .slice(0, wide ? group.names.length : 1)
      .map(({ name, queries }) => `${name} (${queries})`);
    const rest = group.names.length - shown.length;
    return [
      ...[group.namespace || '-', whoOf(group), approximately(wasted, group.error), `~${sent}`],
      String(fixes.find(({ kind }) => kind === 'ndots')?.saves ?? 0),
      shown.join(' ') + (rest > 0 ? ` and ${rest} more` : ''),
    ];
  });
  return [heading, ...rows];
}

const headings: Record<Fix['kind'], (fix: Fix) => string> = {
  ndots: ({ where }) => `ndots:2, in ${where}:`,
  'trailing dot': ({ where }) => `or a trailing dot, in ${where}:`,
  autopath: ({ where }) => `autopath, in ${where}:`,
};

function fixLines(fix: Fix, wasted: number): string[] {
  const head = `  ${headings[fix.kind](fix)} saves ${fix.saves} of ${wasted}`;
  return [head, ...fix.write.map((line) => `      ${line}`)];
}

/** What to do about it, workload by workload, and for all at once. */
export function fixesText(page: WastePage): string {
  const groups = page.groups.flatMap((group) => {
    const { wasted, fixes } = adviceFor(group);
    const who = group.namespace ? `${whoOf(group)} in ${group.namespace}` : whoOf(group);
    return ['', `${who}: ${wasted} queries in vain`, ...fixes.flatMap((fix) => fixLines(fix, wasted))];
  });
  const sent = page.queries + Math.max(0, ...page.stages);
  const autopath = autopathFix(page);
  const all = [
    ...['', 'All of them, without a change of theirs:'],
    `  autopath, in the Corefile: saves about ${autopath.saves} of ${sent}`,
    ...autopath.write.map((line) => `      ${line}`),
  ];
  return [...groups, ...all].join('\n').trimStart();
}

/** One line above the table. */
export function headline(page: WastePage): string {
  const listed = page.groups.reduce((total, { queries }) => total + queries, 0);
  const rest = page.queries - listed;
  const others = rest > 0 ? `, ${rest} of them of clients that are not listed` : '';
  return `${page.queries} queries in vain since ${page.since}${others}`;
}
