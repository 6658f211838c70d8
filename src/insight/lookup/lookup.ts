/**
 * What happens when a program in a Pod looks up a name: every query that its resolver library sends, in order, what
 * comes back, how much of it was in vain, and what would avoid that.
 */
import { isIP } from 'node:net';
import { keyOfName } from '../../dns/wire/name.ts';
import { recordType, typeName } from '../../dns/wire/numbers.ts';
import { recordText } from '../../dns/wire/records.ts';
import { type Ask, exchangeAs, type SentQuery } from './exchange.ts';
import { type Candidate, type Outcome, type Plan, planOf } from './plan.ts';
import { type Libc, type ResolverConfig, readResolverConfig } from './resolver-config.ts';

export interface LookupInput {
  /** As the program has it: `web`, `web.shop`, `www.example.com.`. */
  name: string;
  /** A record type; default is what getaddrinfo does: A and AAAA. */
  type?: number;
  /** Text of the Pod's /etc/resolv.conf. */
  resolvConf: string;
  ask: Ask;
  /** Default glibc. */
  libc?: Libc;
}

export interface LookupStep {
  /** Absolute. */
  readonly name: string;
  /** The search domain that made this name; undefined when the name is asked as it is. */
  readonly domain?: string;
  readonly queries: readonly SentQuery[];
  readonly outcome: Outcome;
}

export interface Advice {
  readonly kind: 'trailing dot' | 'ndots';
  /** What to write: the name, or the option. */
  readonly write: string;
  /** Queries sent then, instead of `LookupResult.queries`. */
  readonly queries: number;
}

export interface LookupResult {
  readonly name: string;
  /** `A`, `AAAA`. */
  readonly types: readonly string[];
  readonly libc: Libc;
  readonly config: ResolverConfig;
  readonly steps: readonly LookupStep[];
  readonly outcome: Outcome;
  /** The name that was found, absolute. */
  readonly foundAs?: string;
  /** Records in the form of a zone file. */
  readonly answers: readonly string[];
  /** Queries sent in all. */
  readonly queries: number;
  /** Queries that would not have been sent for the full name with a trailing dot. */
  readonly wasted: number;
  readonly advice: readonly Advice[];
}

interface Run {
  readonly steps: LookupStep[];
  readonly found?: LookupStep;
  readonly answers: readonly string[];
}

async function run(plan: Plan, input: LookupInput, types: readonly number[], config: ResolverConfig): Promise<Run> {
  const steps: LookupStep[] = [];
  let onlyAsIs = false;
  for (const candidate of plan.candidates) {
    if (onlyAsIs && candidate.domain !== undefined) continue;
    const { step, answers } = await tryName(candidate, input, types, config);
    steps.push(step);
    if (step.outcome === 'found') return { steps, found: step, answers };
    const next = plan.after(step.outcome, candidate);
    if (next === 'stop') break;
    if (next === 'as is') onlyAsIs = true;
  }
  return { steps, answers: [] };
}

async function tryName(
  candidate: Candidate,
  input: LookupInput,
  types: readonly number[],
  config: ResolverConfig,
): Promise<{ step: LookupStep; answers: string[] }> {
  // A name that cannot exist (too long with its search domain) is never sent.
  if (keyOfName(candidate.name) === undefined)
    return { step: { ...candidate, queries: [], outcome: 'failed' }, answers: [] };
  const exchanged = await exchangeAs[input.libc ?? 'glibc'](input.ask, candidate.name, types, config);
  const answers = exchanged.deciding.flatMap(({ answer }) => (answer?.answers ?? []).map(recordText));
  return {
    step: { ...candidate, queries: exchanged.queries, outcome: exchanged.outcome },
    answers: [...new Set(answers)],
  };
}

/** The outcome to report when nothing was found: that of the name as it is first of all, as glibc's h_errno has it. */
function failureOf(steps: readonly LookupStep[]): Outcome {
  const [first] = steps;
  if (first && first.domain === undefined) return first.outcome;
  if (steps.some(({ outcome }) => outcome === 'no data')) return 'no data';
  return steps.at(-1)?.outcome ?? 'failed';
}

const count = (steps: readonly LookupStep[]): number => steps.reduce((sum, { queries }) => sum + queries.length, 0);

/** What would have sent fewer queries, worked out from the answers that are known. */
function adviceFor(
  input: LookupInput,
  config: ResolverConfig,
  steps: readonly LookupStep[],
  found?: LookupStep,
): Advice[] {
  const dots = input.name.split('.').length - 1;
  // A single label is meant for the search list: found nowhere, it is not mended by asking for it as it is.
  const useful = found ?? (dots > 0 ? steps.find(({ domain }) => domain === undefined) : undefined);
  const queries = useful?.queries.length ?? 0;
  if (!useful || queries === 0 || count(steps) <= queries) return [];
  const advice: Advice[] = [{ kind: 'trailing dot', write: useful.name, queries }];
  const helps = found && found.domain === undefined && dots > 0 && dots < config.ndots;
  if (helps) advice.push({ kind: 'ndots', write: `ndots:${dots}`, queries });
  return advice;
}

export async function lookup(input: LookupInput): Promise<LookupResult> {
  const { name, libc = 'glibc' } = input;
  const types = input.type === undefined ? [recordType.A, recordType.AAAA] : [input.type];
  const config = readResolverConfig(input.resolvConf, libc);
  const addresses = types.every((type) => type === recordType.A || type === recordType.AAAA);
  const common = { name, types: types.map(typeName), libc, config };
  if (addresses && isIP(name)) {
    const nothing = { steps: [], queries: 0, wasted: 0, advice: [] };
    return { ...common, ...nothing, outcome: 'found', foundAs: name, answers: [name] };
  }
  const { steps, found, answers } = await run(planOf[libc]({ name, config, addresses }), input, types, config);
  const queries = count(steps);
  const needed = found ?? steps.find(({ domain }) => domain === undefined) ?? steps.at(-1);
  return {
    ...common,
    steps,
    outcome: found ? 'found' : failureOf(steps),
    ...(found && { foundAs: found.name }),
    answers,
    queries,
    wasted: queries - (needed?.queries.length ?? 0),
    advice: adviceFor(input, config, steps, found),
  };
}
