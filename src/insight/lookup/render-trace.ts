/** The traces of one step of a lookup as text for people. */
import type { Trace, TraceStep } from '../../dns/trace/trace.ts';
import { typeName } from '../../dns/wire/numbers.ts';
import type { SentQuery } from './exchange.ts';

function headText({ rcode, by, ttl, error, server, zone, steps }: Trace): string {
  const outcome = rcode === undefined ? 'no response' : rcode;
  const who = by ? ` by ${by}` : '';
  const holds = ttl === undefined ? '' : `, TTL ${ttl}`;
  // What a plugin said stands in its own line.
  const reason = error !== undefined && steps.length === 0 ? `: ${error}` : '';
  const where = server ? ` (server ${server}, zone ${zone})` : '';
  return `${outcome}${who}${holds}${reason}${where}`;
}

function doneText({ did, rcode, askedFor, why }: TraceStep): string {
  const found = why.join('; ');
  const changed = did === 'changed' && found === '';
  const instead = askedFor.length > 0 ? `asked for ${askedFor.join(' and ')} instead` : '';
  const asked = changed ? [instead, 'changed the answer'].filter((text) => text !== '').join(', ') : instead;
  const outcome = did === 'answered' ? (rcode ?? 'no response') : '';
  const unfinished = did === 'waits' ? 'has not answered yet' : did === 'threw' ? 'failed' : '';
  return [outcome, unfinished, asked, found].filter((text) => text !== '').join(': ');
}

/** Steps as lines; plugins that only passed the query on share one. */
function stepLines(steps: readonly TraceStep[]): string[] {
  const rows: { who: string; text: string }[] = [];
  let silent: string[] = [];
  const flush = () => {
    if (silent.length > 0) rows.push({ who: silent.join(', '), text: 'passed it on' });
    silent = [];
  };
  for (const step of steps) {
    const text = doneText(step);
    if (text === '') {
      silent.push(step.plugin);
      continue;
    }
    flush();
    rows.push({ who: step.plugin, text: step.asked ? `(${step.asked}) ${text}` : text });
  }
  flush();
  const width = Math.max(0, ...rows.map(({ who }) => who.length));
  return rows.map(({ who, text }) => `${who.padEnd(width)}  ${text}`);
}

/** Lines below a step; the same for several types is said once. Nothing when no query was traced. */
export function traceLines(queries: readonly SentQuery[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { type, answer } of queries) {
    if (!answer?.trace) continue;
    const text = [headText(answer.trace), ...stepLines(answer.trace.steps).map((line) => `  ${line}`)].join('\n');
    groups.set(text, [...(groups.get(text) ?? []), typeName(type)]);
  }
  return [...groups].flatMap(([text, types]) => {
    const [head, ...lines] = text.split('\n');
    return [`${[...new Set(types)].join(', ')}: ${head}`, ...lines].map((line) => `       ${line}`);
  });
}
