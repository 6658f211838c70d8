/** Answers made from the name asked for by templates. */

import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Pattern, PatternMatch } from '../../corefile/pattern.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { ednsOption, rcode, recordClass, recordType, typeName } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { parseRecord } from '../../wire/record-text.ts';
import { emptyAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import type { Fallthrough, ZoneMatcher } from '../zones.ts';
import type { GoTemplate } from './go-template.ts';

export interface TemplateRule {
  readonly inZone: ZoneMatcher;
  /** Undefined: any. */
  readonly class?: number;
  readonly type?: number;
  /** The first that matches the name (in lower case) is used. */
  readonly patterns: readonly { readonly text: string; readonly pattern: Pattern }[];
  readonly answer: readonly GoTemplate[];
  readonly additional: readonly GoTemplate[];
  readonly authority: readonly GoTemplate[];
  readonly rcode: number;
  readonly extendedError?: { readonly code: number; readonly reason: string };
  readonly fallthrough: Fallthrough;
}

type Section = 'answer' | 'additional' | 'authority';
type Records = Record<Section, ResourceRecord[]>;

const classNames = new Map<number, string>(Object.entries(recordClass).map(([name, number]) => [number, name]));

/** Values of a template, under Go's names. */
function dataOf(context: QueryContext, zone: string, match: { text: string; groups: PatternMatch }) {
  const { query, client, metadata } = context;
  const numbered = Object.fromEntries([...match.groups].map((group, i) => [String(i), group ?? '']));
  const name = foldCase(nameOf(query));
  return {
    ...{ Zone: zone, Name: name, Regex: match.text, Class: classNames.get(query.class) ?? `CLASS${query.class}` },
    ...{ Type: typeName(query.type), Remote: client.address, Match: [...match.groups].map((group) => group ?? '') },
    Group: { ...numbered, ...match.groups.groups },
    Question: { Name: nameOf(query), Qtype: query.type, Qclass: query.class },
    Message: { Id: query.id },
    Meta: (wanted: unknown) => metadata?.get(String(wanted))?.() ?? '',
  };
}

export function createTemplate(rules: readonly TemplateRule[], metrics: MetricsRegistry): Plugin {
  const labels = ['server', 'zone', 'view', 'class', 'type'];
  const matched = metrics.counter('coredns_template_matches_total', 'Counter of template regex matches.', labels);
  const failed = metrics.counter('coredns_template_template_failures_total', 'Counter of go template failures.', [
    ...[...labels, 'section', 'template'],
  ]);
  const badRecords = metrics.counter('coredns_template_rr_failures_total', 'Counter of mis-templated RRs.', [
    ...[...labels, 'section', 'template'],
  ]);

  function matchOf(rule: TemplateRule, { query }: QueryContext) {
    const zone = rule.inZone(query.key);
    const classFits = rule.class === undefined || query.class === recordClass.ANY || query.class === rule.class;
    const typeFits = rule.type === undefined || query.type === recordType.ANY || query.type === rule.type;
    if (zone === undefined || !classFits || !typeFits) return 'elsewhere' as const;
    const name = foldCase(nameOf(query));
    for (const { text, pattern } of rule.patterns) {
      const groups = pattern.exec(name);
      if (groups) return { zone, text, groups };
    }
    return 'none' as const;
  }

  /** The records of all sections; a string says what went wrong. */
  function render(rule: TemplateRule, data: ReturnType<typeof dataOf>, counted: readonly string[]): Records | string {
    const records: Records = { answer: [], additional: [], authority: [] };
    for (const section of ['answer', 'additional', 'authority'] as const) {
      for (const template of rule[section]) {
        const text = template.render(data);
        if (!text.ok) {
          failed.with(...counted, section, template.source).inc();
          return text.error;
        }
        const record = parseRecord(text.value);
        if (!record.ok) {
          badRecords.with(...counted, section, template.source).inc();
          return `${record.error} in "${text.value}"`;
        }
        records[section].push(record.value);
      }
    }
    return records;
  }

  function reply(rule: TemplateRule, records: Records): Reply {
    const { code, reason } = rule.extendedError ?? { code: 0, reason: '' };
    const options = [
      {
        code: ednsOption.ERROR,
        data: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason, 'utf8')]),
      },
    ];
    const { answer: answers, additional, authority } = records;
    const sections = { answers, additional, authority, ...(rule.extendedError && { options }) };
    return { kind: 'answer', by: 'template', answer: { ...emptyAnswer(rule.rcode), authoritative: true, ...sections } };
  }

  /** Behind an alias stand the records of its target, when addresses were asked for. */
  async function follow(context: QueryContext, rule: TemplateRule, records: Records): Promise<Reply> {
    const answer: ResourceRecord[] = [];
    for (const record of records.answer) {
      answer.push(record);
      if (record.type !== recordType.CNAME || record.data.kind !== 'name') continue;
      const found = await context.resolve(record.data.target, context.query.type);
      if (found) answer.push(...found.answers);
    }
    return reply(rule, { ...records, answer });
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query, scope } = context;
    for (const rule of rules) {
      const match = matchOf(rule, context);
      if (match === 'elsewhere' || (match === 'none' && rule.fallthrough(query))) continue;
      if (match === 'none') return unwritten(rcode.SERVFAIL, 'no template matches', 'template');
      const data = dataOf(context, match.zone, match);
      const counted = [scope?.server ?? '', match.zone, scope?.view ?? '', data.Class, data.Type];
      matched.with(...counted).inc();
      if (rule.rcode === rcode.SERVFAIL) return unwritten(rcode.SERVFAIL, undefined, 'template');
      const records = render(rule, data, counted);
      if (typeof records === 'string') return unwritten(rcode.SERVFAIL, `template: ${records}`, 'template');
      const addresses = query.type === recordType.A || query.type === recordType.AAAA;
      const aliased = addresses && records.answer.some(({ type }) => type === recordType.CNAME);
      return aliased ? follow(context, rule, records) : reply(rule, records);
    }
    return next(context);
  }

  return { name: 'template', handle };
}
