/** Conditions that say no say which field is to blame and what would mend it, in one line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { expect, it } from 'vitest';

interface Told {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const folder = join(import.meta.dirname, 'gateway');

/** Conditions at any depth. */
function conditionsIn(value: unknown): Told[] {
  if (typeof value !== 'object' || value === null) return [];
  const { type, status, reason, message } = value as Partial<Told>;
  if (type !== undefined && status !== undefined && reason !== undefined && message !== undefined)
    return [{ type, status, reason, message }];
  return Object.values(value).flatMap(conditionsIn);
}

/** Positive for most, negative for those that name a fault. Other controllers’ types are theirs to word. */
const saysNo = ({ type, status }: Told) =>
  ((type === 'Accepted' || type === 'ResolvedRefs') && status === 'False') ||
  ((type === 'Conflicted' || type === 'PartiallyInvalid') && status === 'True');

const refused = readdirSync(folder)
  .filter((file) => file.endsWith('.out.yaml'))
  .flatMap((file) => conditionsIn(loadAll(readFileSync(join(folder, file), 'utf8'))).map((told) => ({ file, ...told })))
  .filter(saysNo)
  // What other controllers have written has no message.
  .filter(({ message }) => message !== '');

it('there are many', () => expect(refused.length).toBeGreaterThan(100));

/** Of a Gateway in another namespace a ListenerSet is told no more. */
const isKeptBack = ({ reason }: Told) => reason === 'ParentNotAccepted';

it('each names a field and a change', () => {
  const tells = /(?:spec|metadata)[.\w[\]-]*: .*; fix: \S/;
  const silent = refused.filter((told) => !tells.test(told.message) || told.message.includes('\n'));
  expect(silent.filter((told) => !isKeptBack(told))).toEqual([]);
});
