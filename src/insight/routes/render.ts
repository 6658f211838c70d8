/** Cells of `fairway get routes`. */
import type { RuleBackend, RuleCondition, RuleRow } from './types.ts';

/** `api-v1:80 ×9 2/2`; the namespace where it is not the rule's own, the weight where there is something to weigh. */
function backendText(backend: RuleBackend, own: string, isOnly: boolean): string {
  const { namespace, service, port, weight, readyEndpoints, endpoints, external, invalid } = backend;
  const share = isOnly ? '' : ` ×${weight}`;
  if (invalid !== undefined) return `invalid${share}`;
  const reached = external === undefined ? `${readyEndpoints}/${endpoints}` : `(${external})`;
  return `${namespace === own ? '' : `${namespace}/`}${service}:${port}${share} ${reached}`;
}

export function backendsText({ backends, action, owner, listener }: RuleRow): string {
  if (listener === null) return '-';
  if (action !== 'forward') return action;
  const isOnly = backends.length === 1;
  return backends.map((backend) => backendText(backend, owner.namespace ?? 'default', isOnly)).join(', ');
}

/** What is done to a request besides sending it. */
function extras({ timeouts, retry, sessions, canary, backends }: RuleRow): string[] {
  return [
    ...(backends.some(({ filters }) => filters.length > 0) ? ['filters of backends'] : []),
    ...(timeouts === null ? [] : ['timeouts']),
    ...(retry === null ? [] : ['retry']),
    ...(sessions === null ? [] : ['sessions']),
    ...(canary === null ? [] : ['canary']),
  ];
}

export function filtersText(row: RuleRow): string {
  return [...new Set(row.filterTypes), ...extras(row)].join(', ') || '-';
}

/** With the values of filters, and those of backends. */
export function filtersInFull({ filters, backends, timeouts, retry, sessions, canary }: RuleRow): string {
  const own = backends.flatMap((backend) => backend.filters.map((filter) => `to ${backend.service}: ${filter}`));
  const parts = [
    ...filters,
    ...own,
    ...(timeouts === null ? [] : [`timeouts ${timeouts}`]),
    ...(retry === null ? [] : [`retry ${retry}`]),
    ...(sessions === null ? [] : [`sessions by ${sessions}`]),
    ...(canary === null ? [] : [`canary by ${canary}`]),
  ];
  return parts.join('; ') || '-';
}

/** `web`, or the number of the rule. */
export function ruleText({ rule, ruleName, match }: RuleRow): string {
  const place = ruleName ?? (rule === null ? 'default' : String(rule));
  return match === null || match === 0 ? place : `${place}.${match}`;
}

function conditionText({ type, status, reason }: RuleCondition): string {
  const isFine = (status === 'True') !== (type === 'PartiallyInvalid');
  return isFine ? type : `${type}=${status} (${reason})`;
}

export function statusText({ conditions, never }: RuleRow): string {
  const parts = conditions.map(conditionText);
  return [...parts, ...(never === null ? [] : [`never reached: ${never}`])].join(', ') || '-';
}
