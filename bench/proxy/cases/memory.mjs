/** What a route costs in memory, once a request has gone through it. */
import { smallBody } from '../lib/backend.mjs';
import { checkAnswers } from '../lib/check.mjs';
import { residentBytes } from '../lib/figures.mjs';
import { wrk } from '../lib/load.mjs';
import { memoryOf, startOurs } from '../lib/ours.mjs';
import { stop } from '../lib/stage.mjs';

const perHost = 10;
/** Seconds of load at most until every route has been met; wrk goes through them in turn. */
const MOST_PASSES = 30;

export async function memory(bench) {
  const rows = [];
  for (const runtime of bench.runtimes) {
    const one = await held(bench, runtime, { hosts: 1, perHost: 1 });
    for (const routes of bench.short ? [10_000] : [10_000, 50_000]) {
      const many = await held(bench, runtime, { hosts: routes / perHost, perHost });
      rows.push(row(runtime, routes, { one, many }));
    }
  }
  return rows;
}

function row(runtime, routes, { one, many }) {
  const each = (name) => (many[name] - one[name]) / (routes - 1);
  const heap = Math.round(each('heapUsed') + each('external'));
  return {
    ...{ what: `memory per route, ${routes} of them (heap: ${heap})`, on: runtime.name, ours: each('resident') },
    ...{ unit: 'bytes', figure: each('resident'), bound: 10_000, details: { one, many, heap } },
  };
}

/** Memory of a subject with these routes after a request to each and a full collection. */
async function held(bench, runtime, spread) {
  const total = spread.hosts * spread.perHost;
  const request = { path: '/r0/x', host: 'h0.bench.example', answer: smallBody, spread: { ...spread, every: true } };
  const subject = await startOurs(runtime, bench, { routes: spread, flags: ['--expose-gc'] });
  try {
    await checkAnswers(subject, 'http', request);
    await meetAll(subject, request, total);
    const figures = await memoryOf(subject);
    return { ...figures, resident: residentBytes(subject.pid) };
  } finally {
    await stop(subject.child);
  }
}

// Every pass begins at the same place, so one pass has to be long enough for all.
async function meetAll(subject, request, total) {
  for (let seconds = 2; seconds <= MOST_PASSES; seconds *= 2) {
    const { requests } = await wrk(subject, 'http', request, { connections: 64, seconds });
    if (requests >= total + 64) return;
  }
  throw new Error(`${total} routes were not met in ${MOST_PASSES} s`);
}
