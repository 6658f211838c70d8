/** HTTP/2 in front, HTTP/1.1 behind: 16 connections with 16 streams each. */
import { compareCpu } from '../lib/compare.mjs';
import { h2load } from '../lib/load.mjs';
import { smallRequest } from './traffic.mjs';

const load = (door) => (subject, seconds) =>
  h2load(subject, door, smallRequest, ['-c16', '-m16', `-D${seconds}`], seconds);

export async function h2(bench) {
  const common = { request: smallRequest, bounds: { nginx: 1.7 } };
  const plain = await compareCpu(bench, {
    ...common,
    what: 'h2c, 16 x 16 streams, small GET',
    door: 'h2c',
    load: load('h2c'),
  });
  const secure = await compareCpu(bench, {
    ...common,
    what: 'h2 over TLS, 16 x 16 streams',
    door: 'h2',
    load: load('h2'),
  });
  return [...plain, ...secure];
}
