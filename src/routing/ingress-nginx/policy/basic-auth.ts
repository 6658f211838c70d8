/** Names and passwords (`auth-type`, `auth-secret`, `auth-realm`). */
import { type Diagnostic, diagnostic } from '../../../base/diagnostics/index.ts';
import { refOf } from '../../../kube/resources.ts';
import type { Secret } from '../../../kube/types/index.ts';
import { markOnce } from '../../incremental/capture.ts';
import type { BasicAuthFilter } from '../../plan/plan.ts';
import { hashFault, usersOf } from '../../route-policy/htpasswd.ts';
import { type Desk, keyIn } from './desk.ts';

type Users = BasicAuthFilter['users'];

/** Undefined when nobody is asked, or when it is missed. */
export function basicAuth(desk: Desk): BasicAuthFilter | undefined {
  const { asked, miss } = desk;
  const type = asked['auth-type'];
  if (type === undefined) return undefined;
  if (type === 'digest') return miss('auth-type', 'digest is not spoken; use basic over TLS, or auth-url');
  const named = asked['auth-secret'];
  if (!named) return miss('auth-secret', 'no Secret with passwords is named');
  const key = keyIn(desk, 'auth-secret', named);
  const users = key === undefined ? undefined : usersIn(desk, key);
  return users && { type: 'basic-auth', realm: asked['auth-realm'] ?? '', users };
}

function usersIn({ scope, asked, miss }: Desk, key: string): Users | undefined {
  const secret = scope.resolver.findSecret(key);
  if (!secret) return miss('auth-secret', `the Secret ${key} does not exist`);
  const reading = asked['auth-secret-type'] === 'auth-map' ? usersOfMap(secret) : usersOf(secret);
  if (typeof reading === 'string') return miss('auth-secret', `the Secret ${key} ${reading}`);
  if (reading.problems.length > 0) reportLines(scope, secret, reading.problems);
  return reading.users;
}

interface UsersReading {
  readonly users: Users;
  readonly problems: readonly string[];
}

/** Objects in a store never change, so a reading holds as long as its Secret. */
const readings = new WeakMap<Secret, UsersReading | string>();

/** Each key is a name, and its value the hash of the password. */
function usersOfMap(secret: Secret): UsersReading | string {
  let reading = readings.get(secret);
  if (reading === undefined) {
    reading = readMap(secret);
    readings.set(secret, reading);
  }
  return reading;
}

const maxUsers = 10_000;

function readMap({ data = {} }: Secret): UsersReading | string {
  const entries = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > maxUsers) return `has more than ${maxUsers} users`;
  const users: { readonly name: string; readonly hash: string }[] = [];
  const problems: string[] = [];
  for (const [name, encoded] of entries) {
    const hash = Buffer.from(String(encoded), 'base64').toString('utf8').trim();
    const fault = hashFault(hash);
    if (fault === undefined) users.push({ name, hash });
    else problems.push(`key ${name} ${fault}`);
  }
  if (users.length > 0) return { users, problems };
  return `has no user that can log in${problems.length > 0 ? `: ${problems[0]}` : ''}`;
}

/** About the Secret, told once however many locations name it. */
function reportLines(
  { input, findings }: { readonly input: Desk['scope']['input']; readonly findings: Diagnostic[] },
  secret: Secret,
  problems: readonly string[],
): void {
  const object = refOf(secret);
  const place = input.position(object, 'data');
  const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
  const message = `${problems.slice(0, 5).join('; ')}${more}`;
  findings.push(
    markOnce(diagnostic('FW5405', { message, object, fieldPath: 'data', ...(place && { position: place }) })),
  );
}
