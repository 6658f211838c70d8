/** Plain HTTP/1.1: small answers, larger ones, small bodies. */
import { smallBody, takenBody } from '../lib/backend.mjs';
import { compareCpu } from '../lib/compare.mjs';
import { wrk } from '../lib/load.mjs';

const connections = 64;

export const smallRequest = { path: '/small', answer: smallBody };

export const small = (bench) =>
  compareCpu(bench, {
    what: `small GET, ${connections} connections`,
    door: 'http',
    request: smallRequest,
    load: (subject, seconds) => wrk(subject, 'http', smallRequest, { connections, seconds }),
    bounds: { nginx: { node20: 1.7, current: 1.5 }, caddy: 0.4 },
  });

export function get64k(bench) {
  const request = { path: '/64k', answer: 'a'.repeat(65_536) };
  return compareCpu(bench, {
    what: `GET of 64 KiB, ${connections} connections`,
    door: 'http',
    request,
    load: (subject, seconds) => wrk(subject, 'http', request, { connections, seconds }),
    bounds: {},
  });
}

export function post4k(bench) {
  const bodyBytes = 4_096;
  const request = { path: '/sink', answer: takenBody, method: 'POST', body: Buffer.alloc(bodyBytes, 'x'), bodyBytes };
  return compareCpu(bench, {
    what: `POST of 4 KiB, ${connections} connections`,
    door: 'http',
    request,
    load: (subject, seconds) => wrk(subject, 'http', request, { connections, seconds }),
    bounds: {},
  });
}
