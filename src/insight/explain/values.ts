/** Templates and conditions of the plan in the words of people. */
import type { Condition, RequestValue, Template } from '../../routing/plan/plan.ts';

/** `https://{host}{uri}`. */
export function describeTemplate(template: Template): string {
  return template.map((part) => (typeof part === 'string' ? part : `{${valueName(part)}}`)).join('');
}

export function describeText(text: string | Template): string {
  return typeof text === 'string' ? text : describeTemplate(text);
}

function valueName(value: RequestValue): string {
  if (value.of === 'fact') return value.fact;
  if (value.of === 'capture') return `group ${value.group} of ${value.within?.pattern ?? 'the path'}`;
  return `${value.of.replace('-', ' ')} ${value.name}`;
}

/** ` when {scheme} is not https and {path} is under /v1`; '' without conditions. */
export function describeWhen(conditions: readonly Condition[] | undefined): string {
  return conditions && conditions.length > 0 ? ` when ${conditions.map(describeCondition).join(' and ')}` : '';
}

export function describeCondition({ value, test, not }: Condition): string {
  return `${describeTemplate(value)} ${not ? 'is not' : 'is'} ${(testText[test.type] as (test: Condition['test']) => string)(test)}`;
}

type Test = Condition['test'];

const testText: { [T in Test['type']]: (test: Extract<Test, { type: T }>) => string } = {
  equals: ({ text }) => (text === '' ? 'empty' : text),
  matches: ({ pattern, ignoreCase }) => `found by ${pattern}${ignoreCase ? ' (any case)' : ''}`,
  present: () => 'given',
  under: ({ paths }) => `under ${paths.join(' or ')}`,
};
