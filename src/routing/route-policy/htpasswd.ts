/** Users out of a Secret with an htpasswd file, as ingress-nginx has them: under the key `auth`. */
import type { Secret } from '../../kube/types/index.ts';
import type { BasicAuthFilter } from '../plan/plan.ts';

type Users = BasicAuthFilter['users'];

interface UsersReading {
  readonly users: Users;
  /** Lines that cannot be used, without what stands in them. */
  readonly problems: readonly string[];
}

export const usersKey = 'auth';

/** Lines of a file; each user costs memory in every worker. */
const maxUsers = 10_000;

/** Objects in a store never change, so a reading holds as long as its Secret. */
const readings = new WeakMap<Secret, UsersReading | string>();

/** The users of a Secret, or why there are none. */
export function usersOf(secret: Secret): UsersReading | string {
  let reading = readings.get(secret);
  if (reading === undefined) {
    reading = readSecret(secret);
    readings.set(secret, reading);
  }
  return reading;
}

function readSecret({ data }: Secret): UsersReading | string {
  const encoded: unknown = data?.[usersKey];
  if (typeof encoded !== 'string' || encoded === '') {
    const present = Object.keys(data ?? {}).sort();
    const found = present.length > 0 ? `; its keys are ${present.slice(0, 5).join(', ')}` : '';
    return `has nothing under the key ${usersKey}${found}`;
  }
  if (!/^[A-Za-z0-9+/=\s]*$/.test(encoded)) return `has no base64 under the key ${usersKey}`;
  const reading = readLines(Buffer.from(encoded, 'base64').toString('utf8').split(/\r?\n/));
  if (reading.users.length > maxUsers) return `has more than ${maxUsers} users`;
  if (reading.users.length > 0) return reading;
  return `has no user that can log in under the key ${usersKey}${reading.problems.length > 0 ? `: ${reading.problems[0]}` : ''}`;
}

/** The first line of a name counts. */
function readLines(lines: readonly string[]): UsersReading {
  const users = new Map<string, string>();
  const problems: string[] = [];
  lines.forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const problem = readLine(text, users);
    if (problem !== undefined) problems.push(`line ${index + 1} ${problem}`);
  });
  return { users: [...users].map(([name, hash]) => ({ name, hash })), problems };
}

function readLine(text: string, users: Map<string, string>): string | undefined {
  // What stands behind a second colon is a comment.
  const [name = '', hash = ''] = text.split(':');
  if (name === '' || hash === '') return 'is not NAME:HASH';
  const fault = hashFault(hash);
  if (fault !== undefined) return fault;
  if (users.has(name)) return 'has the name of an earlier one';
  users.set(name, hash);
  return undefined;
}

/** Of SHA-crypt; as many take seconds. */
const maxRounds = 500_000;

/** Why the data plane cannot check a password against it; undefined when it can. */
export function hashFault(hash: string): string | undefined {
  const [, cost] = /^\$2[aby]\$([0-9]{2})\$[./0-9A-Za-z]{53}$/.exec(hash) ?? [];
  if (cost !== undefined)
    return Number(cost) >= 4 && Number(cost) <= 14 ? undefined : `has bcrypt of cost ${cost}; it must be 4 to 14`;
  if (/^\$(?:apr1|1)\$[^$]{1,8}\$[./0-9A-Za-z]{22}$/.test(hash)) return undefined;
  if (/^\{SHA\}[A-Za-z0-9+/]{27}=$/.test(hash)) return undefined;
  if (/^\{SSHA\}[A-Za-z0-9+/]{27,113}={0,2}$/.test(hash) || /^\{PLAIN\}./.test(hash)) return undefined;
  const [, id, rounds = '5000', digest] =
    /^\$([56])\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$]{0,16}\$([./0-9A-Za-z]+)$/.exec(hash) ?? [];
  if (id !== undefined && digest?.length === (id === '5' ? 43 : 86))
    return Number(rounds) <= maxRounds
      ? undefined
      : `has ${rounds} rounds of SHA-crypt; at most ${maxRounds} are computed`;
  return 'has no whole hash of bcrypt, apr1, $1$, $5$, $6$, {SHA}, {SSHA} or {PLAIN}';
}
