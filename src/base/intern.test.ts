import { expect, it } from 'vitest';
import { intern } from './intern.ts';

it('gives back equal texts, those put together from parts too', () => {
  const first = intern(['spec.rules[', '3', ']'].join(''));
  expect(intern(`spec.rules[${1 + 2}]`)).toBe(first);
  expect(first).toBe('spec.rules[3]');
});

it('stays right beyond what it keeps', () => {
  for (let n = 0; n < 140_000; n++) if (intern(`text ${n}`) !== `text ${n}`) expect.fail(`text ${n}`);
  expect(intern('text 1')).toBe('text 1');
});
