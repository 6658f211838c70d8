/** What metrics and an access log cost: ours with them beside ours without. */
import { checkAnswers } from '../lib/check.mjs';
import { costOf, inTurn } from '../lib/compare.mjs';
import { median } from '../lib/figures.mjs';
import { wrk } from '../lib/load.mjs';
import { startOurs } from '../lib/ours.mjs';
import { stop } from '../lib/stage.mjs';
import { smallRequest } from './traffic.mjs';

const kinds = [[], ['metrics'], ['json'], ['combined'], ['nginx']];

export async function telemetry(bench) {
  const runtime = bench.runtimes[0];
  const subjects = [];
  try {
    for (const kind of kinds)
      subjects.push({ ...(await startOurs(runtime, bench, { telemetry: kind })), kind: kind[0] });
    for (const subject of subjects) await checkAnswers(subject, 'http', smallRequest);
    const load = (seconds) => (subject) => wrk(subject, 'http', smallRequest, { connections: 64, seconds });
    for (const subject of subjects) await load(bench.warmUp)(subject);
    const samples = await inTurn(subjects, bench.rounds, (subject) => costOf(subject, load(bench.seconds)));
    const [none, ...others] = subjects.map((subject) => samples.get(subject).map(({ cost }) => cost));
    return others.map((costs, i) => row(runtime, subjects[i + 1].kind, { costs, none }));
  } finally {
    await Promise.all(subjects.map(({ child }) => stop(child)));
  }
}

function row(runtime, kind, { costs, none }) {
  const ratios = costs.map((cost, i) => cost / none[i]);
  const what = kind === 'metrics' ? 'small GET with metrics' : `small GET with an access log, ${kind}`;
  return {
    ...{ what, on: runtime.name, ours: median(costs), peer: 'without', theirs: median(none), unit: 'µs' },
    ...{ figure: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)] },
    ...(kind === 'metrics' && { bound: 1.05 }),
  };
}
