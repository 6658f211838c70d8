/**
 * One certificate, from the order to the chain (RFC 8555 section 7.1.6 has the states). Every step that a restart must
 * not repeat is written down before the next one; an order that is found again goes on where it is.
 */
import { createHash, createPrivateKey } from 'node:crypto';
import type { ChallengeBoard } from './board.ts';
import type { AcmeClient } from './client.ts';
import { createRequest, keyToPem, newKey } from './csr.ts';
import { type ChallengeKind, solverFor } from './issuers.ts';
import type { OpenChallenge } from './open-challenges.ts';
import { AcmeError, isProblem, type ProblemDetails } from './problem.ts';
import type { Authorization, Challenge, Order } from './resources.ts';
import type { OrderState } from './state.ts';
import type { WantedCertificate } from './wanted.ts';

export interface OrderContext {
  readonly client: AcmeClient;
  readonly wanted: WantedCertificate;
  readonly board: ChallengeBoard;
  /** What is known of earlier attempts. */
  readonly state: OrderState;
  save(state: OrderState): Promise<void>;
  /** Id of the certificate that is to be replaced (RFC 9773). */
  readonly replaces?: string;
  sleep(milliseconds: number): Promise<void>;
  readonly signal: AbortSignal;
}

export interface IssuedCertificate {
  /** PEM, the certificate first. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
}

interface Current {
  readonly url: string;
  readonly key: string;
  readonly order: Order;
}

/** Rejects with an AcmeError when the server does not give it; the order is of no use any more then. */
export async function obtain(context: OrderContext): Promise<IssuedCertificate> {
  const { client, wanted } = context;
  const current = (await resumed(context)) ?? (await begun(context));
  let { order } = current;
  if (order.status === 'pending') {
    await prove(context, order);
    order = await client.poll(
      () => client.order(current.url),
      ({ status }) => status !== 'pending',
    );
  }
  if (order.status === 'ready') {
    await client.finalize(order, await createRequest(createPrivateKey(current.key), wanted.names));
    context.signal.throwIfAborted();
  }
  if (order.status !== 'valid' && order.status !== 'invalid')
    order = await client.poll(
      () => client.order(current.url),
      ({ status }) => status === 'valid' || status === 'invalid',
    );
  if (order.status !== 'valid' || order.certificate === undefined) throw new AcmeError(failureOf(order));
  return { chain: await client.certificate(order.certificate), key: current.key };
}

function failureOf({ error }: Order): ProblemDetails {
  const detail = 'the server has given the order up without a reason';
  return { ...(error ?? { type: '', detail, status: 0 }), isFinal: true };
}

/** The order of an earlier life, if the server still has it. */
async function resumed({ client, state }: OrderContext): Promise<Current | undefined> {
  if (!state.order) return undefined;
  try {
    return { ...state.order, order: await client.order(state.order.url) };
  } catch (error) {
    if (!(error instanceof AcmeError) || ![401, 403, 404].includes(error.problem.status)) throw error;
    if (isProblem(error, 'accountDoesNotExist')) throw error;
    return undefined;
  }
}

async function begun(context: OrderContext): Promise<Current> {
  const { client, wanted, replaces, state, signal } = context;
  const { url, order } = await newOrder(client, wanted.names, replaces);
  signal.throwIfAborted();
  const key = keyToPem(newKey());
  await context.save({ ...state, order: { url, key } });
  return { url, key, order };
}

async function newOrder(client: AcmeClient, names: readonly string[], replaces: string | undefined) {
  try {
    return await client.newOrder(names, replaces);
  } catch (error) {
    // RFC 9773 section 5: what is replaced is a hint, and not worth an order.
    if (replaces === undefined || !isProblem(error, 'alreadyReplaced', 'malformed')) throw error;
    return client.newOrder(names);
  }
}

interface Proof {
  readonly url: string;
  readonly authorization: Authorization;
  readonly challenge: Challenge;
  readonly open: OpenChallenge;
  readonly pauseMs: number;
}

/** Proves what has not been proved before: shows all challenges at once, then has them looked at. */
async function prove(context: OrderContext, order: Order): Promise<void> {
  const { client, board, signal } = context;
  const proofs: Proof[] = [];
  for (const url of order.authorizations) {
    const authorization = await client.authorization(url);
    if (authorization.status === 'pending') proofs.push(proofOf(context, url, authorization));
    else if (authorization.status !== 'valid') throw new AcmeError(refusalOf(authorization));
  }
  const open = proofs.map((proof) => proof.open);
  try {
    await board.show(open, signal);
    const pauseMs = Math.max(0, ...proofs.map((proof) => proof.pauseMs));
    if (pauseMs > 0) await context.sleep(pauseMs);
    for (const { challenge } of proofs) {
      signal.throwIfAborted();
      // One that is being looked at already must not be asked for again (RFC 8555 section 8.2).
      if (challenge.status === 'pending') await client.accept(challenge);
    }
    for (const { url } of proofs) await decided(context, url);
  } finally {
    await board.take(open);
  }
}

async function decided({ client }: OrderContext, url: string): Promise<void> {
  const authorization = await client.poll(
    () => client.authorization(url),
    ({ status }) => status !== 'pending',
  );
  if (authorization.status !== 'valid') throw new AcmeError(refusalOf(authorization));
}

/** The reason is in the challenge that was tried. */
function refusalOf({ name, status, challenges }: Authorization): ProblemDetails {
  const problem = challenges.find(({ error }) => error)?.error;
  const detail = `${name}: ${problem?.detail || `the authorization is ${status}`}`;
  return { type: problem?.type ?? '', detail, status: problem?.status ?? 0, isFinal: true };
}

function proofOf({ client, wanted }: OrderContext, url: string, authorization: Authorization): Proof {
  const { name, wildcard, challenges } = authorization;
  const solver = solverFor(wanted.issuer, wildcard ? `*.${name}` : name);
  const kind = solver?.challenge;
  const challenge = challenges.find(({ type }) => type === kind);
  if (!kind || !challenge) {
    const offered = challenges.map(({ type }) => type).join(', ') || 'nothing';
    const detail = `${name}: the server offers ${offered}, and not ${kind ?? 'what a solver is for'}`;
    throw new AcmeError({ type: '', detail, status: 0, isFinal: true });
  }
  const open = openChallenge[kind](name, challenge.token, client.keyAuthorization(challenge.token));
  return { url, authorization, challenge, open, pauseMs: solver.propagationMs };
}

const openChallenge: Readonly<
  Record<ChallengeKind, (name: string, token: string, authorization: string) => OpenChallenge>
> = {
  'http-01': (_name, subject, answer) => ({ kind: 'http-01', subject, answer }),
  'tls-alpn-01': (subject, _token, answer) => ({ kind: 'tls-alpn-01', subject, answer }),
  'dns-01': (name, _token, authorization) => ({
    kind: 'dns-01',
    subject: `_acme-challenge.${name}`,
    answer: createHash('sha256').update(authorization).digest('base64url'),
  }),
};
