/** What commands print is plain text wherever nobody looks at it. */
import { expect, it } from 'vitest';
import { isColoured } from './output.ts';

const terminal = { isTTY: true };
const file = {};

it.each([
  ['a terminal', terminal, {}, true],
  ['a file', file, {}, false],
  ['a file of a CI job', file, { CI: 'true' }, false],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ['NO_COLOR', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ['an empty NO_COLOR, which asks for nothing', terminal, { NO_COLOR: '' }, true],
  ['FORCE_COLOR', file, { FORCE_COLOR: '1' }, true],
  ['FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
  ['an empty FORCE_COLOR', file, { FORCE_COLOR: '' }, false],
])('decides on colours for %s', (_, stream, env, coloured) => {
  expect(isColoured(stream, env)).toBe(coloured);
});
