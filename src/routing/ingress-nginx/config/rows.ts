/** The form of a row in the table of keys of the ConfigMap, and the words that rows are made with. */
import type { Verdict } from '../annotations/entry.ts';
import { anyText, commas, type ValueReader } from '../annotations/values.ts';
import type { GlobalAuth, NginxConfig } from './config.ts';
import type { LogDraft } from './log-format.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is being read: the values so far, and those that only mean something together. */
export interface Draft {
  readonly config: Mutable<NginxConfig>;
  readonly auth: Partial<Mutable<GlobalAuth>>;
  readonly gzip: { on: boolean; level: number; minBytes: number; types: readonly string[] };
  readonly brotli: { on: boolean; level: number; minBytes: number; types: readonly string[] };
  /** `enable-real-ip`, `proxy-real-ip-cidr`. */
  readonly proxies: { realIp: boolean; cidrs: readonly string[] };
  readonly log: LogDraft;
  /** What is not followed of values that are. */
  readonly remarks: { readonly key: string; readonly message: string }[];
  /** Data of another ConfigMap, by `namespace/name`. */
  readonly find: (key: string) => Readonly<Record<string, string>> | undefined;
}

export interface ConfigRow {
  readonly verdict: Verdict;
  readonly expected: string;
  /** What is not the same, why it changes nothing, or what to use instead. Markdown. */
  readonly note?: string;
  /** Somebody relies on it to keep requests out. */
  readonly protects?: true;
  /** Puts the value in its place; a text says why it cannot be honoured, false that it is no value. */
  readonly take?: (draft: Draft, text: string) => boolean | string;
}

/** A value that goes somewhere. */
export function put<T>(reader: ValueReader<T>, into: (draft: Draft, value: T) => void, note?: string): ConfigRow {
  return {
    verdict: note === undefined ? 'works' : 'differs',
    expected: reader.expected,
    ...(note !== undefined && { note }),
    take(draft, text) {
      const value = reader.read(text);
      if (value === undefined) return false;
      into(draft, value);
      return true;
    },
  };
}

type Keys<T> = { [Key in keyof NginxConfig]-?: T extends NginxConfig[Key] ? Key : never }[keyof NginxConfig];

export const field = <T>(reader: ValueReader<T>, key: Keys<T>, note?: string): ConfigRow =>
  put(reader, ({ config }, value) => Object.assign(config, { [key as string]: value }), note);

export const ignored = (note: string): ConfigRow => ({ verdict: 'ignored', expected: anyText.expected, note });
export const refused = (note: string): ConfigRow => ({ verdict: 'refused', expected: anyText.expected, note });
export const guarding = (row: ConfigRow): ConfigRow => ({ ...row, protects: true });

export const texts = commas((item) => item, 'texts with commas between them');
