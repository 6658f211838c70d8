/** Which share of a forward action a request falls to, where neither weights alone nor a session say so. */
import { compileFinder } from '../../routing/match/pattern.ts';
import type { Canary } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { FilterComplaint } from '../filters/types.ts';
import { toWire } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import { isTooCostly } from '../values/condition.ts';
import { cookieValue } from '../values/fields.ts';
import type { CompiledForward, Target } from './compile.ts';

/** True sends a request to the canary, false to the first backend; undefined leaves it to the weights. */
export type CanaryRules = (exchange: Exchange, head: RequestHead) => boolean | undefined;

type Decide = (value: string, exchange: Exchange) => boolean | undefined;

export function compileCanary({ header, cookie }: Canary, complain: FilterComplaint): CanaryRules {
  const byHeader = header && headerRule(header, complain);
  return (exchange, head) => {
    const value = byHeader && head.headers(header!.name);
    const decided = value === undefined ? undefined : byHeader!(value, exchange);
    return decided ?? (cookie === undefined ? undefined : byWord(cookieValue(head.fields, cookie)));
  };
}

function headerRule({ text, pattern }: NonNullable<Canary['header']>, complain: FilterComplaint): Decide {
  if (text !== undefined) {
    const wanted = toWire(text);
    return (value) => value === wanted || undefined;
  }
  if (pattern === undefined) return byWord;
  const finder = compileFinder(toWire(pattern));
  if (finder.ok) {
    const { found, size } = finder.value;
    // A canary is not worth more than a request may cost.
    return (value, exchange) => (isTooCostly(exchange, size, value) ? false : found(value) || undefined);
  }
  complain(`the pattern ${JSON.stringify(pattern)} of the canary cannot be used: ${finder.error}`, 'FW5221');
  return () => false;
}

function byWord(value: string): boolean | undefined {
  if (value === 'always') return true;
  return value === 'never' ? false : undefined;
}

/** The place of the share that a request falls to which is in no session; -1 when none takes requests. */
export function nextPlace({ canary, next, targets }: CompiledForward, exchange: Exchange, head: RequestHead): number {
  if (!canary) return next();
  if (targets[1] && isEmpty(targets[1])) return 0;
  const decided = canary(exchange, head);
  return decided === undefined ? next() : Number(decided);
}

/** Nothing could take a request: there is no endpoint in turn, or no such backend. */
export const isEmpty = ({ upstream, answer }: Target): boolean =>
  upstream ? upstream.targets.length === 0 : answer?.flag === 'invalid_backend';
