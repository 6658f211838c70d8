/** Secrets followed by watches of their own, and by the names of all: what is read, and that nothing else is. */
import { expect, it, onTestFinished } from 'vitest';
import { createMetricsRegistry } from '../../../base/metrics.ts';
import type { ApiError } from '../../../kube/client/api-error.ts';
import { createReflectorExposition } from '../../../kube/client/reflector-exposition.ts';
import type { Secret } from '../../../kube/types/index.ts';
import { type BoundedOptions, createBoundedFollower } from './bounded.ts';
import { openSecretsApi, refusal, short } from './testing.ts';

async function setUp(more: Partial<BoundedOptions> = { ownWatches: 0 }) {
  const { api, options } = await openSecretsApi();
  const { store } = options;
  const errors: ApiError[] = [];
  const follower = createBoundedFollower({ ...options, ...more, onError: (error) => errors.push(error) });
  onTestFinished(() => follower.stop());
  for (const name of ['one', 'two', 'three']) api.put(name, 'first');
  const text = (name: string) => store.get<Secret>('secrets', `shop/${name}`)?.data?.['text'];
  const texts = () =>
    store
      .list<Secret>('secrets')
      .map(({ metadata, data }) => `${metadata.name} ${data?.['text']}`)
      .sort();
  const follow = (...names: string[]) => names.map((name) => follower.follow(`shop/${name}`));
  const reads = () => api.asked.filter(({ isWhole }) => isWhole).map(short);
  return { api, store, follower, errors, text, texts, follow, reads, asked: () => api.asked.map(short) };
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await new Promise((resume) => setTimeout(resume, 5));
  expect(holds()).toBe(true);
}

it('reads only what is followed: by names, one watch for all', async () => {
  const { api, follow, texts, asked } = await setUp();
  const answers = follow('one', 'two', 'missing').map(({ answered }) => answered);
  expect(await Promise.all(answers)).toEqual([true, true, true]);
  await until(() => api.watches.length === 1);
  expect(asked().sort()).toEqual(['get missing', 'get one', 'get two', 'list all names', 'watch all names']);
  expect(texts()).toEqual(['one first', 'two first']);
  for (const name of ['three', 'four']) api.put(name, 'nobody asked');
  api.put('one', 'second');
  await until(() => texts()[0] === 'one second');
  expect(asked().filter((line) => /three|four/.test(line))).toEqual([]);
  expect(texts()).toEqual(['one second', 'two first']);
});

it('notices what changes, goes and comes', async () => {
  const { api, follow, text } = await setUp();
  await Promise.all(follow('one', 'new').map(({ answered }) => answered));
  await until(() => api.watches.length === 1);
  api.remove('one');
  await until(() => text('one') === undefined);
  api.put('one', 'again');
  api.put('new', 'came');
  await until(() => text('one') === 'again' && text('new') === 'came');
  api.put('one', 'changed');
  await until(() => text('one') === 'changed');
});

it('gives few a watch of their own, and those beyond the bound none', async () => {
  const { api, follow, texts, asked } = await setUp({ ownWatches: 2 });
  await Promise.all(follow('one', 'two').map(({ answered }) => answered));
  await until(() => api.watches.length === 2);
  expect(asked().sort()).toEqual(['list one', 'list two', 'watch one', 'watch two']);
  await Promise.all(follow('three').map(({ answered }) => answered));
  await until(() => api.watches.length === 3);
  expect(asked().slice(4).sort()).toEqual(['get three', 'list all names', 'watch all names']);
  for (const name of ['one', 'three']) api.put(name, 'second');
  await until(() => texts().join() === 'one second,three second,two first');
});

it('goes on with watches of their own where names may not be listed', async () => {
  const { api, follow, follower, texts, errors, asked } = await setUp({ ownWatches: 1 });
  api.answer = ({ verb, name }) => (verb === 'get' || name === undefined ? refusal(403, 'Forbidden') : undefined);
  const followed = follow('one', 'two', 'missing');
  expect(await Promise.all(followed.map(({ answered }) => answered))).toEqual([true, true, true]);
  await Promise.all(follow('three').map(({ answered }) => answered));
  await until(() => api.watches.length === 4);
  expect(asked().filter((line) => /all|get/.test(line))).toEqual(['list all names']);
  expect(errors).toEqual([]);
  expect(follower.readers.flatMap(({ error }) => error ?? [])).toEqual([]);
  api.put('two', 'second');
  await until(() => texts().join() === 'one first,three first,two second');
  followed[1]!.release();
  expect(texts()).toEqual(['one first', 'three first']);
  await until(() => api.watches.length === 3);
});

it('catches up with what happened while no watch was open', async () => {
  const { api, follow, texts, asked } = await setUp();
  await Promise.all(follow('one', 'two').map(({ answered }) => answered));
  await until(() => api.watches.length === 1);
  // Between two lists, and without a word of either: nobody but a read has seen it.
  api.answer = ({ verb }) => (verb === 'watch' ? refusal(500, 'InternalError') : undefined);
  api.end(500, 'InternalError');
  api.put('short', 'life');
  await Promise.all(follow('short').map(({ answered }) => answered));
  expect(texts()).toContain('short life');
  for (const name of ['short', 'two']) api.remove(name);
  api.put('one', 'second');
  api.answer = ({ verb }) => (verb === 'watch' ? refusal(410, 'Expired') : undefined);
  await until(() => texts().join() === 'one second');
  api.answer = () => undefined;
  await until(() => api.watches.length === 1);
  expect(asked().filter((line) => line === 'list all names').length).toBeGreaterThan(1);
  expect(asked().filter((line) => /three/.test(line))).toEqual([]);
});

it('reports a refusal after names could be listed, and goes on when it is over', async () => {
  const { api, follow, follower, text, errors } = await setUp();
  await Promise.all(follow('one').map(({ answered }) => answered));
  await until(() => api.watches.length === 1);
  api.answer = ({ verb }) => (verb === 'watch' ? refusal(403, 'Forbidden') : undefined);
  api.end(403, 'Forbidden');
  await until(() => errors.length > 1);
  expect(follower.readers.map(({ error }) => error?.code)).toEqual([403, undefined]);
  api.put('one', 'second');
  api.answer = ({ verb }) => (verb === 'watch' ? refusal(410, 'Expired') : undefined);
  await until(() => text('one') === 'second');
  api.answer = () => undefined;
  await until(() => follower.readers.every(({ error }) => error === undefined));
});

it('lets go: data leaves, and is not read again', async () => {
  const { api, follow, follower, texts, reads } = await setUp();
  const followed = follow('one', 'two');
  await Promise.all(followed.map(({ answered }) => answered));
  await until(() => api.watches.length === 1);
  followed[0]!.release();
  expect([texts(), follower.size]).toEqual([['two first'], 1]);
  for (const name of ['one', 'two']) api.put(name, 'second');
  await until(() => texts().join() === 'two second');
  expect(reads().filter((line) => line === 'get one')).toHaveLength(1);
  const [again] = follow('one');
  expect(await again!.answered).toBe(true);
  expect(texts()).toEqual(['one second', 'two second']);
});

it('does not put into the store what was let go while it was read', async () => {
  const { api, follow, texts, reads } = await setUp();
  let release = () => {};
  const held = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  api.answer = ({ name }) => (name === 'one' ? held : undefined);
  const [one, two] = follow('one', 'two');
  await two!.answered;
  await until(() => reads().includes('get one'));
  one!.release();
  expect(await one!.answered).toBe(false);
  release();
  await until(() => api.watches.length === 1);
  api.put('two', 'second');
  await until(() => texts().join() === 'two second');
});

it('reads again what is older than the watch has told of', async () => {
  const { api, follow, text, reads } = await setUp();
  await Promise.all(follow('one').map(({ answered }) => answered));
  await until(() => api.watches.length === 1);
  const old = api.get('one')!;
  let left = 3;
  api.answer = ({ verb }) => (verb === 'get' && left-- > 0 ? [200, old] : undefined);
  api.put('one', 'second');
  await until(() => text('one') === 'second');
  expect(reads().filter((line) => line === 'get one')).toHaveLength(5);
});

it('reads again what has changed while it was read', async () => {
  const { api, follow, text } = await setUp();
  let isFirst = true;
  api.answer = ({ verb }) => {
    if (verb !== 'get' || !isFirst) return undefined;
    isFirst = false;
    const old = api.get('one')!;
    // The news comes before the answer.
    return until(() => api.watches.length === 1).then(async () => {
      api.put('one', 'second');
      await new Promise((resume) => setTimeout(resume, 20));
      return [200, old] as const;
    });
  };
  await Promise.all(follow('one').map(({ answered }) => answered));
  expect(text('one')).toBe('second');
});

it('shows figures of both, as long as they are followed', async () => {
  const metrics = createMetricsRegistry();
  const exposition = createReflectorExposition(metrics);
  const { api, follow } = await setUp({ ownWatches: 1, expose: exposition.add });
  const followed = follow('one', 'two', 'missing');
  await Promise.all(followed.map(({ answered }) => answered));
  await until(() => api.watches.length === 2);
  expect(metrics.expose()).toContain('fairway_kubernetes_objects{resource="secrets"} 2');
  expect(metrics.expose()).toContain('fairway_kubernetes_objects{resource="secrets/names"} 3');
  expect(metrics.expose()).toContain('fairway_kubernetes_watches_total{resource="secrets"} 1');
  followed[0]!.release();
  expect(metrics.expose()).toContain('fairway_kubernetes_objects{resource="secrets"} 1');
});
