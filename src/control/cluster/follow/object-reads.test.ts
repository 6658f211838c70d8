/** Reads by name: how many at once, and what becomes of those that fail. */
import { expect, it, onTestFinished } from 'vitest';
import { createObjectReads, type ObjectReadsOptions } from './object-reads.ts';
import { openSecretsApi, refusal, short } from './testing.ts';

async function setUp(more: Partial<ObjectReadsOptions> = {}) {
  const { api, options } = await openSecretsApi();
  const read: string[] = [];
  const failures: (number | undefined)[] = [];
  const reads = createObjectReads({
    ...{ client: options.client, resource: options.resource, backoff: options.tuning.backoff, isOpen: () => true },
    onRead(key, object) {
      read.push(`${key} ${object ? 'is there' : 'is missing'}`);
      return 'good';
    },
    onError: ({ code }) => failures.push(code),
    ...more,
  });
  onTestFinished(() => reads.stop());
  return { api, reads, read, failures };
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await new Promise((resume) => setTimeout(resume, 5));
  expect(holds()).toBe(true);
}

it('has so many under way at once, and no more', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => warnings.push(message);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const { api, reads, read } = await setUp({ atOnce: 16 });
  api.answer = () => new Promise((resolve) => setTimeout(resolve, 20, undefined));
  for (let i = 0; i < 50; i++) reads.want(`shop/s${i}`);
  await until(() => read.length === 50);
  expect(api.most).toBe(16);
  // Such as of a leak, for the many who listen for the stop.
  expect(warnings).toEqual([]);
});

it('takes what is not there for an answer', async () => {
  const { api, reads, read, failures } = await setUp();
  api.put('there', 'text');
  reads.want('shop/there');
  reads.want('shop/missing');
  await until(() => read.length === 2);
  expect(read.sort()).toEqual(['shop/missing is missing', 'shop/there is there']);
  expect(failures).toEqual([]);
});

it('tries again what nobody answers, and holds back the others meanwhile', async () => {
  const { api, reads, read, failures } = await setUp({ atOnce: 1, backoff: { baseMs: 60_000, maxMs: 60_000 } });
  let isAway = true;
  api.answer = () => (isAway ? refusal(503, 'ServiceUnavailable') : undefined);
  for (const name of ['one', 'two']) reads.want(`shop/${name}`);
  await until(() => failures.length === 1);
  expect([reads.state, reads.error?.code, api.asked.map(short)]).toEqual(['waiting', 503, ['get one']]);
  isAway = false;
  reads.hurry();
  await until(() => read.length === 2);
  expect([reads.state, reads.error]).toEqual(['watching', undefined]);
});

it('has nothing to report of what is not wanted any more', async () => {
  const { api, reads, failures } = await setUp({ backoff: { baseMs: 60_000, maxMs: 60_000 } });
  api.answer = () => refusal(503, 'ServiceUnavailable');
  reads.want('shop/one');
  await until(() => failures.length === 1);
  expect(reads.error?.code).toBe(503);
  reads.forget('shop/one');
  expect(reads.error).toBeUndefined();
});

it('shows what is refused, tries it again, and goes on with others', async () => {
  const { api, reads, read, failures } = await setUp();
  for (const name of ['open', 'shut']) api.put(name, 'text');
  let isShut = true;
  api.answer = ({ name }) => (name === 'shut' && isShut ? refusal(403, 'Forbidden') : undefined);
  for (const name of ['shut', 'open']) reads.want(`shop/${name}`);
  await until(() => failures.length > 2);
  expect([read, reads.error?.code, reads.state]).toEqual([['shop/open is there'], 403, 'watching']);
  isShut = false;
  await until(() => read.length === 2);
  expect(reads.error).toBeUndefined();
});

it('does not take another object for an answer', async () => {
  const { api, reads, read, failures } = await setUp();
  api.put('other', 'text');
  api.answer = ({ name }) => (name === 'one' ? [200, api.get('other')!] : undefined);
  reads.want('shop/one');
  await until(() => failures.length > 1);
  expect([read, reads.error?.kind]).toEqual([[], 'malformed']);
  reads.forget('shop/one');
  expect(reads.error).toBeUndefined();
});

it('begins when it may', async () => {
  let isOpen = false;
  const { api, reads, read } = await setUp({ isOpen: () => isOpen });
  reads.want('shop/one');
  reads.want('shop/two');
  reads.forget('shop/two');
  expect(api.asked).toEqual([]);
  isOpen = true;
  reads.pump();
  await until(() => read.length === 1);
  expect(api.asked.map(short)).toEqual(['get one']);
});
