/** Names and passwords (RFC 7617). */
import type { BasicAuthFilter } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import { isFieldValue, toWire } from '../../http1/characters.ts';
import { removeField } from '../../http1/fields.ts';
import type { Runtime } from '../../runtime.ts';
import { type Credentials, readCredentials } from '../../values/credentials.ts';
import { admit } from '../rate-limit/bucket.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint, Verdict, Waiting } from '../types.ts';
import { type PasswordHash, parseHash } from './passwords.ts';

const busy: Denial = {
  status: 503,
  flag: 'unauthorized',
  reason: 'too many passwords are being checked',
  lines: 'Retry-After: 1\r\n',
};

const broken: Denial = { status: 503, flag: 'unauthorized', reason: 'the password cannot be checked' };

export function compileBasicAuth(filter: BasicAuthFilter, complain: FilterComplaint): CompiledFilter {
  const realm = toWire(filter.realm);
  if (!isFieldValue(realm)) return refuseAll('the realm of basic auth has control characters', complain);
  const users = usersOf(filter, complain);
  const denial: Denial = {
    status: 401,
    flag: 'unauthorized',
    reason: 'a name and a password are needed',
    lines: `WWW-Authenticate: Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"\r\n`,
  };
  const check = createCheck(users, denial);
  return {
    gate(exchange, head) {
      const given = readCredentials(head.headers('authorization'));
      if (!given) return denial;
      attachmentsOf(exchange).user = toWire(given.name);
      return check(given, exchange.client.runtime);
    },
    request: ({ fields }) => removeField(fields, 'authorization'),
  };
}

/** A user whose hash cannot be checked cannot log in; the others can. */
function usersOf(filter: BasicAuthFilter, complain: FilterComplaint): Map<string, PasswordHash> {
  const users = new Map<string, PasswordHash>();
  for (const { name, hash } of filter.users) {
    const parsed = parseHash(hash);
    if (typeof parsed === 'string')
      complain(`the password of ${JSON.stringify(name)} ${parsed}; the user cannot log in`, 'FW5221');
    else users.set(name, parsed);
  }
  return users;
}

type Check = (given: Credentials, runtime: Runtime) => Verdict;

function createCheck(users: ReadonlyMap<string, PasswordHash>, denial: Denial): Check {
  // Checked for names that are not there, so that the time tells nobody which are, as far as hashes are of one kind.
  const [decoy] = [...users.values()].sort((a, b) => rank[b.cost] - rank[a.cost]);

  return ({ name, password }, runtime) => {
    const known = users.get(name);
    const hash = known ?? decoy;
    if (!hash) return denial;
    if (hash.cost === 'none') return hash.verify(password) && known ? undefined : denial;
    const { passwords } = runtime;
    const mark = passwords.mark(name, password, hash.text);
    // Right it may have been elsewhere, for somebody with the same hash.
    if (known && passwords.isRemembered(mark)) return undefined;
    const judge = (right: boolean): Denial | undefined => {
      if (!right || !known) return denial;
      passwords.remember(mark);
      return undefined;
    };
    if (hash.cost === 'much') return compareLater(password.toString('utf8'), hash.text, runtime, judge);
    return mayCheck(runtime) ? judge(hash.verify(password)) : busy;
  };
}

const rank = { none: 0, some: 1, much: 2 } as const;

/** The request waits for the thread. */
function compareLater(
  password: string,
  hash: string,
  { passwords }: Runtime,
  judge: (right: boolean) => Denial | undefined,
): Waiting {
  return {
    ask(_exchange, _held, settle) {
      const answer = (right: boolean | undefined) => settle(right === undefined ? broken : judge(right));
      const giveUp = passwords.compare(password, hash, answer);
      if (giveUp) return giveUp;
      queueMicrotask(() => settle(busy));
      return () => {};
    },
  };
}

/** A zone that no plan can name. */
const checks = '\0password checks';

/** Guessing passwords must not keep the data plane from its work. */
function mayCheck({ zones }: Runtime): boolean {
  const perSecond = zones.limits.maxPasswordChecksPerSecond;
  if (perSecond <= 0) return false;
  const rate = { intervalMs: 1000 / perSecond, burst: perSecond };
  return admit(zones.rate(checks), '', performance.now(), rate, 1) === 0;
}
