/** Pages of another backend in the place of error responses (ingress-nginx `custom-http-errors`). */
import type { ErrorPagesFilter } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import { detachUpstream, type Exchange } from '../../exchange/exchange.ts';
import { clearTimers, finish } from '../../exchange/finish.ts';
import { reply } from '../../exchange/reply.ts';
import { isAuthority } from '../../http1/authority.ts';
import { isToken } from '../../http1/characters.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Target } from '../../routes/compile.ts';
import type { Question, Told } from '../../subrequest/subrequests.ts';
import { constantLines, factLines, headerFault, isRequestTarget, passedLines } from '../facts.ts';
import type { CompiledFilter, FilterComplaint, FindTarget } from '../types.ts';
import { createHolder } from './holder.ts';

/** Errors stay as they are where the pages cannot be asked for. */
export function compileErrorPages(
  filter: ErrorPagesFilter,
  complain: FilterComplaint,
  find: FindTarget,
): CompiledFilter {
  const target = find(filter.backend);
  if (typeof target === 'string') {
    complain(`the pages for errors of ${filter.backend} cannot be asked for: ${target}`);
    return {};
  }
  const fault = faultOf(filter);
  if (fault !== undefined) {
    complain(`the pages for errors of ${filter.backend} cannot be asked for: ${fault}`);
    return {};
  }
  const statuses = new Set(filter.statuses);
  const ask = createAsking(filter, target);
  // A client of gRPC wants its status in grpc-status, and can make nothing of a page.
  const replaces = (exchange: Exchange, status: number) =>
    statuses.has(status) && !exchange.grpc && !exchange.attached?.pageAsked;
  return {
    gate(exchange, head) {
      attachmentsOf(exchange).pageLines = linesOf(filter, exchange, head);
      return undefined;
    },
    errorPages: {
      replaces,
      holdBack(exchange, head) {
        const { status } = head;
        const holder = createHolder(exchange, head);
        ask(exchange, status, holder.goOn, (page) => {
          if (!holder.isHolding()) return;
          const link = detachUpstream(exchange);
          link?.wire.discard(link);
          exchange.flag ??= 'error_page';
          give(exchange, page, `the page for ${status}`);
        });
      },
      insteadOf(exchange, answer) {
        if (!filter.ownAnswers || !replaces(exchange, answer.status)) return false;
        clearTimers(exchange);
        exchange.flag ??= answer.flag;
        exchange.reason ??= answer.reason;
        const giveOwn = () => {
          reply(exchange, answer);
          finish(exchange);
        };
        ask(exchange, answer.status, giveOwn, (page) => give(exchange, page, answer.reason));
        return true;
      },
    },
  };
}

function faultOf(filter: ErrorPagesFilter): string | undefined {
  const { path, host, statusHeader, facts, copyHeaders, setHeaders } = filter;
  if (!isRequestTarget(path)) return `${JSON.stringify(path)} is not a path`;
  if (host !== undefined && !isAuthority(host)) return `${JSON.stringify(host)} is not a host`;
  const strange = copyHeaders.find(([, of]) => !isToken(of));
  if (strange) return `${JSON.stringify(strange[1])} is not a header name`;
  const named = [statusHeader, ...facts.map(([name]) => name), ...copyHeaders.map(([name]) => name)];
  const faults = [...named.map((name) => headerFault(name)), ...setHeaders.map((pair) => headerFault(...pair))];
  return faults.find((fault) => fault !== undefined);
}

/** What is said of a request, as long as its head is there. */
function linesOf({ facts, copyHeaders }: ErrorPagesFilter, exchange: Exchange, head: RequestHead): string {
  const copied = copyHeaders.flatMap(([name, of]) => {
    const value = head.headers(of);
    return value === undefined ? [] : [`${name}: ${value}\r\n`];
  });
  return factLines(facts, exchange, head) + copied.join('');
}

/** Asks for the page, once per exchange; one of the two is called later, unless the exchange is over by then. */
type Ask = (exchange: Exchange, status: number, without: () => void, withPage: (page: Told) => void) => void;

function createAsking(filter: ErrorPagesFilter, target: Target): Ask {
  const { path, statusHeader, setHeaders, timeoutMs = 0 } = filter;
  const constants = constantLines(setHeaders);
  return (exchange, status, without, withPage) => {
    const attached = attachmentsOf(exchange);
    const { client } = exchange;
    const { listener } = client.door.table;
    const host = filter.host ?? (exchange.host !== '' ? exchange.host : `${listener.address}:${listener.port}`);
    const lines = `${statusHeader}: ${status}\r\n${attached.pageLines}${constants}`;
    const question: Question = { target, method: 'GET', host, path, lines, body: [], timeoutMs };
    attached.pageAsked = true;
    const giveUp = client.runtime.subrequests.ask(exchange, question, (outcome) => {
      if (exchange.over) return;
      if ('problem' in outcome || outcome.body === undefined) without();
      else withPage(outcome);
    });
    attached.whenOver.push(giveUp);
  };
}

/** The page is the response, with its own status. */
function give(exchange: Exchange, { status, fields, body }: Told, reason: string): void {
  reply(exchange, {
    status,
    flag: 'error_page',
    reason,
    lines: passedLines(fields),
    bytes: body ?? '',
    filter: exchange.share?.filters.response,
  });
  finish(exchange);
}
