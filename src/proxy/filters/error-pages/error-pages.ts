/** Pages of another backend in the place of error responses (ingress-nginx `custom-http-errors`). */
import type { ErrorPagesFilter, HeaderPair } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import { detachUpstream, type Exchange } from '../../exchange/exchange.ts';
import { clearTimers, finish } from '../../exchange/finish.ts';
import { reply } from '../../exchange/reply.ts';
import { isAuthority } from '../../http1/authority.ts';
import { isToken } from '../../http1/characters.ts';
import { fieldPairs } from '../../http1/fields.ts';
import type { Target } from '../../routes/compile.ts';
import type { Question, Told } from '../../subrequest/subrequests.ts';
import { createValueLines } from '../../values/lines.ts';
import { type TextOf, templateFault } from '../../values/template.ts';
import { neverSent } from '../external-auth/question.ts';
import { constantLines, factLines, headerFault, isRequestTarget, passedLines, variableName } from '../facts.ts';
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
  const linesOf = createLines(filter);
  const ask = createAsking(filter, target);
  // A client of gRPC wants its status in grpc-status, and can make nothing of a page.
  const replaces = (exchange: Exchange, status: number) =>
    statuses.has(status) && !exchange.grpc && !exchange.attached?.pageAsked;
  return {
    gate(exchange, head) {
      attachmentsOf(exchange).pageLines = linesOf(exchange, head);
      return undefined;
    },
    errorPages: {
      ownAnswers: filter.ownAnswers,
      refusals: filter.refusals === true,
      wantsBody: filter.asAsked === true,
      replaces,
      holdBack(exchange, head) {
        const { status } = head;
        const challenges = status === 401 ? challengeLines(fieldPairs(head.fields)) : '';
        const holder = createHolder(exchange, head);
        ask(exchange, status, holder.goOn, (page) => {
          if (!holder.isHolding()) return;
          const link = detachUpstream(exchange);
          link?.wire.discard(link);
          exchange.flag ??= 'error_page';
          give(exchange, page, `the page for ${status}`, challenges);
        });
      },
      insteadOf(exchange, answer) {
        if (!replaces(exchange, answer.status)) return false;
        clearTimers(exchange);
        exchange.flag ??= answer.flag;
        exchange.reason ??= answer.reason;
        const giveOwn = () => {
          reply(exchange, answer);
          finish(exchange);
        };
        const challenges = answer.status === 401 ? challengesIn(answer.lines) : '';
        ask(exchange, answer.status, giveOwn, (page) => give(exchange, page, answer.reason, challenges));
        return true;
      },
    },
  };
}

function faultOf(filter: ErrorPagesFilter): string | undefined {
  const { path, host, statusHeader, facts, copyHeaders, setHeaders, values = [] } = filter;
  if (!isRequestTarget(path)) return `${JSON.stringify(path)} is not a path`;
  if (host !== undefined && !isAuthority(host)) return `${JSON.stringify(host)} is not a host`;
  const strange = copyHeaders.find(([, of]) => !isToken(of));
  if (strange) return `${JSON.stringify(strange[1])} is not a header name`;
  const named = [statusHeader, ...facts.map(([name]) => name), ...copyHeaders.map(([name]) => name)];
  const faults = [
    ...named.map((name) => headerFault(name)),
    ...setHeaders.map((pair) => headerFault(...pair)),
    ...values.flatMap(([name, value]) => [headerFault(name), templateFault(value)]),
  ];
  return faults.find((fault) => fault !== undefined);
}

/** What is said of a request, as long as its head is there. */
function createLines(filter: ErrorPagesFilter): TextOf {
  const { facts, copyHeaders, values = [] } = filter;
  const valueLines = createValueLines(values);
  const ownLines = filter.asAsked ? createOwnLines(filter) : () => '';
  return (exchange, head) => {
    const copied = copyHeaders.flatMap(([name, of]) => {
      const value = head.headers(of);
      return value === undefined ? [] : [`${name}: ${value}\r\n`];
    });
    return ownLines(exchange, head) + factLines(facts, exchange, head) + copied.join('') + valueLines(exchange, head);
  };
}

/** What the client has sent, but for what is said in its place. */
function createOwnLines({ statusHeader, facts, copyHeaders, setHeaders, values = [] }: ErrorPagesFilter): TextOf {
  const named = [...facts, ...copyHeaders, ...setHeaders, ...values].map(([name]) => name);
  const replaced = new Set([statusHeader, ...named].map((name) => variableName(name.toLowerCase())));
  return ({ client }, { fields, connectionNames }) => {
    let lines = '';
    for (const [name, value] of fieldPairs(fields)) {
      const lower = name.toLowerCase();
      if (neverSent.has(lower) || replaced.has(variableName(lower)) || connectionNames.includes(lower)) continue;
      if (lower !== 'forwarded' || client.trusted) lines += `${name}: ${value}\r\n`;
    }
    return lines;
  };
}

/** Asks for the page, once per exchange; one of the two is called later, unless the exchange is over by then. */
type Ask = (exchange: Exchange, status: number, without: () => void, withPage: (page: Told) => void) => void;

function createAsking(filter: ErrorPagesFilter, target: Target): Ask {
  const { path, asAsked, statusHeader, setHeaders, timeoutMs = 0 } = filter;
  const constants = constantLines(setHeaders);
  return (exchange, status, without, withPage) => {
    const attached = attachmentsOf(exchange);
    const { client } = exchange;
    const { listener } = client.door.table;
    const host = filter.host ?? (exchange.host !== '' ? exchange.host : `${listener.address}:${listener.port}`);
    const lines = `${statusHeader}: ${status}\r\n${attached.pageLines}${constants}`;
    const asked = asAsked ? askedAgain(exchange, path) : { method: 'GET', path, body: [] };
    const question: Question = { target, ...asked, host, lines, timeoutMs };
    attached.pageAsked = true;
    const giveUp = client.runtime.subrequests.ask(exchange, question, (outcome) => {
      if (exchange.over) return;
      if ('problem' in outcome || outcome.body === undefined) without();
      else withPage(outcome);
    });
    attached.whenOver.push(giveUp);
  };
}

/** The body goes along when all of it was kept. */
function askedAgain(exchange: Exchange, path: string): Pick<Question, 'method' | 'path' | 'body'> {
  const { method, target, requestDone, kept = [] } = exchange;
  const query = target.indexOf('?');
  const isEmpty = query < 0 || query === target.length - 1;
  return { method, path: isEmpty ? path : path + target.slice(query), body: requestDone ? [...kept] : [] };
}

/** A page does not say how clients could say who they are: what the 401 in its place said of it stays. */
const challengeLines = (fields: readonly HeaderPair[]): string =>
  passedLines(fields.filter(([name]) => name.toLowerCase() === 'www-authenticate'));

function challengesIn(lines = ''): string {
  const found = lines.split('\r\n').filter((line) => /^www-authenticate:/i.test(line));
  return found.map((line) => `${line}\r\n`).join('');
}

/** The page is the response, with its own status. */
function give(exchange: Exchange, { status, fields, body }: Told, reason: string, challenges: string): void {
  reply(exchange, {
    status,
    flag: 'error_page',
    reason,
    lines: passedLines(fields) + challenges,
    bytes: body ?? '',
    filter: exchange.share?.filters.response,
  });
  finish(exchange);
}
