/** What an ACME server says of its resources (RFC 8555 section 7.1), read with suspicion. */
import { isObject, malformed, type ProblemDetails, problemOf } from './problem.ts';

export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Where the server says when certificates are to be renewed (RFC 9773); absent: it does not. */
  readonly renewalInfo?: string;
  readonly termsOfService?: string;
  readonly externalAccountRequired: boolean;
}

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

export interface Order {
  readonly status: OrderStatus;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  /** Where the certificate is, once the order is valid. */
  readonly certificate?: string;
  readonly error?: ProblemDetails;
}

export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';

export interface Authorization {
  readonly status: AuthorizationStatus;
  /** Host name, without the `*.` of a wildcard. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly challenges: readonly Challenge[];
}

export interface Challenge {
  /** `http-01`, `dns-01`, `tls-alpn-01`, or one that we do not know. */
  readonly type: string;
  readonly url: string;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly token: string;
  readonly error?: ProblemDetails;
}

export interface RenewalInfo {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly explanation?: string;
}

/** Most authorizations of an order, and challenges of an authorization, that are looked at. */
const maxMembers = 200;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, what: string): Fields {
  if (!isObject(value)) throw malformed(`sent no JSON object as ${what}`);
  return value;
}

/** RFC 8555 section 6.1: everything is over HTTPS. */
function address(value: unknown, what: string): string {
  if (typeof value !== 'string' || !URL.canParse(value) || new URL(value).protocol !== 'https:')
    throw malformed(`gave no https address as ${what}`);
  return value;
}

function oneOf<T extends string>(value: unknown, known: readonly T[], what: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw malformed(`gave an unknown ${what}: ${JSON.stringify(value)?.slice(0, 50)}`);
  return found;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxMembers)
    throw malformed(`gave no list of ${what}, or a very long one`);
  return value;
}

export function readDirectory(value: unknown): Directory {
  const directory = fields(value, 'its directory');
  const meta = isObject(directory['meta']) ? directory['meta'] : {};
  const { renewalInfo } = directory;
  const terms = meta['termsOfService'];
  return {
    newNonce: address(directory['newNonce'], 'newNonce'),
    newAccount: address(directory['newAccount'], 'newAccount'),
    newOrder: address(directory['newOrder'], 'newOrder'),
    ...(renewalInfo !== undefined && { renewalInfo: address(renewalInfo, 'renewalInfo') }),
    ...(typeof terms === 'string' && { termsOfService: terms }),
    externalAccountRequired: meta['externalAccountRequired'] === true,
  };
}

const orderStates = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;

export function readOrder(value: unknown): Order {
  const order = fields(value, 'an order');
  return {
    status: oneOf(order['status'], orderStates, 'status of an order'),
    authorizations: list(order['authorizations'], 'authorizations').map((one) => address(one, 'an authorization')),
    finalize: address(order['finalize'], 'finalize'),
    ...(order['certificate'] !== undefined && { certificate: address(order['certificate'], 'a certificate') }),
    ...(isObject(order['error']) && { error: problemOf(order['error'], 0) }),
  };
}

const authorizationStates = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'] as const;

export function readAuthorization(value: unknown): Authorization {
  const authorization = fields(value, 'an authorization');
  const identifier = fields(authorization['identifier'], 'an identifier');
  const name = identifier['value'];
  if (identifier['type'] !== 'dns' || typeof name !== 'string') throw malformed('gave an identifier that is no name');
  return {
    status: oneOf(authorization['status'], authorizationStates, 'status of an authorization'),
    name: name.toLowerCase(),
    wildcard: authorization['wildcard'] === true,
    challenges: list(authorization['challenges'], 'challenges').flatMap((one) => readAnyChallenge(one) ?? []),
  };
}

const challengeStates = ['pending', 'processing', 'valid', 'invalid'] as const;
/** RFC 8555 section 8.1: base64url, which is what keeps a token from being a path or a key of something else. */
const tokenPattern = /^[A-Za-z0-9_-]{1,256}$/;

/** Undefined for those without a token, which are of kinds that we do not know. */
function readAnyChallenge(value: unknown): Challenge | undefined {
  const { token } = fields(value, 'a challenge');
  return token === undefined ? undefined : readChallenge(value);
}

export function readChallenge(value: unknown): Challenge {
  const challenge = fields(value, 'a challenge');
  const { token, type } = challenge;
  if (typeof token !== 'string' || !tokenPattern.test(token)) throw malformed('gave a token that is not base64url');
  return {
    type: typeof type === 'string' ? type : '',
    url: address(challenge['url'], 'a challenge'),
    status: oneOf(challenge['status'], challengeStates, 'status of a challenge'),
    token,
    ...(isObject(challenge['error']) && { error: problemOf(challenge['error'], 0) }),
  };
}

/** RFC 9773 section 4.2. */
export function readRenewalInfo(value: unknown): RenewalInfo {
  const info = fields(value, 'renewal information');
  const window = fields(info['suggestedWindow'], 'a suggested window');
  const [start, end] = [window['start'], window['end']].map((one) => Date.parse(String(one))) as [number, number];
  if (!(end > start)) throw malformed('gave a window of renewal that does not end after its beginning');
  const explanation = info['explanationURL'];
  return { start, end, ...(typeof explanation === 'string' && { explanation }) };
}
