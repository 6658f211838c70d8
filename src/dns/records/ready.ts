/** Answers in wire format by name and type, dropped when the Service that they come from changes. */
import { decodeMessage } from '../wire/decode.ts';
import type { Answer, ReadyAnswer } from '../wire/response.ts';

/** An answer that is kept. Others may keep it too, for as long as it holds. */
export interface KeptAnswer extends ReadyAnswer {
  /** False once its Service has changed, or once it made room for another. */
  readonly holds: boolean;
}

export interface ReadyAnswers {
  get(type: number, key: string): KeptAnswer | undefined;
  /** Keeps an answer that belongs to `owner`. */
  put(owner: string, type: number, key: string, answer: ReadyAnswer): void;
  /** Forgets all answers of an owner. */
  drop(owner: string): void;
  readonly size: number;
}

/**
 * Its bytes say all; the records are decoded for the few who need them, since thousands of answers are kept. A class:
 * objects with a getter of their own would have a hidden class each in V8, which costs more than the answer itself.
 */
class Slot implements KeptAnswer {
  holds = true;
  readonly owner: string;
  readonly bytes: Uint8Array;
  readonly serialAt: ReadyAnswer['serialAt'];
  readonly ttlAt: ReadyAnswer['ttlAt'];
  readonly addresses: ReadyAnswer['addresses'];
  readonly flags: ReadyAnswer['flags'];
  readonly rcode: ReadyAnswer['rcode'];
  readonly ttl: ReadyAnswer['ttl'];

  constructor(owner: string, { bytes, serialAt, ttlAt, addresses, flags, rcode, ttl }: ReadyAnswer) {
    this.owner = owner;
    this.bytes = bytes;
    this.serialAt = serialAt;
    this.ttlAt = ttlAt;
    this.addresses = addresses;
    this.flags = flags;
    this.rcode = rcode;
    this.ttl = ttl;
  }

  get answer(): Answer {
    const decoded = decodeMessage(this.bytes);
    if (!decoded.ok) throw new Error(`an answer of our own cannot be read: ${decoded.error}`);
    const { rcode, authoritative, answers, authority, additional } = decoded.value;
    return { rcode, authoritative, answers, authority, additional };
  }
}

/** `limit`: answers kept; the oldest goes first. */
export function createReadyAnswers(limit: number): ReadyAnswers {
  const answers = new Map<string, Slot>();
  const owned = new Map<string, Set<string>>();

  function forget(id: string): void {
    const known = answers.get(id);
    if (!known) return;
    known.holds = false;
    answers.delete(id);
    const ids = owned.get(known.owner);
    if (ids?.delete(id) && ids.size === 0) owned.delete(known.owner);
  }

  return {
    get: (type, key) => answers.get(idOf(type, key)),
    put(owner, type, key, ready) {
      const id = idOf(type, key);
      forget(id);
      for (const oldest of answers.keys()) {
        if (answers.size < limit) break;
        forget(oldest);
      }
      answers.set(id, new Slot(owner, ready));
      const ids = owned.get(owner);
      if (ids) ids.add(id);
      else owned.set(owner, new Set([id]));
    },
    drop(owner) {
      for (const id of [...(owned.get(owner) ?? [])]) forget(id);
    },
    get size() {
      return answers.size;
    },
  };
}

/** Type as the first character: it has a fixed length, so that type and name cannot run together. */
function idOf(type: number, key: string): string {
  return String.fromCharCode(type) + key;
}
