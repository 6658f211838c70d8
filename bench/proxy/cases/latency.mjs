/** The slowest hundredth of answers at half of what can be had. */
import { checkAnswers } from '../lib/check.mjs';
import { inTurn, withSubjects } from '../lib/compare.mjs';
import { median, percentile } from '../lib/figures.mjs';
import { openLoop, wrk } from '../lib/load.mjs';
import { smallRequest } from './traffic.mjs';

const connections = 64;

export const latency = (bench) =>
  withSubjects({ bench, peers: ['nginx'] }, async (subjects) => {
    const peer = subjects.find((subject) => !subject.ours);
    if (!peer) return [];
    const rows = [];
    for (const ours of subjects.filter((subject) => subject.ours)) rows.push(await pair(bench, ours, peer));
    return rows;
  });

async function pair(bench, ours, peer) {
  for (const subject of [ours, peer]) await checkAnswers(subject, 'http', smallRequest);
  const most = [];
  for (const subject of [ours, peer]) {
    await wrk(subject, 'http', smallRequest, { connections, seconds: bench.warmUp });
    most.push((await wrk(subject, 'http', smallRequest, { connections, seconds: bench.seconds })).rate);
  }
  // Both get the same load: half of what the slower one can do.
  const rate = Math.round(Math.min(...most) / 2);
  const seconds = bench.seconds * 2;
  const samples = await inTurn([ours, peer], bench.rounds, (subject) =>
    openLoop(subject, smallRequest, { rate, connections, seconds }),
  );
  const p99 = (subject) => samples.get(subject).map((latencies) => percentile(latencies, 0.99));
  const p50 = (subject) => median(samples.get(subject).map((latencies) => percentile(latencies, 0.5)));
  const ratios = p99(ours).map((one, i) => one / p99(peer)[i]);
  return {
    ...{ what: `p99 at ${rate} requests a second`, on: ours.name, ours: median(p99(ours)), peer: peer.name },
    ...{ theirs: median(p99(peer)), unit: 'µs', figure: median(ratios), bound: 2 },
    ...{
      spread: [Math.min(...ratios), Math.max(...ratios)],
      details: { most, p50: { ours: p50(ours), peer: p50(peer) } },
    },
  };
}
