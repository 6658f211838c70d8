/** Answers made from the name asked for by templates. */

import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Pattern, PatternMatch } from '../../corefile/pattern.ts';
import type { Expression, Value } from '../../expr/expression.ts';
import type { QuerySubject } from '../../expr/query-functions.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { ednsOption, rcode, recordClass, recordType, typeName } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { parseRecord } from '../../wire/record-text.ts';
import { emptyAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import type { Fallthrough, ZoneMatcher } from '../zones.ts';
import type { GoTemplate } from './go-template.ts';

/** A query whose name a pattern matched, as `var` and `expr` see it. */
export interface MatchSubject extends QuerySubject {
  /** A group of the pattern by name or number; '' when there is none. */
  group(name: string): string;
}

export interface TemplateRule {
  readonly inZone: ZoneMatcher;
  /** Undefined: any. */
  readonly class?: number;
  readonly type?: number;
  /** The first that matches the name (in lower case) is used. */
  readonly patterns: readonly { readonly text: string; readonly pattern: Pattern }[];
  /** Evaluated in turn for a name that matched; each may use those before it. */
  readonly variables: readonly { readonly name: string; readonly expression: Expression<MatchSubject> }[];
  /** All must be true for a match. */
  readonly conditions: readonly Expression<MatchSubject>[];
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

interface Match {
  readonly zone: string;
  /** The pattern that matched. */
  readonly text: string;
  readonly groups: PatternMatch;
  readonly variables: ReadonlyMap<string, Value>;
}

/** Groups of a match by number and by name. */
function groupsOf(groups: PatternMatch): Record<string, string> {
  return { ...Object.fromEntries([...groups].map((group, i) => [String(i), group ?? ''])), ...groups.groups };
}

/** A value of an expression as Go templates take it: maps are objects. */
function plain(value: Value): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : (value ?? undefined);
}

/** Values of a template, under Go's names. */
function dataOf(context: QueryContext, { zone, text, groups, variables }: Match) {
  const { query, client, metadata } = context;
  const name = foldCase(nameOf(query));
  return {
    ...{ Zone: zone, Name: name, Regex: text, Class: classNames.get(query.class) ?? `CLASS${query.class}` },
    ...{ Type: typeName(query.type), Remote: client.address, Match: [...groups].map((group) => group ?? '') },
    Group: groupsOf(groups),
    Var: Object.fromEntries([...variables].map(([key, value]) => [key, plain(value)])),
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

  /** The variables of a match whose conditions hold; 'none' when they do not; the failure of an expression. */
  function variablesOf(rule: TemplateRule, context: QueryContext, groups: PatternMatch) {
    const variables = new Map<string, Value>();
    if (rule.variables.length === 0 && rule.conditions.length === 0) return variables;
    const byName = groupsOf(groups);
    const subject: MatchSubject = {
      ...{ query: context.query, client: context.client },
      metadata: (label) => context.metadata?.get(label)?.(),
      group: (name) => (Object.hasOwn(byName, name) ? byName[name]! : ''),
    };
    const failure = (source: string, error: string) => ({ error: `template: expression "${source}" failed: ${error}` });
    for (const { name, expression } of rule.variables) {
      const found = expression.evaluate(subject, variables);
      if (!found.ok) return failure(expression.source, found.error);
      variables.set(name, found.value);
    }
    for (const condition of rule.conditions) {
      const found = condition.evaluate(subject, variables);
      if (!found.ok) return failure(condition.source, found.error);
      if (found.value !== true) return 'none' as const;
    }
    return variables;
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
      if (match === 'elsewhere') continue;
      const variables = match === 'none' ? match : variablesOf(rule, context, match.groups);
      if (match === 'none' || variables === 'none') {
        if (rule.fallthrough(query)) continue;
        return unwritten(rcode.SERVFAIL, 'no template matches', 'template');
      }
      if ('error' in variables) return unwritten(rcode.SERVFAIL, variables.error, 'template');
      const data = dataOf(context, { ...match, variables });
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

  // Conditions may look at the client; everything else that lets a query pass is in its question.
  const byQuestion = rules.every(({ conditions }) => conditions.length === 0);
  return { name: 'template', handle, ...(byQuestion && { repeats: true }) };
}
