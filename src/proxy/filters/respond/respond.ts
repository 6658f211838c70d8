/** Answers that a route gives by itself to requests that meet conditions (nginx `return` within `if`). */
import type { RespondFilter } from '../../../routing/plan/plan.ts';
import { compileConditions } from '../../values/condition.ts';
import { compileLocation } from '../../values/location.ts';
import { compileTemplate, type TextOf } from '../../values/template.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint, Gate } from '../types.ts';

/** Requests are refused where it cannot be known which ones are meant, or what to answer. */
export function compileRespond(filter: RespondFilter, complain: FilterComplaint): CompiledFilter {
  const { status, reason, location, relative = false, unescaped = false } = filter;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599))
    return refuseAll(`${status} is not the status of an answer`, complain);
  const when = compileConditions(filter.when);
  if (!when.ok) return refuseAll(when.error, complain);
  const body = filter.body && compileTemplate(filter.body);
  if (body && !body.ok) return refuseAll(body.error, complain);
  const place = location && compileLocation(location, { relative, unescaped });
  if (place && !place.ok) return refuseAll(place.error, complain);
  const { holds, charge } = when.value;
  const answer = createAnswer({ status, reason }, place?.value, body?.value.text);
  const gate: Gate = (exchange, head) => (holds && !holds(exchange, head) ? undefined : answer(exchange, head));
  return { gate: charge ? (exchange, head) => charge(exchange, head) ?? gate(exchange, head) : gate };
}

const plainText = 'Content-Type: text/plain; charset=utf-8\r\n';

function createAnswer(
  { status, reason }: Pick<RespondFilter, 'status' | 'reason'>,
  place: TextOf | undefined,
  body: TextOf | undefined,
): (...request: Parameters<TextOf>) => Denial {
  const flag = place ? 'redirect' : 'fixed_response';
  if (!place && !body) {
    const same: Denial = { status, flag, reason };
    return () => same;
  }
  return (exchange, head) => {
    const lines = place ? `Location: ${place(exchange, head)}\r\n` : '';
    if (!body) return { status, flag, reason, lines };
    return { status, flag, reason, lines: `${plainText}${lines}`, bytes: body(exchange, head) };
  };
}
