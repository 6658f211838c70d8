/**
 * One account at one ACME server (RFC 8555): signed requests with fresh nonces, orders and what belongs to them, and
 * when to renew (RFC 9773). Everything rejects with an AcmeError. Nothing is kept but the directory and nonces.
 */
import type { KeyObject } from 'node:crypto';
import type { Timing } from '../../kube/client/timing.ts';
import { externalBinding, jwkOf, signJws, thumbprint } from './jose.ts';
import { AcmeError, isProblem, malformed, problemOf } from './problem.ts';
import {
  type Authorization,
  type Challenge,
  type Directory,
  type Order,
  type RenewalInfo,
  readAuthorization,
  readChallenge,
  readDirectory,
  readOrder,
  readRenewalInfo,
} from './resources.ts';
import type { AcmeResponse, AcmeTransport } from './transport.ts';

export interface AcmeClientOptions {
  /** URL of the directory. */
  readonly server: string;
  /** Private key of the account, on P-256. */
  readonly key: KeyObject;
  readonly transport: AcmeTransport;
  readonly timing: Timing;
  readonly signal?: AbortSignal;
  /** How often a request is sent again because the server did not take its nonce. Default 12. */
  readonly maxNonceRetries?: number;
  /** Longest time to wait for an order or an authorization to be decided, in milliseconds. Default 300,000. */
  readonly pollMs?: number;
}

export interface AccountWish {
  readonly email?: string;
  /** Agreement of whoever runs Fairway, never ours. */
  readonly termsOfServiceAgreed: boolean;
  /** `macKey` in base64url. */
  readonly binding?: { readonly keyId: string; readonly macKey: string };
}

export interface AcmeClient {
  directory(): Promise<Directory>;
  /** Makes the account, or finds the one of this key. The URL that stands for it, which `use` takes. */
  register(wish: AccountWish): Promise<string>;
  /** Tells the server whom to write to. */
  updateContact(email: string | undefined): Promise<void>;
  /** Requests are signed for this account from now on. */
  use(account: string): void;
  /** The account that requests are signed for. */
  account(): string | undefined;
  /** `replaces`: id of the certificate that the new one is for (RFC 9773 section 5). */
  newOrder(names: readonly string[], replaces?: string): Promise<{ readonly url: string; readonly order: Order }>;
  order(url: string): Promise<Order>;
  authorization(url: string): Promise<Authorization>;
  /** Says that the challenge can be looked at. */
  accept(challenge: Challenge): Promise<void>;
  /** Hands in the signing request, in DER. */
  finalize(order: Order, request: Buffer): Promise<Order>;
  /** Reads again until `isDone`, as often as the server likes. */
  poll<T extends object>(look: () => Promise<T>, isDone: (value: T) => boolean): Promise<T>;
  /** Chain in PEM, the certificate first. */
  certificate(url: string): Promise<string>;
  /** Absent where the server has no such information. `nextMs`: when to ask again, in milliseconds from now. */
  renewalInfo(id: string): Promise<{ readonly info: RenewalInfo; readonly nextMs: number } | undefined>;
  /** What a challenge's token is answered with (RFC 8555 section 8.1). */
  keyAuthorization(token: string): string;
}

/** Nonces that are kept for later requests. */
const maxNonces = 16;
/** Pauses between reads of what is not decided: the first, and the longest, in milliseconds. */
const pollPauses = [200, 5000] as const;
/** Longest pause that a server may ask for between reads, in milliseconds. */
const maxPollPauseMs = 60_000;
/** RFC 9773 section 4.3: clients set limits of their own. In milliseconds. */
const renewalInfoPause = { least: 60_000, usual: 6 * 3_600_000, most: 24 * 3_600_000 };

export function createAcmeClient(options: AcmeClientOptions): AcmeClient {
  const { server, key, transport, timing, signal, maxNonceRetries = 12, pollMs = 300_000 } = options;
  const jwk = jwkOf(key);
  const nonces: string[] = [];
  let account: string | undefined;
  /** Where requests name their key instead of the account. */
  let newAccountUrl: string | undefined;
  let known: Promise<Directory> | undefined;
  /** When to read again what was read, in milliseconds. */
  const pauses = new WeakMap<object, number>();

  function check(response: AcmeResponse): AcmeResponse {
    if (response.status >= 200 && response.status < 300) return response;
    const document = parseJson(response.body);
    throw new AcmeError(problemOf(document, response.status, retryAfterOf(response, timing.now())));
  }

  const plain = async (method: 'GET' | 'HEAD', url: string) =>
    check(await transport.send({ method, url, ...(signal && { signal }) }));

  function directory(): Promise<Directory> {
    known ??= plain('GET', server).then(({ body }) => readDirectory(parseJson(body)));
    // A failure is not remembered.
    known.catch(() => {
      known = undefined;
    });
    return known;
  }

  async function takeNonce(): Promise<string> {
    // One that was fetched is for who fetched it: of several who wait, each has one.
    const nonce = nonces.shift() ?? nonceOf(await plain('HEAD', (await directory()).newNonce));
    if (nonce === undefined) throw malformed('gave no nonce');
    return nonce;
  }

  async function post(url: string, payload: unknown, accept?: string): Promise<AcmeResponse> {
    const identity = account === undefined || url === newAccountUrl ? { jwk } : { kid: account };
    for (let left = maxNonceRetries; ; left--) {
      const nonce = await takeNonce();
      const body = JSON.stringify(signJws(key, { ...identity, nonce, url }, payload));
      const response = await transport.send({
        ...{ method: 'POST', url, body },
        ...(accept !== undefined && { accept }),
        ...(signal && { signal }),
      });
      const next = nonceOf(response);
      if (next !== undefined && nonces.length < maxNonces) nonces.push(next);
      try {
        return check(response);
      } catch (error) {
        // RFC 8555 section 6.5: the response has a nonce that is good.
        if (!isProblem(error, 'badNonce') || left <= 0) throw error;
      }
    }
  }

  /** Reads a resource, and notes when to read it again. */
  async function read<T extends object>(url: string, decode: (value: unknown) => T): Promise<T> {
    const response = await post(url, undefined);
    const value = decode(parseJson(response.body));
    const pause = retryAfterOf(response, timing.now());
    if (pause !== undefined) pauses.set(value, pause);
    return value;
  }

  const postJson = async (url: string, payload: unknown) => parseJson((await post(url, payload)).body);

  async function register({ email, termsOfServiceAgreed, binding }: AccountWish): Promise<string> {
    const { newAccount, externalAccountRequired } = await directory();
    if (externalAccountRequired && !binding) throw malformed('wants accounts to be bound (externalAccountBinding)');
    newAccountUrl = newAccount;
    const { headers } = await post(newAccount, {
      termsOfServiceAgreed,
      contact: contactOf(email),
      ...(binding && { externalAccountBinding: externalBinding(binding.macKey, binding.keyId, newAccount, jwk) }),
    });
    return locationOf(headers, 'account');
  }

  async function poll<T extends object>(look: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
    const until = timing.monotonic() + pollMs;
    for (let pause: number = pollPauses[0]; ; pause = Math.min(pause * 2, pollPauses[1])) {
      const value = await look();
      if (isDone(value)) return value;
      if (timing.monotonic() > until) throw malformed(`has decided nothing within ${pollMs / 1000} s`);
      await timing.sleep(Math.max(pause, Math.min(pauses.get(value) ?? 0, maxPollPauseMs)), signal);
      signal?.throwIfAborted();
    }
  }

  async function newOrder(names: readonly string[], replaces?: string) {
    const { newOrder: url } = await directory();
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    const response = await post(url, { identifiers, ...(replaces !== undefined && { replaces }) });
    return { url: locationOf(response.headers, 'order'), order: readOrder(parseJson(response.body)) };
  }

  async function renewalInfo(id: string) {
    const { renewalInfo: base } = await directory();
    if (base === undefined) return undefined;
    const response = await plain('GET', `${base.replace(/\/$/, '')}/${id}`);
    const { least, usual, most } = renewalInfoPause;
    return {
      info: readRenewalInfo(parseJson(response.body)),
      nextMs: Math.min(Math.max(retryAfterOf(response, timing.now()) ?? usual, least), most),
    };
  }

  return {
    directory,
    register,
    async updateContact(email) {
      await post(account!, { contact: contactOf(email) });
    },
    use(url) {
      account = url;
    },
    account: () => account,
    newOrder,
    order: (url) => read(url, readOrder),
    authorization: (url) => read(url, readAuthorization),
    async accept({ url }) {
      readChallenge(await postJson(url, {}));
    },
    finalize: async ({ finalize }, request) =>
      readOrder(await postJson(finalize, { csr: request.toString('base64url') })),
    poll,
    async certificate(url) {
      const { body } = await post(url, undefined, 'application/pem-certificate-chain');
      if (!body.includes('-----BEGIN CERTIFICATE-----')) throw malformed('sent no certificate in PEM');
      return body;
    },
    renewalInfo,
    keyAuthorization: (token) => `${token}.${thumbprint(jwk)}`,
  };
}

function nonceOf({ headers }: AcmeResponse): string | undefined {
  const nonce = headers['replay-nonce'];
  return typeof nonce === 'string' && /^[A-Za-z0-9_-]{1,512}$/.test(nonce) ? nonce : undefined;
}

const contactOf = (email: string | undefined): string[] => (email === undefined ? [] : [`mailto:${email}`]);

function locationOf({ location }: AcmeResponse['headers'], what: string): string {
  if (location === undefined || !URL.canParse(location) || new URL(location).protocol !== 'https:')
    throw malformed(`did not say where the ${what} is`);
  return location;
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever reads it says what was wanted.
    return undefined;
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3); undefined when there is none that says anything. */
export function retryAfterOf({ headers }: Pick<AcmeResponse, 'headers'>, now: number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
