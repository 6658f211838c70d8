/** The affinity of a route ready to run: names of its shares, how its sessions are read and how clients are told of them. */
import { type Affinity, reservedHeaders, type SessionCookie, type SessionHeader } from '../../routing/plan/affinity.ts';
import type { WeightedBackend } from '../../routing/plan/plan.ts';
import type { FilterComplaint } from '../filters/types.ts';
import { isToken } from '../http1/characters.ts';
import { addField, type Fields, setField } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { SessionIds } from './ids.ts';
import { cookieValues, headerValues } from './token.ts';

export interface CompiledAffinity {
  readonly plan: Affinity;
  readonly ids: SessionIds;
  /** Names of the shares, by their places in the route's action. */
  readonly shares: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  /** Shares that new sessions fall to. */
  readonly open: readonly boolean[];
  /** What of a request may be tokens of sessions. */
  read(head: RequestHead): readonly string[];
  /** What clients are told depends on what they say of themselves (SessionCookie.unlessUnsupported). */
  readonly byAgent: boolean;
  /** Puts a token into the head of a response. `secure`: the client came over TLS. `old`: it takes no SameSite=None. */
  tell(fields: Fields, token: string, secure: boolean, old: boolean): void;
}

/** Undefined, and complained of, when its values cannot stand in a head. `byRules`: not only weights lead to shares. */
export function compileAffinity(
  plan: Affinity,
  backends: readonly WeightedBackend[],
  ids: SessionIds,
  complain: FilterComplaint,
  byRules = false,
): CompiledAffinity | undefined {
  const fault = faultOf(plan.carrier);
  if (fault !== undefined) {
    complain(`sessions are not kept: ${fault}`);
    return undefined;
  }
  const shares = namesOf(plan.scope, backends, ids);
  const carrier = plan.carrier.type === 'cookie' ? inCookie(plan.carrier) : inHeader(plan.carrier);
  return {
    plan,
    ids,
    shares,
    places: new Map(shares.map((name, place) => [name, place])),
    open: backends.map(({ weight }) => byRules || weight > 0),
    ...carrier,
  };
}

/** By backend and not by place: a share keeps its sessions wherever in the list it comes to stand. */
function namesOf(scope: string, backends: readonly WeightedBackend[], ids: SessionIds): string[] {
  const met = new Map<string, number>();
  return backends.map(({ backend = '' }) => {
    const occurrence = met.get(backend) ?? 0;
    met.set(backend, occurrence + 1);
    return ids.share(scope, backend, occurrence);
  });
}

/** Printable and without the semicolon that ends an attribute. */
const attributeValue = /^[ -:<-~]*$/;

function faultOf(carrier: SessionCookie | SessionHeader): string | undefined {
  const { type, name } = carrier;
  if (!isToken(name)) return `${JSON.stringify(name)} is no name of a ${type}`;
  if (carrier.type === 'header')
    return reservedHeaders.has(name.toLowerCase()) ? `the header ${name} has another meaning` : undefined;
  const bad = [carrier.path, carrier.domain].find((value) => value !== undefined && !attributeValue.test(value));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} cannot be said in a cookie`;
}

type Carried = Pick<CompiledAffinity, 'read' | 'tell' | 'byAgent'>;

function inCookie(cookie: SessionCookie): Carried {
  const { name, secure, expiresSeconds, sameSite } = cookie;
  const attributes = attributesOf(cookie, sameSite);
  const attributesForOld = attributesOf(cookie, undefined);
  const isSecure = (overTls: boolean) => secure === 'always' || (secure === 'https' && overTls);
  return {
    byAgent: sameSite === 'None' && cookie.unlessUnsupported === true,
    read(head) {
      const lines = head.headers('cookie');
      return lines === undefined ? [] : cookieValues(lines, name);
    },
    tell(fields, token, overTls, old) {
      const expires = expiresSeconds === undefined ? '' : `; Expires=${dateAfter(expiresSeconds)}`;
      const always = old ? attributesForOld : attributes;
      addField(fields, 'Set-Cookie', `${name}=${token}${always}${expires}${isSecure(overTls) ? '; Secure' : ''}`);
    },
  };
}

function attributesOf({ path, domain, maxAgeSeconds }: SessionCookie, sameSite: SessionCookie['sameSite']): string {
  const attributes = [
    path === undefined ? '' : `; Path=${path}`,
    domain === undefined ? '' : `; Domain=${domain}`,
    maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`,
    sameSite === undefined ? '' : `; SameSite=${sameSite}`,
  ];
  return `${attributes.join('')}; HttpOnly`;
}

const dateAfter = (seconds: number): string => new Date(Date.now() + 1_000 * seconds).toUTCString();

function inHeader({ name }: SessionHeader): Carried {
  const lowerName = name.toLowerCase();
  return {
    byAgent: false,
    read(head) {
      const lines = head.headers(lowerName);
      return lines === undefined ? [] : headerValues(lines);
    },
    tell: (fields, token) => setField(fields, name, token),
  };
}
