/** Headers for clients that are made of the request or of the response (nginx `add_header`, `more_set_headers`). */
import type { ResponseValuesFilter, Template } from '../../../routing/plan/plan.ts';
import { onResponse } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { addField, type Fields, removeField, setField } from '../../http1/fields.ts';
import type { RequestHead } from '../../http1/request.ts';
import { compileConditions } from '../../values/condition.ts';
import { compileResponseTemplate, type ResponseText } from '../../values/response-template.ts';
import { foldTexts, headerText } from '../../values/template.ts';
import { headerFault } from '../facts.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, FilterComplaint, ResponseFilter } from '../types.ts';

type Write = (fields: Fields, name: string, value: string, lowerName: string) => void;

interface Change {
  readonly name: string;
  readonly lowerName: string;
  /** The value, where it follows from the plan alone. */
  readonly value: string | undefined;
  readonly write: Write;
  /** Once for each request. */
  readonly bind: (exchange: Exchange, head: RequestHead) => ResponseText;
  /** The same for all. */
  readonly constant: ResponseText | undefined;
}

/** What is known of the request is read as it comes, and every response to it is changed, ours included. */
export function compileResponseValues(filter: ResponseValuesFilter, complain: FilterComplaint): CompiledFilter {
  const when = compileConditions(filter.when);
  if (!when.ok) return refuseAll(when.error, complain);
  const { holds, charge } = when.value;
  const changes = [
    ...filter.set.flatMap((pair) => compileChange(pair, set, complain)),
    ...filter.add.flatMap((pair) => compileChange(pair, add, complain)),
    ...filter.remove.flatMap((name) => compileChange([name, []], set, complain)),
  ];
  const statuses = filter.statuses && new Set(filter.statuses);
  const same = changes.every(({ constant }) => constant) ? createChanger(changes, statuses) : undefined;
  return {
    gate(exchange, head) {
      const denial = charge?.(exchange, head);
      if (denial) return denial;
      if (!holds || holds(exchange, head))
        onResponse(exchange, same ?? createChanger(changes.map(boundTo(exchange, head)), statuses));
      return undefined;
    },
  };
}

function compileChange(
  [name, template]: readonly [string, Template],
  write: Write,
  complain: FilterComplaint,
): Change[] {
  const fault = headerFault(name);
  if (fault === undefined) {
    const value = template.every((part) => typeof part === 'string') ? textOf(template) : undefined;
    return [{ name, lowerName: name.toLowerCase(), value, write, ...compileResponseTemplate(template) }];
  }
  complain(`the response header ${name} cannot be set: ${fault}`);
  return [];
}

function boundTo(exchange: Exchange, head: RequestHead): (change: Change) => Change {
  return (change) => {
    const { name, lowerName, value, write, bind, constant } = change;
    return constant ? change : { name, lowerName, value, write, bind, constant: bind(exchange, head) };
  };
}

/** Of changes that are bound. */
function createChanger(changes: readonly Change[], statuses: ReadonlySet<number> | undefined): ResponseFilter {
  return (fields, exchange) => {
    if (statuses && !statuses.has(exchange.status)) return;
    for (let i = 0; i < changes.length; i++) {
      const { name, lowerName, value, write, constant } = changes[i]!;
      write(fields, name, value ?? headerText(constant!(fields)), lowerName);
    }
  };
}

const textOf = (texts: Template): string => headerText(foldTexts(texts).join(''));

function set(fields: Fields, name: string, value: string, lowerName: string): void {
  if (value === '') removeField(fields, lowerName);
  else setField(fields, name, value, lowerName);
}

function add(fields: Fields, name: string, value: string): void {
  if (value !== '') addField(fields, name, value);
}
