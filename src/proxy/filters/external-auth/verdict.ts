/** What follows from the answer of a service that lets requests in. */
import type { ExternalAuthFilter, HeaderPair } from '../../../routing/plan/plan.ts';
import { onResponse } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { addField, fieldNames, removeField } from '../../http1/fields.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Outcome, Told } from '../../subrequest/subrequests.ts';
import { locationText, soundTemplate, type TextOf } from '../../values/template.ts';
import { passedLines, urlOf, variableName } from '../facts.ts';
import { ownFields } from '../header-change.ts';
import type { Denial } from '../types.ts';

/** Undefined lets the request on; its head and the response to come have the headers then. */
export type Judge = (outcome: Outcome, exchange: Exchange, head: RequestHead) => Denial | undefined;

export function createJudge(filter: ExternalAuthFilter): Judge {
  const carry = createCarrier(filter);
  const { denials, failOpen, signIn, statusOnly } = filter;
  const show = createShower(filter);
  const placeOf = signIn && createSignIn(signIn);
  const failure = failureOf(filter);

  function fail(problem: string, exchange: Exchange, head: RequestHead): Denial | undefined {
    if (!failOpen) {
      exchange.reason ??= `external auth failed: ${problem}`;
      return failure;
    }
    carry([], exchange, head);
    return undefined;
  }

  return (outcome, exchange, head) => {
    if ('problem' in outcome) return fail(outcome.problem, exchange, head);
    const { status } = outcome;
    if (isAdmitted(filter, status)) {
      carry(outcome.fields, exchange, head);
      return undefined;
    }
    if (placeOf && signIn?.statuses.includes(status)) return sendTo(placeOf(exchange, head), outcome);
    if (statusOnly) show(outcome.fields, exchange);
    if (denials !== 'all' && !denials.includes(status)) return fail(`it answered ${status}`, exchange, head);
    // To the client it would look like what it has asked for.
    if (status < 300) return { status: 403, flag: 'auth_denied', reason: `the service answered ${status}` };
    return statusOnly ? refuse(outcome) : pass(outcome);
  };
}

/** The answer when nobody can say whether a request may go on. Why is nothing that strangers need to know. */
export function failureOf({ failureStatus = 503 }: Pick<ExternalAuthFilter, 'failureStatus'>): Denial {
  const reason = 'whether the request may go on cannot be found out';
  return { status: failureStatus, flag: 'auth_failed', reason };
}

const isAdmitted = ({ admits }: ExternalAuthFilter, status: number) =>
  admits === '200' ? status === 200 : status >= 200 && status < 300;

/** About an answer itself and the way it came. */
const unchangeable: ReadonlySet<string> = new Set([...ownFields, 'host', 'expect']);
const ofTheAnswer = new Set([...unchangeable, 'date', 'server', 'set-cookie', 'via', 'alt-svc']);
const isOfTheAnswer = (name: string) => ofTheAnswer.has(name) || name.startsWith('content-');

function createCarrier(filter: ExternalAuthFilter) {
  const { responseHeaders } = filter;
  const wanted = responseHeaders === 'all' ? undefined : new Set(responseHeaders.map((name) => name.toLowerCase()));
  const show = createShower(filter);

  return (pairs: readonly HeaderPair[], exchange: Exchange, head: RequestHead): void => {
    const lower = pairs.map(([name]) => name.toLowerCase());
    const isCarried = (name: string) => (wanted ? wanted.has(name) && !unchangeable.has(name) : !isOfTheAnswer(name));
    // What clients send by these names gets no further, whether the service says something else or not.
    const names = new Set([...(wanted ?? lower)].filter(isCarried));
    takeAway(names, head);
    pairs.forEach(([name, value], i) => {
      if (names.has(lower[i]!)) addField(head.fields, name, value);
    });
    show(pairs, exchange);
  };
}

/** Headers of the service's answer that clients get with whatever response. */
function createShower({ clientHeaders: { names, statuses } }: ExternalAuthFilter) {
  const shown = new Set(names.map((name) => name.toLowerCase()).filter((name) => !ownFields.has(name)));
  return (pairs: readonly HeaderPair[], exchange: Exchange): void => {
    const added = pairs.filter(([name]) => shown.has(name.toLowerCase()));
    if (added.length > 0) addToResponse(exchange, added, statuses);
  };
}

/**
 * Takes the client's fields of these names out, in lower case, and what many backends could not tell from them. What is
 * put in their place stays.
 */
export function takeAway(names: ReadonlySet<string>, head: RequestHead): void {
  const variables = new Set([...names].map(variableName));
  for (const name of new Set(fieldNames(head.fields).map((given) => given.toLowerCase()))) {
    if (variables.has(variableName(name))) removeField(head.fields, name);
  }
  // A client must not be able to have them taken out by naming them in Connection.
  if (head.connectionNames.length > 0) head.connectionNames = head.connectionNames.filter((name) => !names.has(name));
}

function addToResponse(
  exchange: Exchange,
  pairs: readonly HeaderPair[],
  statuses: readonly number[] | undefined,
): void {
  onResponse(exchange, (fields, { status }) => {
    if (statuses && !statuses.includes(status)) return;
    for (const [name, value] of pairs) addField(fields, name, value);
  });
}

/** The service's own answer, as far as it is there. */
function pass({ status, fields, body }: Told): Denial {
  const kept = body === undefined ? fields.filter(([name]) => !/^content-/i.test(name)) : fields;
  const denial = { status, flag: 'auth_denied', reason: `external auth answered ${status}` } as const;
  const lines = passedLines(kept);
  return body === undefined ? { ...denial, lines } : { ...denial, lines, bytes: body };
}

/** What the service says may be for nobody but us: clients hear how they could say who they are. */
function refuse({ status, fields }: Told): Denial {
  const challenges = status === 401 ? fields.filter(([name]) => name.toLowerCase() === 'www-authenticate') : [];
  return { status, flag: 'auth_denied', reason: `external auth answered ${status}`, lines: passedLines(challenges) };
}

type SignIn = NonNullable<ExternalAuthFilter['signIn']>;

/** Value of Location. */
function createSignIn({ url, parameter }: SignIn): TextOf {
  if (typeof url === 'string') return (exchange, head) => withParameter(url, parameter, urlOf(exchange, head));
  const { text } = soundTemplate(url);
  return (exchange, head) => withParameter(locationText(text(exchange, head)), parameter, urlOf(exchange, head));
}

function sendTo(location: string, { fields }: Told): Denial {
  const cookies = fields.filter(([name]) => name.toLowerCase() === 'set-cookie');
  return {
    status: 302,
    flag: 'auth_denied',
    reason: 'the client has to sign in',
    lines: [['Location', location] as const, ...cookies].map(([name, value]) => `${name}: ${value}\r\n`).join(''),
  };
}

/** A URL that has the parameter already knows better where to go on. */
function withParameter(url: string, parameter: string, value: string): string {
  const query = url.indexOf('?');
  if (query >= 0 && new URLSearchParams(url.slice(query + 1)).has(parameter)) return url;
  const separator = query < 0 ? '?' : /[?&]$/.test(url) ? '' : '&';
  return `${url}${separator}${encodeURIComponent(parameter)}=${encodeURIComponent(value)}`;
}
