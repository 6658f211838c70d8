/** A service that is asked about every request (Gateway API ExternalAuth, ingress-nginx `auth-url`). */
import type { ExternalAuthFilter } from '../../../routing/plan/plan.ts';
import { collectBody } from '../../exchange/collect-body.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { isFieldValue } from '../../http1/characters.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Target } from '../../routes/compile.ts';
import type { Outcome } from '../../subrequest/subrequests.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint, FindTarget, Verdict } from '../types.ts';
import { keepable, outcomeKey } from './outcomes.ts';
import { askedOf, createQuestion, questionFault } from './question.ts';
import { createJudge } from './verdict.ts';

export function compileExternalAuth(
  filter: ExternalAuthFilter,
  complain: FilterComplaint,
  find: FindTarget,
): CompiledFilter {
  const target = find(filter.backend);
  const fault =
    typeof target === 'string' ? `the service ${filter.backend} cannot be asked: ${target}` : faultOf(filter);
  if (typeof target === 'string' || fault !== undefined) return refuseAll(fault!, complain);
  const ask = createAsking(filter, target);
  return { gate: filter.cache ? withCache(filter, ask) : (exchange, head) => ask(exchange, head) };
}

function faultOf(filter: ExternalAuthFilter): string | undefined {
  const { body, cache, signIn, failureStatus = 503 } = filter;
  if (body && cache) return 'outcomes that depend on bodies cannot be remembered';
  if (body && !(Number.isSafeInteger(body.maxBytes) && body.maxBytes >= 0))
    return `${body.maxBytes} is not a number of bytes`;
  if (signIn && !(isFieldValue(signIn.url) && /^[\x21-\x7e]+$/.test(signIn.url)))
    return 'the URL to sign in at cannot stand in a header';
  if (!(Number.isInteger(failureStatus) && failureStatus >= 400 && failureStatus <= 599))
    return `${failureStatus} is not the status of a failure`;
  return questionFault(filter);
}

type Ask = (exchange: Exchange, head: RequestHead, heard?: (outcome: Outcome) => void) => Verdict;

/** `heard` gets to know the outcome before anything follows from it. */
function createAsking(filter: ExternalAuthFilter, target: Target): Ask {
  const question = createQuestion(filter, target);
  const judge = createJudge(filter);
  const tooLarge: Denial = {
    status: 413,
    flag: 'body_too_large',
    reason: `the body of the request is larger than ${filter.body?.maxBytes} bytes`,
  };

  return (_exchange, _head, heard) => ({
    ask(exchange, held, settle) {
      let giveUp = () => {};
      const put = () => {
        const { subrequests } = exchange.client.runtime;
        giveUp = subrequests.ask(exchange, question(exchange, held), (outcome) => {
          heard?.(outcome);
          settle(judge(outcome, exchange, held));
        });
      };
      if (filter.body && !exchange.requestDone) {
        collectBody(exchange, filter.body.maxBytes, held.expectContinue, (whole) => {
          held.expectContinue = false;
          if (whole) put();
          else settle(tooLarge);
        });
      } else put();
      return () => giveUp();
    },
  });
}

/** Asks only where the outcome is not remembered. */
function withCache(filter: ExternalAuthFilter, ask: Ask): (exchange: Exchange, head: RequestHead) => Verdict {
  const cache = filter.cache!;
  const judge = createJudge(filter);
  return (exchange, head) => {
    const { runtime } = exchange.client;
    const key = outcomeKey(cache, askedOf(filter, exchange, head), head);
    const known = runtime.authOutcomes.get(key, runtime.now);
    if (known) return judge(known, exchange, head);
    return ask(exchange, head, (outcome) => {
      const kept = 'problem' in outcome ? undefined : keepable(cache, outcome);
      if (kept) runtime.authOutcomes.put(key, kept.told, runtime.now + kept.ttlMs);
    });
  };
}
