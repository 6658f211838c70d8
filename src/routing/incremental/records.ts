/**
 * Records that are never changed but followed by others that differ in a few members. What differs is remembered with
 * the record that follows, so that who has the one before need not compare all of them.
 */
import { changeLayers } from './layers.ts';

export type Members<T> = Readonly<Record<string, T>>;

/** Undefined: there is no such member. */
export interface MemberChange<T> {
  readonly key: string;
  readonly before: T | undefined;
  readonly now: T | undefined;
}

/** Stands for a record without keeping it in memory. */
type Token = object;

interface Origin {
  readonly parent: Token;
  readonly changes: readonly MemberChange<unknown>[];
}

const tokens = new WeakMap<object, Token>();
const origins = new WeakMap<object, Origin>();

function tokenOf(record: object): Token {
  const token = tokens.get(record) ?? {};
  tokens.set(record, token);
  return token;
}

function memberOf<T>(record: Members<T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/**
 * The record with other members in the place of those of the same key; undefined takes one out. The same record when it
 * would be equal. New members come last: the order of keys means nothing.
 */
export function changeRecord<T>(before: Members<T>, members: Iterable<readonly [string, T | undefined]>): Members<T> {
  const changes: MemberChange<T>[] = [];
  for (const [key, now] of members) {
    const old = memberOf(before, key);
    if (old !== now) changes.push({ key, before: old, now });
  }
  if (changes.length === 0) return before;
  const record = changeLayers(before, changes) ?? copyWith(before, changes);
  origins.set(record, { parent: tokenOf(before), changes });
  return record;
}

function copyWith<T>(before: Members<T>, changes: readonly MemberChange<T>[]): Members<T> {
  const record: Record<string, T> = { ...before };
  for (const { key, now } of changes) {
    if (now === undefined) delete record[key];
    else Object.defineProperty(record, key, { value: now, enumerable: true, writable: true, configurable: true });
  }
  return record;
}

/** What `changeRecord` was given when it made the one of the other; undefined when it did not. */
export function knownChanges<T>(before: Members<T>, now: Members<T>): readonly MemberChange<T>[] | undefined {
  if (before === now) return [];
  const origin = origins.get(now);
  return origin && origin.parent === tokens.get(before) ? (origin.changes as readonly MemberChange<T>[]) : undefined;
}

/** In which members two records differ, by identity. */
export function recordChanges<T>(before: Members<T>, now: Members<T>): readonly MemberChange<T>[] {
  return knownChanges(before, now) ?? compareRecords(before, now);
}

function compareRecords<T>(before: Members<T>, now: Members<T>): MemberChange<T>[] {
  const changes: MemberChange<T>[] = [];
  for (const key of Object.keys(before)) {
    const [old, other] = [before[key], memberOf(now, key)];
    if (old !== other) changes.push({ key, before: old, now: other });
  }
  for (const key of Object.keys(now))
    if (!Object.hasOwn(before, key)) changes.push({ key, before: undefined, now: now[key] });
  return changes;
}

/**
 * What is picked of the members of records that follow each other: the same list for as long as nothing of it changes.
 * `pick` gives undefined for members that do not count, and depends on the member alone.
 */
export function createSelection<T, U>(pick: (member: T) => U | undefined): (record: Members<T>) => readonly U[] {
  const picked = new Map<string, U>();
  let last: Members<T> = {};
  let list: readonly U[] = [];

  /** Whether it made a difference. */
  function follow({ key, now }: MemberChange<T>): boolean {
    const next = now === undefined ? undefined : pick(now);
    if (next === picked.get(key)) return false;
    if (next === undefined) picked.delete(key);
    else picked.set(key, next);
    return true;
  }

  return (record) => {
    const changed = recordChanges(last, record).filter(follow);
    last = record;
    if (changed.length > 0) list = [...picked.values()];
    return list;
  };
}
