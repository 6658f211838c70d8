import { expect, it } from 'vitest';
import { createLater } from './later.ts';

it('has at another look what was asked for too early, made once', async () => {
  let count = 0;
  const later = createLater(
    async ({ name }: { name: string }) => `${name}${++count}`,
    (error) => expect.fail(String(error)),
  );
  const [a, b] = [{ name: 'a' }, { name: 'b' }];
  expect(later.awaited()).toBeUndefined();
  expect([later.of(a), later.of(b), later.of(a)]).toEqual([undefined, undefined, undefined]);
  await later.awaited();
  expect([later.of(a), later.of(b), later.of(a), count]).toEqual(['a1', 'b2', 'a1', 2]);
  expect(later.awaited()).toBeUndefined();
});

it('does not try again what could not be made, so that looks come to an end', async () => {
  const errors: unknown[] = [];
  const refuse = () => {
    throw new Error('no');
  };
  const later = createLater(refuse, (error) => errors.push(error));
  const key = {};
  for (let looks = 0; looks < 3; looks++) {
    expect(later.of(key)).toBeUndefined();
    await later.awaited();
  }
  expect(later.awaited()).toBeUndefined();
  expect(errors).toEqual([new Error('no')]);
});
