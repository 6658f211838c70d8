/**
 * The frame-level cases of RFC 9113 and RFC 7541, raw over TCP and over TLS: each ends in the right error, answer or
 * nothing, the connection lives or is closed as it should, and the backend gets what it may get and nothing else.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inLanes, sleep } from '../http1/run.ts';
import { type Http2Case, MAX_STREAMS } from './case.ts';
import { cases, tables } from './cases/index.ts';
import { deviationOf, deviations, pendingOf } from './deviations.ts';
import { complaint, type Outcome, seenComplaint } from './judge.ts';
import { laneAddress, type Patience, runCase } from './run.ts';
import { type ProxySubject, proxySubject } from './subject.ts';

const LANES = 48;
const patience = { timeoutMs: 2_000, closeMs: 3_000 };
/** On a machine that is busy with something else. */
const morePatience = { timeoutMs: 6_000, closeMs: 8_000 };
/** After its time is up, a request of a busy machine is at the backend within this. */
const LATE_MS = 1_000;
let subject: ProxySubject;
const outcomes = { plain: new Map<Http2Case, Outcome>(), secure: new Map<Http2Case, Outcome>() };
type Way = keyof typeof outcomes;
const ways: readonly Way[] = ['plain', 'secure'];

/** What is inside of frames is the same over TLS. */
const overTls = new Set([...tables['the connection'], ...tables.streams, ...tables.frames]);
const goes = (one: Http2Case, way: Way) =>
  way === 'secure' ? overTls.has(one) && one.only !== 'plain' : one.only !== 'tls';

async function runAll(way: Way, firstLane: number): Promise<void> {
  const run = async (wanted: readonly Http2Case[], lanes: number, how: Patience) => {
    const results = await inLanes(wanted, lanes, (one, lane) =>
      runCase(one, laneAddress(firstLane + lane), subject[way], subject, how),
    );
    wanted.forEach((one, i) => {
      outcomes[way].set(one, results[i]!);
    });
  };
  const wanted = cases.filter((one) => goes(one, way));
  await run(wanted, LANES, patience);
  // Asked once more and with patience before that is believed.
  const doubted = wanted.filter((one) => {
    const wrong = deviationOf(one) ? undefined : wrongs(one, way);
    return wrong !== undefined && !pendingOf(`${one.rfc} ${one.name}`, wrong);
  });
  if (doubted.length === 0) return;
  // What the first try was too impatient to see arrive belongs to it, and is not believed either.
  await sleep(LATE_MS);
  for (let lane = 0; lane < LANES; lane++) subject.take(laneAddress(firstLane + lane));
  await run(doubted, LANES, morePatience);
}

beforeAll(async () => {
  subject = await proxySubject('127.77.12.1', {
    http2: { maxConcurrentStreams: MAX_STREAMS },
    client: { headTimeoutMs: 3_000, keepAliveTimeoutMs: 1_000, bodyTimeoutMs: 800, sendTimeoutMs: 800, lingerMs: 200 },
  });
  await Promise.all([runAll('plain', 0), runAll('secure', LANES)]);
});

afterAll(() => subject.close());

const wrongs = (one: Http2Case, way: Way): string | undefined => {
  const outcome = outcomes[way].get(one)!;
  const wrong = [complaint(one, outcome), seenComplaint(one, outcome)].filter((text) => text !== undefined);
  return wrong.length > 0 ? wrong.join('; ') : undefined;
};

describe.each(Object.entries(tables))('%s', (_, table) => {
  it.for(table.map((one): [string, Http2Case] => [`RFC ${one.rfc} ${one.name}`, one]))(
    '%s',
    ([title, one], context) => {
      const deviation = deviationOf(one);
      for (const way of ways.filter((each) => goes(one, each))) {
        const wrong = wrongs(one, way);
        if (deviation) expect(wrong, 'a deviation that is none any more').toMatch(deviation.got);
        else if (wrong && pendingOf(title, wrong)) context.skip(`${pendingOf(title, wrong)!.why}: ${wrong}`);
        else expect(wrong ? `${way}: ${wrong}` : 'good').toBe('good');
      }
    },
  );
});

describe('all together', () => {
  it('have names of their own', () => {
    const names = cases.map(({ rfc, name }) => `${rfc} ${name}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('know every deviation by a case', () => {
    expect(deviations.filter(({ of }) => !cases.some(({ rfc, name }) => of.test(`${rfc} ${name}`)))).toEqual([]);
  });

  it('leave the backend with nothing that belongs to nobody', (context) => {
    const lines = subject.backend.requests.map(({ line }) => line);
    const missing = lines.length > 0 && pendingOf('all', `left ${[...new Set(lines)]}`);
    if (missing) context.skip(missing.why);
    expect(lines).toEqual([]);
  });

  it('leave no connection behind', async (context) => {
    for (let i = 0; i < 40 && subject.connections() > 0; i++) await sleep(50);
    const missing = subject.connections() > 0 && pendingOf('all', 'not closed');
    if (missing) context.skip(missing.why);
    expect(subject.connections()).toBe(0);
  });
});
