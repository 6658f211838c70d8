/** The form of a row in the table of annotations, and the words that rows are made with. */
import type { ValueReader } from './values.ts';

/**
 * `works`: as ingress-nginx does. `differs`: it is followed, and `note` says what is not the same. `ignored`: there is
 * nothing here that it could change. `refused`: it cannot be had; `note` says what to use instead.
 */
export type Verdict = 'works' | 'differs' | 'ignored' | 'refused';

export interface NginxAnnotation<T> extends ValueReader<T> {
  readonly verdict: Verdict;
  /** What it is said of: the paths of its Ingress, the whole host, or the Ingress itself. */
  readonly scope: 'location' | 'server' | 'ingress';
  /** Somebody relies on it to keep requests out: without it, the location answers 503. */
  readonly protects: boolean;
  /** What is not the same, or why there is nothing, and what to use instead. Markdown, one sentence or a few. */
  readonly note?: string;
  /** Whether a difference that `note` states is one for this value, which is followed. Absent: for every value. */
  readonly concerns?: (value: unknown) => boolean;
  /** In force without it, as ingress-nginx documents it. */
  readonly without?: string;
  /** Without these it means nothing. Any one of them is enough. */
  readonly of?: readonly string[];
  /** Another name of this one, which goes before it. */
  readonly alias?: string;
  /** An empty value is a value, and none that is right; of others it is the same as no annotation. */
  readonly emptyIsWrong?: true;
}

type Extras = Partial<Omit<NginxAnnotation<unknown>, 'read' | 'expected' | 'verdict'>>;

function row<T>(verdict: Verdict, reader: ValueReader<T>, extras: Extras): NginxAnnotation<T> {
  return { ...reader, verdict, scope: 'location', protects: false, ...extras };
}

export const works = <T>(reader: ValueReader<T>, without?: string, extras: Extras = {}): NginxAnnotation<T> =>
  row('works', reader, { ...(without !== undefined && { without }), ...extras });

export const differs = <T>(
  reader: ValueReader<T>,
  note: string,
  without?: string,
  extras: Extras = {},
): NginxAnnotation<T> => row('differs', reader, { note, ...(without !== undefined && { without }), ...extras });

export const ignored = <T>(reader: ValueReader<T>, note: string, extras: Extras = {}): NginxAnnotation<T> =>
  row('ignored', reader, { note, ...extras });

export const refused = <T>(reader: ValueReader<T>, note: string, extras: Extras = {}): NginxAnnotation<T> =>
  row('refused', reader, { note, ...extras });

/** For rows whose difference is one of some values alone. */
export const only = (...values: readonly unknown[]): Extras => ({ concerns: (value) => values.includes(value) });

/** For rows whose difference is what is refused: a value that is followed is followed as ingress-nginx does. */
export const refusalsOnly: Extras = { concerns: () => false };

/** For rows that keep requests out. */
export const guarding: Extras = { protects: true };
