/**
 * Keys of TLS session tickets (RFC 5077, RFC 8446 section 4.6.1): made from one secret that all listeners of a process,
 * and all processes that are given it, have in common. The secret turns over by the clock, one way, so that a key that
 * leaks says nothing about tickets of the past, and processes turn at the same time without a word.
 *
 * What a listener serves goes into its keys: tickets of a listener that has lost a certificate, or that validates
 * clients by other authorities than before, open nothing. OpenSSL asks for no certificate when it resumes a session.
 */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';

export interface TicketSecret {
  /** Number of the period, from the epoch of the clock on. */
  readonly period: number;
  /** 32 bytes in base64. */
  readonly secret: string;
}

export interface Tickets {
  /** 48 bytes for `ticketKeys` of node:tls. */
  keys(fingerprint: string): Buffer;
  /** Turns the secret when its time has come, and tells those who asked. `now` in milliseconds since the epoch. */
  turn(now: number): void;
  /** Calls back whenever keys have changed; returns how to stop that. */
  onTurn(tell: () => void): () => void;
  /** To be handed to a further process of the same data plane. */
  secret(): TicketSecret;
}

const KEY_BYTES = 48;

/** `rotationMs` must be the same in all processes that share a secret. */
export function createTickets(rotationMs: number, given?: TicketSecret, now = Date.now()): Tickets {
  let period = given?.period ?? Math.floor(now / rotationMs);
  let secret = given ? Buffer.from(given.secret, 'base64') : randomBytes(32);
  const listeners = new Set<() => void>();

  function catchUp(until: number): boolean {
    const before = period;
    for (; period < until; period++) secret = createHash('sha256').update('next').update(secret).digest();
    return period !== before;
  }

  catchUp(Math.floor(now / rotationMs));
  return {
    keys: (fingerprint) => Buffer.from(hkdfSync('sha256', secret, '', `tickets ${fingerprint}`, KEY_BYTES)),
    turn(at) {
      if (!catchUp(Math.floor(at / rotationMs))) return;
      for (const tell of listeners) tell();
    },
    onTurn(tell) {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    secret: () => ({ period, secret: secret.toString('base64') }),
  };
}
