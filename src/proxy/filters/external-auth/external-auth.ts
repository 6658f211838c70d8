/** A service that is asked about every request (Gateway API ExternalAuth, ingress-nginx `auth-url`). */
import type { ExternalAuthFilter, GrpcAuthFilter } from '../../../routing/plan/plan.ts';
import { collectBody } from '../../exchange/collect-body.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { isAuthority } from '../../http1/authority.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Outcome, Question } from '../../subrequest/subrequests.ts';
import { templateFault } from '../../values/template.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint, FindTarget, Gate, Verdict } from '../types.ts';
import { createCheckJudge, createCheckQuestion } from './check.ts';
import { createKeys, keepable } from './outcomes.ts';
import { createQuestion, questionFault } from './question.ts';
import { createJudge, type Judge } from './verdict.ts';

export function compileExternalAuth(
  filter: ExternalAuthFilter | GrpcAuthFilter,
  complain: FilterComplaint,
  find: FindTarget,
): CompiledFilter {
  const target = find(filter.backend);
  if (typeof target === 'string')
    return refuseAll(`the service ${filter.backend} cannot be asked: ${target}`, complain);
  const fault = faultOf(filter);
  if (fault !== undefined) return refuseAll(fault, complain);
  if (filter.protocol === 'grpc') {
    const ask = createAsking(filter, createCheckQuestion(filter, target), createCheckJudge(filter));
    return { gate: (exchange, head) => ask(exchange, head) };
  }
  const judge = createJudge(filter);
  const ask = createAsking(filter, createQuestion(filter, target), judge);
  return { gate: filter.cache ? withCache(filter, ask, judge) : (exchange, head) => ask(exchange, head) };
}

function faultOf(filter: ExternalAuthFilter | GrpcAuthFilter): string | undefined {
  const { body, failureStatus = 503 } = filter;
  if (body && !(Number.isSafeInteger(body.maxBytes) && body.maxBytes >= 0))
    return `${body.maxBytes} is not a number of bytes`;
  if (!(Number.isInteger(failureStatus) && failureStatus >= 400 && failureStatus <= 599))
    return `${failureStatus} is not the status of a failure`;
  if (filter.protocol === 'grpc')
    return isAuthority(filter.host) ? undefined : `${JSON.stringify(filter.host)} is not a host`;
  if (body && filter.cache) return 'outcomes that depend on bodies cannot be remembered';
  return signInFault(filter) ?? cacheKeyFault(filter) ?? questionFault(filter);
}

function signInFault({ signIn }: ExternalAuthFilter): string | undefined {
  if (!signIn) return undefined;
  if (typeof signIn.url === 'string')
    return /^[\x21-\x7e]+$/.test(signIn.url) ? undefined : 'the URL to sign in at cannot stand in a header';
  return templateFault(signIn.url);
}

const cacheKeyFault = ({ cache }: ExternalAuthFilter) => cache?.key && templateFault(cache.key);

type Ask = (exchange: Exchange, head: RequestHead, heard?: (outcome: Outcome) => void) => Verdict;

/** `heard` gets to know the outcome before anything follows from it. */
function createAsking(
  { body }: Pick<ExternalAuthFilter, 'body'>,
  question: (exchange: Exchange, head: RequestHead) => Question,
  judge: Judge,
): Ask {
  const tooLarge: Denial = {
    status: 413,
    flag: 'body_too_large',
    reason: `the body of the request is larger than ${body?.maxBytes} bytes`,
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
      if (body && !exchange.requestDone) {
        collectBody(exchange, body.maxBytes, held.expectContinue, (whole) => {
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
function withCache(filter: ExternalAuthFilter, ask: Ask, judge: Judge): Gate {
  const cache = filter.cache!;
  const keyOf = createKeys(filter, cache);
  return (exchange, head) => {
    const { runtime } = exchange.client;
    const key = keyOf(exchange, head);
    const known = runtime.authOutcomes.get(key, runtime.now);
    if (known) return judge(known, exchange, head);
    return ask(exchange, head, (outcome) => {
      const kept = 'problem' in outcome ? undefined : keepable(cache, outcome);
      if (kept) runtime.authOutcomes.put(key, kept.told, runtime.now + kept.ttlMs);
    });
  };
}
