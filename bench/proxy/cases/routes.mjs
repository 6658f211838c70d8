/** What many routes cost a request: ours with one route against ours with 10,000 hosts of 10. */
import { smallBody } from '../lib/backend.mjs';
import { checkAnswers } from '../lib/check.mjs';
import { costOf, inTurn } from '../lib/compare.mjs';
import { median } from '../lib/figures.mjs';
import { wrk } from '../lib/load.mjs';
import { startOurs } from '../lib/ours.mjs';
import { stop } from '../lib/stage.mjs';

/** Both get the same requests, one after the other for each of the hosts; the first has one route that takes them all. */
const hosts = 10_000;
const plans = [undefined, { hosts, perHost: 10 }];

const request = {
  path: '/r9/x',
  host: `h${hosts - 1}.bench.example`,
  answer: smallBody,
  spread: { hosts, perHost: 10, every: false },
};

export async function routes(bench) {
  const rows = [];
  for (const runtime of bench.runtimes) rows.push(await oneRuntime(bench, runtime));
  return rows;
}

async function oneRuntime(bench, runtime) {
  const subjects = [];
  try {
    for (const plan of plans) subjects.push(await startOurs(runtime, bench, { routes: plan }));
    for (const subject of subjects) await checkAnswers(subject, 'http', request);
    const load = (seconds) => (subject) => wrk(subject, 'http', request, { connections: 64, seconds });
    // A route is compiled at its first request.
    for (const subject of subjects) await load(bench.warmUp + 2)(subject);
    // Few percent are looked for, which a round of a second cannot show; pairs of rounds in turn can.
    const samples = await inTurn(subjects, bench.short ? 1 : bench.rounds + 2, (subject) =>
      costOf(subject, load(bench.seconds)),
    );
    const [one, many] = subjects.map((subject) => samples.get(subject).map(({ cost }) => cost));
    const ratios = many.map((cost, i) => cost / one[i]);
    return {
      ...{
        what: '10,000 hosts x 10 routes against one route',
        on: runtime.name,
        ours: median(many),
        peer: 'one route',
      },
      ...{ theirs: median(one), unit: 'µs', figure: median(ratios), bound: 1.05 },
      spread: [Math.min(...ratios), Math.max(...ratios)],
    };
  } finally {
    await Promise.all(subjects.map(({ child }) => stop(child)));
  }
}
