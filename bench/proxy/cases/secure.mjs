/** TLS: requests on connections that stay, and connections that come for one request each. */
import { compareCpu } from '../lib/compare.mjs';
import { h2load, wrk } from '../lib/load.mjs';
import { smallRequest } from './traffic.mjs';

export const https = (bench) =>
  compareCpu(bench, {
    what: 'HTTPS keep-alive, small GET, 64 connections',
    door: 'https',
    request: smallRequest,
    load: (subject, seconds) => wrk(subject, 'https', smallRequest, { connections: 64, seconds }),
    bounds: { nginx: { node20: 1.6, current: 1.5 } },
  });

/** Connections of each tick of h2load's clock; far below what any of the proxies can take. */
const perTick = 8;
const tickMs = 20;

// h2load makes a new TLS session for each connection and shows no ticket, so every handshake is a full one.
export const handshake = (bench) =>
  compareCpu(bench, {
    what: `full handshakes (TLS 1.3, P-256), ${(perTick * 1_000) / tickMs} a second, each with one small GET`,
    door: 'https',
    request: smallRequest,
    load(subject, seconds) {
      const count = Math.round((seconds * 1_000 * perTick) / tickMs);
      const pace = [`-n${count}`, `-c${count}`, `-r${perTick}`, `--rate-period=${tickMs}ms`];
      return h2load(subject, 'https', smallRequest, pace, seconds);
    },
    bounds: { nginx: { node20: 1.7, current: 1.5 } },
    // A few hundred a second: it takes longer until what runs for each is compiled.
    warmUp: bench.warmUp * 2,
  });
