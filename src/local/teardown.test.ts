import { expect, it } from 'vitest';
import { createTeardown } from './teardown.ts';

it('closes in reverse, once, and does not stop at what cannot be closed', async () => {
  const teardown = createTeardown();
  const closed: string[] = [];
  teardown.add((left) => closed.push(`first, ${left() > 0 && left() <= 1000}`));
  teardown.add(async () => {
    throw new Error('stuck');
  });
  teardown.add(async () => {
    await new Promise((resume) => setTimeout(resume, 5));
    closed.push('last');
  });
  await expect(teardown.close(1000)).rejects.toThrow('stuck');
  expect(closed).toEqual(['last', 'first, true']);
  await teardown.close(0);
  expect(closed).toHaveLength(2);
});
