/**
 * What each filter that may stop a request says to this one, as far as that can be known without sending it: decided by
 * the gates of the data plane itself.
 */
import { compareSync } from 'bcryptjs';
import { parseHash } from '../../../proxy/filters/basic-auth/passwords.ts';
import { gateOrder } from '../../../proxy/filters/compile.ts';
import { compileCors } from '../../../proxy/filters/cors/cors.ts';
import { compileExempt } from '../../../proxy/filters/exempt.ts';
import { createJudge } from '../../../proxy/filters/external-auth/verdict.ts';
import { compileIpAccess } from '../../../proxy/filters/ip-access/ip-access.ts';
import { compileRequestSize } from '../../../proxy/filters/request-size/request-size.ts';
import { compileRespond } from '../../../proxy/filters/respond/respond.ts';
import type { CompiledFilter, Denial } from '../../../proxy/filters/types.ts';
import { compileConditions } from '../../../proxy/values/condition.ts';
import { compileTemplate } from '../../../proxy/values/template.ts';
import { decodedText } from '../../../routing/match/normal-path.ts';
import type {
  BasicAuthFilter,
  Condition,
  ExternalAuthFilter,
  Filter,
  GrpcAuthFilter,
  RequestFact,
  Route,
  Template,
} from '../../../routing/plan/plan.ts';
import { describeCondition, describeTemplate } from '../values.ts';
import type { Rehearsed } from './request.ts';

/**
 * `passes`: it lets the request on. `answers`: the request ends here. `depends`: that is decided by what nobody has said
 * here. `why` is a clause for people.
 */
export type Verdict =
  | { readonly says: 'passes'; readonly why: string }
  | { readonly says: 'answers'; readonly why: string; readonly status: number; readonly location?: string }
  | { readonly says: 'depends'; readonly why: string };

export interface GateVerdict {
  readonly filter: Filter;
  readonly verdict: Verdict;
}

const passes = (why: string): Verdict => ({ says: 'passes', why });
const depends = (why: string): Verdict => ({ says: 'depends', why });
const byAddress = 'the client’s address decides: tell it with --client';

function answers(denial: Denial, why: string = denial.reason): Verdict {
  const [, location] = /^location: (.*?)\r?$/im.exec(denial.lines ?? '') ?? [];
  return { says: 'answers', why, status: denial.status, ...(location !== undefined && { location }) };
}

/** What the gate of a filter says that never asks elsewhere; what is wrong with the filter is a finding of the data plane. */
function denialOf({ gate }: CompiledFilter, { exchange, head }: Rehearsed): Denial | undefined {
  const verdict = gate?.(exchange, head);
  return verdict && 'status' in verdict ? verdict : undefined;
}

const quiet = (): void => {};

const ofClient: ReadonlySet<RequestFact> = new Set(['client-address', 'forwarded-for-appended']);
const ofCertificate = /^client-certificate/;

type Known = Pick<Rehearsed, 'isClientKnown' | 'request'>;

/** The fact of a text that is not known here. */
export function unknownFact(text: Template, { isClientKnown, request }: Known): RequestFact | undefined {
  for (const part of text) {
    if (typeof part === 'string') continue;
    if (part.of === 'capture' && part.within?.text) {
      const within = unknownFact(part.within.text, { isClientKnown, request });
      if (within) return within;
    }
    if (part.of !== 'fact') continue;
    if (!isClientKnown && ofClient.has(part.fact)) return part.fact;
    if (request.scheme === 'https' && ofCertificate.test(part.fact)) return part.fact;
  }
  return undefined;
}

/** The first condition that a request does not meet, and what it has instead; undefined when it meets all. */
export function unmet(
  conditions: readonly Condition[],
  { exchange, head }: Rehearsed,
): { readonly condition: Condition; readonly got: string } | undefined {
  for (const condition of conditions) {
    const holds = compileConditions([condition]);
    if (!holds.ok || !holds.value.holds || holds.value.holds(exchange, head)) continue;
    const text = compileTemplate(condition.value);
    return { condition, got: text.ok ? decodedText(text.value.text(exchange, head)) : '' };
  }
  return undefined;
}

const certain = (conditions: readonly Condition[], asked: Rehearsed) =>
  conditions.filter(({ value }) => unknownFact(value, asked) === undefined);

function judgeRespond(filter: Extract<Filter, { type: 'respond' }>, asked: Rehearsed): Verdict {
  const { when, status, reason } = filter;
  const known = certain(when, asked);
  const { exchange, head } = asked;
  const { patternSteps } = exchange;
  const conditions = compileConditions(known);
  const tooCostly = conditions.ok ? conditions.value.charge?.(exchange, head) : undefined;
  if (tooCostly) return answers(tooCostly);
  const missed = unmet(known, asked);
  if (missed)
    return passes(`${describeTemplate(missed.condition.value)} is ${missed.got === '' ? 'empty' : missed.got}`);
  const open = when.filter((condition) => !known.includes(condition));
  if (open.length > 0) return depends(`${status} (${reason}) if ${open.map(describeCondition).join(' and ')}`);
  // The filter counts for itself.
  exchange.patternSteps = patternSteps;
  const denial = denialOf(compileRespond(filter, quiet), asked);
  return denial ? answers(denial) : passes('its conditions are not met');
}

function judgeAddress(filter: Extract<Filter, { type: 'ip-access' }>, asked: Rehearsed): Verdict {
  if (filter.allow.length === 0 && filter.deny.length === 0) return passes('it lets everybody in');
  if (!asked.isClientKnown) return depends(byAddress);
  const { client } = asked.request;
  const denial = denialOf(compileIpAccess(filter, quiet), asked);
  return denial ? answers(denial, `${client} is not let in`) : passes(`${client} is let in`);
}

function judgeLimit(filter: Extract<Filter, { type: 'rate-limit' | 'concurrency' }>, asked: Rehearsed): Verdict {
  const { exempt, status } = filter;
  const { isExempt } = compileExempt(exempt);
  const open = `until the limit is reached, then ${status}`;
  if (!isExempt) return passes(open);
  if (!asked.isClientKnown) return passes(`${open}; addresses that are not counted: ${exempt?.join(' ')}`);
  return passes(isExempt(asked.exchange, asked.head) ? `${asked.request.client} is not counted` : open);
}

const unauthorized = { status: 401, flag: 'unauthorized', reason: 'a name and a password are needed' } as const;

/** Name and password as they stand in Authorization; undefined without any. */
function credentialsOf({ head }: Rehearsed): readonly [name: string, password: string] | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(head.headers('authorization') ?? '') ?? [];
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
  return name === undefined || password === undefined ? undefined : [name, password];
}

/** False also for a hash that nobody can log in with. */
function isRight(hash: string, password: string): boolean {
  const parsed = parseHash(hash);
  if (typeof parsed === 'string') return false;
  return parsed.cost === 'much' ? compareSync(password, hash) : parsed.verify(Buffer.from(password));
}

function judgePassword({ users, realm }: BasicAuthFilter, asked: Rehearsed): Verdict {
  const given = credentialsOf(asked);
  if (!given) return answers(unauthorized, `a name and a password are needed for ${realm}`);
  const [name, password] = given;
  const hash = users.find((user) => user.name === name)?.hash;
  if (hash === undefined) return answers(unauthorized, `there is no user ${name}`);
  return isRight(hash, password)
    ? passes(`the password of ${name} is right`)
    : answers(unauthorized, `the password of ${name} is wrong`);
}

/** What clients get whom the service refuses. */
function judgeExternal(filter: ExternalAuthFilter | GrpcAuthFilter, asked: Rehearsed): Verdict {
  if (filter.protocol === 'grpc') return depends(`${filter.backend} decides`);
  const admits = filter.admits === '200' ? '200' : '2xx';
  const refused = createJudge(filter)({ status: 401, fields: [], body: '', trailers: '' }, asked.exchange, asked.head);
  const denied = refused ? answers(refused) : undefined;
  const then =
    denied?.says === 'answers' ? `${denied.status}${denied.location ? ` to ${denied.location}` : ''}` : '401';
  return depends(`${filter.backend} decides: ${admits} lets the request on, 401 gives clients ${then}`);
}

function judgeCertificate(filter: Extract<Filter, { type: 'client-certificate' }>, { request }: Rehearsed): Verdict {
  if (request.scheme === 'http') return passes('over plain HTTP nobody is asked for a certificate');
  return depends(`the client’s certificate decides${filter.mode === 'required' ? ': without one, 400' : ''}`);
}

/** Anybody may let a request in; what would refuse it is told by the gravest. */
function judgeAny(filters: readonly Filter[], asked: Rehearsed): Verdict {
  const verdicts = filters.map((filter) => judgeGate(filter, asked));
  const open = verdicts.find((verdict) => verdict?.says === 'passes');
  if (open) return passes(open.why);
  const unsure = verdicts.filter((verdict) => verdict?.says === 'depends');
  const refusals = verdicts.flatMap((verdict) => (verdict?.says === 'answers' ? [verdict] : []));
  const refusal = refusals.find(({ status }) => status !== 403) ?? refusals[0];
  if (unsure.length === 0 && refusal) return { ...refusal, why: refusals.map(({ why }) => why).join('; ') };
  const otherwise = refusal ? `; otherwise ${refusal.status}: ${refusal.why}` : '';
  return depends(`${unsure.map((verdict) => verdict!.why).join('; or ')}${otherwise}`);
}

type Judges = {
  readonly [T in Filter['type']]?: (filter: Extract<Filter, { type: T }>, asked: Rehearsed) => Verdict;
};

const judges: Judges = {
  respond: judgeRespond,
  'ip-access': judgeAddress,
  'client-certificate': judgeCertificate,
  cors: (filter, asked) => {
    const denial = denialOf(compileCors(filter, quiet), asked);
    return denial ? answers(denial) : passes('not a preflight request');
  },
  'request-size': (filter, asked) => {
    const denial = denialOf(compileRequestSize(filter, quiet), asked);
    return denial
      ? answers(denial)
      : passes(asked.head.contentLength < 0 ? 'no Content-Length is given' : 'it is small enough');
  },
  'rate-limit': judgeLimit,
  concurrency: judgeLimit,
  'basic-auth': judgePassword,
  'external-auth': judgeExternal,
  'any-of': ({ filters }, asked) => judgeAny(filters, asked),
};

/** Undefined for filters that stop nobody. */
function judgeGate(filter: Filter, asked: Rehearsed): Verdict | undefined {
  return (judges[filter.type] as ((filter: Filter, asked: Rehearsed) => Verdict) | undefined)?.(filter, asked);
}

/** In the order in which the request meets them, up to the one that answers it for certain. */
export function gatesOf(
  { filters, gates }: Pick<Route, 'filters' | 'gates'>,
  asked: Rehearsed,
): readonly GateVerdict[] {
  const ordered =
    gates === 'as-listed' ? filters : filters.toSorted((a, b) => gateOrder.indexOf(a.type) - gateOrder.indexOf(b.type));
  const met: GateVerdict[] = [];
  for (const filter of ordered) {
    const verdict = judgeGate(filter, asked);
    if (verdict) met.push({ filter, verdict });
    if (verdict?.says === 'answers') break;
  }
  return met;
}
