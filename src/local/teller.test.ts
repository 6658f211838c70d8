import { expect, it } from 'vitest';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { createTeller } from './teller.ts';

it('tells what is new, and again what comes back', () => {
  const said: string[] = [];
  const teller = createTeller(({ message }: Diagnostic) => said.push(message));
  const [a, b] = [diagnostic('FW1003', { message: 'a' }), diagnostic('FW1003', { message: 'b' })];
  teller.remember([a]);
  teller.tell([a, b]);
  teller.tell([a, b]);
  expect(said).toEqual(['b']);
  teller.tell([]);
  teller.tell([a]);
  expect(said).toEqual(['b', 'a']);
});
