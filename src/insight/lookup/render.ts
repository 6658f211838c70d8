/** A lookup as text for people. */
import { rcode, rcodeName, typeName } from '../../dns/wire/numbers.ts';
import { dataText } from '../../dns/wire/records.ts';
import type { SentQuery } from './exchange.ts';
import type { Advice, LookupResult, LookupStep } from './lookup.ts';
import { traceLines } from './render-trace.ts';

function queryText({ type, server, answer }: SentQuery, manyServers: boolean): string {
  const who = manyServers ? ` @${server}` : '';
  const head = `${typeName(type)}${who}`;
  if (!answer) return `${head} no answer`;
  if (answer.rcode !== rcode.NOERROR) return `${head} ${rcodeName(answer.rcode)}`;
  return `${head} ${answer.answers.map(({ data }) => dataText(data)).join(' ') || 'no data'}`;
}

function stepText(step: LookupStep, index: number, width: number, manyServers: boolean): string {
  const how = step.domain === undefined ? 'as it is' : `search ${step.domain}`;
  const queries =
    step.queries.map((query) => queryText(query, manyServers)).join(', ') || 'not sent: no such name can exist';
  return `  ${index + 1}. ${step.name.padEnd(width)}  ${queries}  (${how})`;
}

function adviceText({ kind, write, queries }: Advice, sent: number): string {
  const what = kind === 'ndots' ? `set dnsConfig.options ${write}` : `write "${write}" with the trailing dot`;
  return `  ${what}: ${plural(queries)} instead of ${sent}`;
}

const plural = (queries: number): string => (queries === 1 ? '1 query' : `${queries} queries`);

export function renderLookup(result: LookupResult): string {
  const { config, steps } = result;
  const manyServers = config.nameservers.length > 1;
  const width = Math.max(0, ...steps.map(({ name }) => name.length));
  const search = config.search.length > 0 ? `, search ${config.search.join(' ')}` : '';
  const servers = `nameserver ${config.nameservers.join(' ')}`;
  const end = result.foundAs === undefined ? result.outcome : `found as ${result.foundAs}`;
  return [
    `${result.name} ${result.types.join(' ')} (${result.libc}, ndots:${config.ndots}${search}, ${servers})`,
    ...steps.flatMap((step, i) => [stepText(step, i, width, manyServers), ...traceLines(step.queries)]),
    `${end} after ${plural(result.queries)}, ${result.wasted} of them wasted`,
    ...result.answers.map((answer) => `  ${answer}`),
    ...(result.advice.length > 0 ? ['advice:', ...result.advice.map((a) => adviceText(a, result.queries))] : []),
    '',
  ].join('\n');
}
