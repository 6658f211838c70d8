/**
 * Sides beside each other: the same load for each in turn, round after round. A figure is the median of the ratios of
 * the rounds, since both sides of a round met the same company on the machine.
 */
import { checkAnswers, speaksH2, tlsOf } from './check.mjs';
import { cpuMicroseconds, median } from './figures.mjs';
import { startOurs } from './ours.mjs';
import { hasPeer, startPeer } from './peers.mjs';
import { stop } from './stage.mjs';

/**
 * Starts our side on each runtime and the peers, and hands them to `work`; ends them whatever happens. Peers that are
 * not installed are left out with a line.
 */
export async function withSubjects({ bench, peers, more }, work) {
  const subjects = [];
  try {
    for (const runtime of bench.runtimes) {
      const ours = await startOn(runtime, bench, more);
      if (ours) subjects.push(ours);
    }
    for (const name of peers) {
      if (hasPeer(name)) subjects.push(await startPeer(name, bench));
      else bench.note(`${name} is not installed`);
    }
    return await work(subjects);
  } finally {
    await Promise.all(subjects.map(({ child }) => stop(child)));
  }
}

/** Bun need not work; whatever else fails to start fails the case. */
async function startOn(runtime, bench, more) {
  try {
    return await startOurs(runtime, bench, more);
  } catch (error) {
    if (runtime.kind !== 'bun') throw error;
    bench.note(`skipped: ${runtime.name}: ${error.message}`);
    return undefined;
  }
}

/** CPU microseconds of the proxy per request that the generator counted. */
export async function costOf(subject, load) {
  const before = cpuMicroseconds(subject.pid);
  const { requests, rate } = await load(subject);
  const spent = cpuMicroseconds(subject.pid) - before;
  if (spent === 0)
    throw new Error(`${subject.name} has used no CPU time: process ${subject.pid} is not the one that works`);
  return { cost: spent / requests, requests, rate };
}

/** `sample(subject)` for each in turn, `rounds` times: the samples of each, in order. */
export async function inTurn(subjects, rounds, sample) {
  const samples = new Map(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) samples.get(subject).push(await sample(subject));
  }
  return samples;
}

/**
 * A case of the common kind: CPU per request beside peers.
 * @param spec `what` is measured; `door`; `request` with its `answer`; `load(subject, seconds)`; `peers`; `bounds`: of
 *   our cost in proportion to a peer's, by peer, for Node 20 and for later ones
 * @returns rows of the table
 */
export async function compareCpu(bench, spec) {
  const {
    door,
    request,
    load,
    bounds,
    peers = ['nginx', 'haproxy', 'caddy'],
    rounds = bench.rounds,
    warmUp = bench.warmUp,
  } = spec;
  return withSubjects({ bench, peers }, async (all) => {
    const subjects = await speakers(bench, all, door);
    for (const subject of subjects) await checkAnswers(subject, door, request);
    const secured = door === 'https' || door === 'h2' ? await Promise.all(subjects.map(tlsOf)) : [];
    for (const subject of subjects) if (subject.ours) await load(subject, warmUp);
    const samples = await inTurn(subjects, rounds, (subject) => costOf(subject, () => load(subject, bench.seconds)));
    const details = subjects.map((subject, i) => ({
      name: subject.name,
      tls: secured[i],
      samples: samples.get(subject),
    }));
    return rowsOf(spec, { subjects, samples, bounds, details });
  });
}

/** Without those that do not speak TLS, or HTTP/2, where it is measured. */
async function speakers(bench, all, door) {
  const port = door === 'h2' ? 'https' : door;
  const subjects = all.filter((subject) => subject.ports[port] !== undefined);
  for (const subject of all) if (!subjects.includes(subject)) bench.note(`skipped: ${subject.name} has no ${port}`);
  if (door !== 'h2' && door !== 'h2c') return subjects;
  const speaking = await Promise.all(subjects.map((subject) => speaksH2(subject, door)));
  subjects.forEach(({ name }, i) => {
    if (!speaking[i]) bench.note(`skipped: ${name} does not speak ${door === 'h2' ? 'HTTP/2 over TLS' : 'h2c'}`);
  });
  return subjects.filter((_, i) => speaking[i]);
}

function rowsOf({ what }, { subjects, samples, bounds, details }) {
  const theirs = subjects.filter((subject) => !subject.ours);
  const costs = (subject) => samples.get(subject).map(({ cost }) => cost);
  const rows = subjects
    .filter((subject) => subject.ours)
    .flatMap((ours) =>
      theirs.map((peer) => {
        const ratios = costs(ours).map((cost, i) => cost / costs(peer)[i]);
        const bound = boundOf(bounds[peer.name], ours.runtime);
        return {
          ...{
            what,
            on: ours.name,
            ours: median(costs(ours)),
            peer: peer.name,
            theirs: median(costs(peer)),
            unit: 'µs',
          },
          ...{ figure: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)], bound, details },
        };
      }),
    );
  if (rows.length > 0) return rows;
  return theirs.map((peer) => ({ what, on: '-', peer: peer.name, theirs: median(costs(peer)), unit: 'µs', details }));
}

/** Bounds are a number, or `{ node20, current }`; none where there is none for the runtime. */
export function boundOf(bound, { kind }) {
  return typeof bound === 'object' ? bound[kind] : bound;
}
