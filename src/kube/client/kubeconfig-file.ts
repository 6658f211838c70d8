/** kubeconfig files as they are written: entries by name with their places, several files laid over each other. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { offsetOfPath, readYaml } from '../manifests/yaml.ts';
import type { ConfigError } from './config.ts';

export type FieldPath = readonly (string | number)[];

/** A mapping in a kubeconfig file. Its readers fail with the place of what they do not like. */
export interface Entry {
  readonly file: string;
  /** Folder that relative paths of this file are relative to. */
  readonly folder: string;
  fail(field: string, problem: string): Result<never, ConfigError>;
  /** A string; absent and empty are the same. */
  text(field: string): Result<string | undefined, ConfigError>;
  flag(field: string): Result<boolean, ConfigError>;
  /** Whatever is there. */
  raw(field: string): unknown;
  /** A mapping inside. */
  entry(field: string): Result<Entry | undefined, ConfigError>;
  /** A sequence of strings. */
  texts(field: string): Result<readonly string[], ConfigError>;
  /** A sequence of mappings. */
  entries(field: string): Result<readonly Entry[], ConfigError>;
}

export type Section = 'clusters' | 'users' | 'contexts';

export interface Kubeconfig {
  readonly currentContext: string | undefined;
  /** The inner mapping (`cluster`, `user`, `context`) of a named entry. */
  find(section: Section, name: string): Entry | undefined;
  names(section: Section): string[];
  readonly files: readonly string[];
}

type Values<T> = { [K in keyof T]: T[K] extends Result<infer V, ConfigError> ? V : never };

/** Several readings as one: all values, or the first fault. */
export function together<T extends Record<string, Result<unknown, ConfigError>>>(
  reads: T,
): Result<Values<T>, ConfigError> {
  const values: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(reads)) {
    if (!read.ok) return read;
    values[name] = read.value;
  }
  return ok(values as Values<T>);
}

const showPath = (path: FieldPath) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function createEntry(file: string, source: string, value: Record<string, unknown>, path: FieldPath): Entry {
  const at = (more: FieldPath, problem: string): Result<never, ConfigError> => {
    const whole = [...path, ...more];
    const line = source.slice(0, offsetOfPath(source, whole)).split('\n').length;
    const field = showPath(whole);
    return err({ message: `${file}:${line}: ${field}: ${problem}`, file, line, field });
  };
  const inner = (item: Record<string, unknown>, more: FieldPath) => createEntry(file, source, item, [...path, ...more]);
  const self: Entry = {
    file,
    folder: dirname(file),
    fail: (field, problem) => at([field], problem),
    raw: (field) => value[field],
    text(field) {
      const found = value[field] ?? '';
      return typeof found === 'string' ? ok(found || undefined) : at([field], 'must be a string');
    },
    flag(field) {
      const found = value[field] ?? false;
      return typeof found === 'boolean' ? ok(found) : at([field], 'must be true or false');
    },
    entry(field) {
      const found = value[field] ?? undefined;
      if (found === undefined) return ok(undefined);
      return isMapping(found) ? ok(inner(found, [field])) : at([field], 'must be a mapping');
    },
    texts(field) {
      const found = value[field] ?? [];
      if (!Array.isArray(found)) return at([field], 'must be a list');
      const wrong = found.findIndex((item) => typeof item !== 'string');
      return wrong < 0 ? ok(found as string[]) : at([field, wrong], 'must be a string');
    },
    entries(field) {
      const found = value[field] ?? [];
      if (!Array.isArray(found)) return at([field], 'must be a list');
      const wrong = found.findIndex((item) => !isMapping(item));
      return wrong < 0 ? ok(found.map((item, i) => inner(item, [field, i]))) : at([field, wrong], 'must be a mapping');
    },
  };
  return self;
}

function readFile(file: string): Result<Entry, ConfigError> {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    return err({ message: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, file });
  }
  const read = readYaml(source);
  if ('fault' in read) {
    const line = source.slice(0, read.fault.offset).split('\n').length;
    return err({ message: `${file}:${line}: ${read.fault.message}`, file, line });
  }
  const value = read.value ?? {};
  return isMapping(value)
    ? ok(createEntry(file, source, value, []))
    : err({ message: `${file}: is no kubeconfig`, file });
}

const innerName: Record<Section, string> = { clusters: 'cluster', users: 'user', contexts: 'context' };

/** The named entries of one section. An empty inner mapping (`user: {}`, `user:`) is one without fields. */
function readSection(root: Entry, section: Section): Result<Map<string, Entry>, ConfigError> {
  const found = new Map<string, Entry>();
  const items = root.entries(section);
  if (!items.ok) return items;
  for (const item of items.value) {
    const name = item.text('name');
    if (!name.ok) return name;
    if (name.value === undefined) return item.fail('name', 'is missing');
    const inner = item.entry(innerName[section]);
    if (!inner.ok) return inner;
    // As kubectl reads it: of two entries of one name in a file, the first counts.
    if (!found.has(name.value)) found.set(name.value, inner.value ?? createEntry(item.file, '', {}, []));
  }
  return ok(found);
}

const sections = ['clusters', 'users', 'contexts'] as const;

/**
 * Files in order of precedence: the first to name an entry or the current context wins, entries are never mixed.
 * Files that do not exist are passed over as long as one is there (`KUBECONFIG` with several files).
 */
export function readKubeconfigFiles(files: readonly string[]): Result<Kubeconfig, ConfigError> {
  const present = files.length === 1 ? files : files.filter((file) => existsSync(file));
  if (present.length === 0) return err({ message: `there is no kubeconfig at ${files.join(', ') || 'any place'}` });
  const merged: Record<Section, Map<string, Entry>> = { clusters: new Map(), users: new Map(), contexts: new Map() };
  let currentContext: string | undefined;
  for (const file of present) {
    const root = readFile(file);
    if (!root.ok) return root;
    const current = root.value.text('current-context');
    if (!current.ok) return current;
    currentContext ??= current.value;
    for (const section of sections) {
      const read = readSection(root.value, section);
      if (!read.ok) return read;
      for (const [name, entry] of read.value) if (!merged[section].has(name)) merged[section].set(name, entry);
    }
  }
  return ok({
    currentContext,
    find: (section, name) => merged[section].get(name),
    names: (section) => [...merged[section].keys()],
    files: present,
  });
}
