/** What a connection costs that stays open after one request. */
import { checkAnswers } from '../lib/check.mjs';
import { withSubjects } from '../lib/compare.mjs';
import { residentBytes } from '../lib/figures.mjs';
import { holdIdle } from '../lib/idle-clients.mjs';
import { wrk } from '../lib/load.mjs';
import { pause } from '../lib/stage.mjs';
import { smallRequest } from './traffic.mjs';

const connections = 10_000;

export const idle = (bench) =>
  withSubjects({ bench, peers: ['nginx'] }, async (subjects) => {
    const rows = [];
    for (const subject of subjects) rows.push({ subject, each: await growth(bench, subject) });
    return rows.map(({ subject, each }) => ({
      ...{ what: `${connections} idle connections: resident memory each`, on: subject.ours ? subject.name : '-' },
      ...(subject.ours ? { ours: each, figure: each, bound: 25_000 } : { peer: subject.name, theirs: each }),
      unit: 'bytes',
    }));
  });

async function growth(bench, subject) {
  await checkAnswers(subject, 'http', smallRequest);
  await wrk(subject, 'http', smallRequest, { connections: 64, seconds: bench.warmUp });
  // Longer than connections to backends stay.
  const rest = bench.short ? 1_000 : 5_000;
  await pause(rest);
  const before = residentBytes(subject.pid);
  const held = await holdIdle(subject.ports.http, smallRequest, connections);
  try {
    await pause(rest);
    if (held.lost() > 0) throw new Error(`${subject.name} closed ${held.lost()} idle connections`);
    return (residentBytes(subject.pid) - before) / connections;
  } finally {
    await held.close();
  }
}
