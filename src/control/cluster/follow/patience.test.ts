import { expect, it } from 'vitest';
import { systemTiming } from '../../../kube/client/timing.ts';
import { createPatience } from './patience.ts';

const turns = async (count = 3) => {
  for (let i = 0; i < count; i++) await new Promise((resume) => setImmediate(resume));
};

/** A clock that goes only when it is told to. */
function setUp(mostWaits?: number) {
  let now = 0;
  const sleepers = new Set<{ until: number; wake(): void }>();
  const timing = {
    ...systemTiming,
    monotonic: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const patience = createPatience({ timing, waitMs: 100, ...(mostWaits !== undefined && { mostWaits }) });
  const settled: string[] = [];
  return {
    patience,
    settled,
    ask(name: string): () => void {
      let tell = () => {};
      const answer = new Promise<void>((resolve) => {
        tell = resolve;
      });
      void patience.wait(answer).then(() => settled.push(name));
      return tell;
    },
    /** Nobody else has a turn meanwhile. */
    keepBusy(ms: number) {
      now += ms;
    },
    async pass(ms: number) {
      await turns();
      now += ms;
      for (const { until, wake } of sleepers) if (until <= now) wake();
      await turns();
    },
  };
}

it('gives up what is not answered in time', async () => {
  const { ask, pass, settled } = setUp();
  ask('one');
  await pass(99);
  ask('two');
  expect(settled).toEqual([]);
  await pass(1);
  expect(settled).toEqual(['one']);
  await pass(99);
  expect(settled).toEqual(['one', 'two']);
});

it('waits longer while others are answered, and not for ever', async () => {
  const { ask, pass, settled } = setUp(3);
  const answers = ['a', 'b', 'c', 'd'].map(ask);
  ask('never');
  for (const answer of answers.slice(0, 3)) {
    await pass(80);
    answer();
  }
  await turns();
  expect(settled).toEqual(['a', 'b', 'c']);
  await pass(59);
  expect(settled).toEqual(['a', 'b', 'c']);
  await pass(1);
  expect(settled.slice(3).sort()).toEqual(['d', 'never']);
});

it('does not count the time for which whoever asks is busy', async () => {
  const { ask, pass, keepBusy, settled, patience } = setUp();
  ask('one');
  keepBusy(500);
  await pass(99);
  expect(settled).toEqual([]);
  patience.stop();
  await turns();
  expect(settled).toEqual(['one']);
});
