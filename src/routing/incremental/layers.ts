/**
 * Large records that differ from others in a few members. Copying ten thousand members takes longer than all else that
 * a change of one route costs, so what follows a large record is a view of it and of what is different, which reads
 * like any other record.
 */
import type { MemberChange, Members } from './records.ts';

interface Layers<T> {
  /** An ordinary record. */
  readonly base: Members<T>;
  /** Undefined: taken out. */
  readonly different: ReadonlyMap<string, T | undefined>;
}

/** Members from which on a record is not copied. */
const large = 1_000;
/** Differences beyond which a record is made anew. */
const maxDifferent = 256;

const known = new WeakMap<object, Layers<unknown>>();
const isLarge = new WeakMap<object, boolean>();

function layersOf<T>(record: Members<T>): Layers<T> {
  return (known.get(record) as Layers<T> | undefined) ?? { base: record, different: new Map() };
}

function countsAsLarge(record: object): boolean {
  const answer = isLarge.get(record) ?? Object.keys(record).length >= large;
  isLarge.set(record, answer);
  return answer;
}

/** Undefined where the record is better copied. */
export function changeLayers<T>(before: Members<T>, changes: readonly MemberChange<T>[]): Members<T> | undefined {
  const { base, different } = layersOf(before);
  if (different.size + changes.length > maxDifferent || !countsAsLarge(base)) return undefined;
  const now = new Map(different);
  for (const { key, now: member } of changes) now.set(key, member);
  const layers = { base, different: now };
  const record = view(layers);
  known.set(record, layers);
  return record;
}

function view<T>(layers: Layers<T>): Members<T> {
  const { base, different } = layers;
  const find = (key: PropertyKey): T | undefined => {
    if (typeof key !== 'string') return undefined;
    if (different.has(key)) return different.get(key);
    return Object.hasOwn(base, key) ? base[key] : undefined;
  };
  const refuse = () => false;
  return new Proxy<Record<string, T>>(
    {},
    {
      get: (target, key) => find(key) ?? Reflect.get(target, key),
      has: (target, key) => find(key) !== undefined || Reflect.has(target, key),
      ownKeys: () => keysOf(layers),
      getOwnPropertyDescriptor(_target, key) {
        const value = find(key);
        return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
      },
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
    },
  );
}

function keysOf<T>({ base, different }: Layers<T>): string[] {
  const kept = Object.keys(base).filter((key) => !different.has(key) || different.get(key) !== undefined);
  const added = [...different].filter(([key, member]) => member !== undefined && !Object.hasOwn(base, key));
  return [...kept, ...added.map(([key]) => key)];
}
