/** Which names a resolver library tries for one name, in order, and when it stops. */
import type { Libc, ResolverConfig } from './resolver-config.ts';

export interface Candidate {
  /** Absolute. */
  readonly name: string;
  /** The search domain appended; undefined when the name is tried as it is. */
  readonly domain?: string;
}

/** What came of one name, over all types asked. */
export type Outcome = 'found' | 'no data' | 'not found' | 'server failure' | 'failed';

export interface Plan {
  readonly candidates: readonly Candidate[];
  /** What to do after a candidate that was not found: try the next one, jump to the name as it is, or give up. */
  after(outcome: Outcome, candidate: Candidate): 'next' | 'as is' | 'stop';
}

export interface PlanInput {
  readonly name: string;
  readonly config: ResolverConfig;
  /** True for an address lookup (getaddrinfo); other types go through res_search. */
  readonly addresses: boolean;
}

const dotsIn = (name: string): number => name.split('.').length - 1;

function asIs(name: string): Candidate {
  return { name: name.endsWith('.') ? name : `${name}.` };
}

function searched(name: string, search: readonly string[]): Candidate[] {
  return search.map((domain) => {
    const bare = domain.replace(/^\./, '').replace(/\.$/, '');
    return { name: bare ? `${name}.${bare}.` : `${name}.`, domain };
  });
}

/**
 * glibc, `__res_context_search`: as it is first when it has `ndots` dots or more; then the search list, past names
 * without data and servers that fail; last as it is, unless that was tried or the list holds the root.
 */
function glibcPlan({ name, config }: PlanInput): Plan {
  const whole = asIs(name);
  const after: Plan['after'] = (outcome, candidate) => {
    if (candidate.domain === undefined) return 'next';
    return outcome === 'failed' ? 'as is' : 'next';
  };
  if (name.endsWith('.')) return { candidates: [whole], after };
  const list = searched(name, config.search);
  const dots = dotsIn(name);
  if (dots >= config.ndots) return { candidates: [whole, ...list], after };
  const last =
    !list.some((candidate) => candidate.name === whole.name) && (dots > 0 || !config.noTldQuery || list.length === 0);
  return { candidates: [...list, ...(last ? [whole] : [])], after };
}

/**
 * musl, `name_from_dns_search`: with `ndots` dots or more only as it is, else the search list and then as it is; goes
 * on only past names that do not exist. Other types than addresses are never searched for (`res_search` is `res_query`).
 */
function muslPlan({ name, config, addresses }: PlanInput): Plan {
  const search = addresses && !name.endsWith('.') && dotsIn(name) < config.ndots ? searched(name, config.search) : [];
  return { candidates: [...search, asIs(name)], after: (outcome) => (outcome === 'not found' ? 'next' : 'stop') };
}

export const planOf: Record<Libc, (input: PlanInput) => Plan> = { glibc: glibcPlan, musl: muslPlan };
