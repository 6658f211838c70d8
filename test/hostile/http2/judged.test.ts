/** nginx goes through the same cases: where it and the data plane differ, the RFC is worth another look. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend } from '../../../src/proxy/testing/backend.ts';
import { absence, type Judge, startJudge } from '../http1/judges.ts';
import { inLanes } from '../http1/run.ts';
import { MAX_STREAMS } from './case.ts';
import { cases } from './cases/index.ts';
import { complaint } from './judge.ts';
import { laneAddress, runCase } from './run.ts';
import { answerByPath, placesOf } from './subject.ts';

const address = '127.77.12.8';
const { plain } = placesOf(address);
const reason = absence('nginx');
if (reason) console.warn(reason);

describe.skipIf(reason)('nginx', () => {
  let judge: Judge;
  let backend: RecordingBackend;

  beforeAll(async () => {
    backend = await recordingBackend(address, 8081, answerByPath);
    const more = `listen ${address}:${plain.port} http2; http2_max_concurrent_streams ${MAX_STREAMS};`;
    judge = await startJudge('nginx', { address, port: 8082 }, { address, port: 8081 }, more);
  });

  afterAll(async () => {
    await judge.close();
    await backend.close();
  });

  it('agrees for the most part', { timeout: 40_000 }, async () => {
    const wanted = cases.filter(({ only }) => only !== 'tls');
    const taker = { take: () => [] };
    const results = await inLanes(wanted, 64, (one, lane) =>
      runCase(one, laneAddress(100 + lane), plain, taker, { timeoutMs: 600, closeMs: 0 }),
    );
    const differs = wanted.flatMap((one, i) => {
      const wrong = complaint(one, results[i]!);
      // It lingers after GOAWAY, as it may.
      return wrong === undefined || wrong.startsWith('not closed') ? [] : [`${one.rfc} ${one.name}: ${wrong}`];
    });
    if (process.env.FAIRWAY_SHOW_DIFFERENCES) console.log(differs.join('\n'));
    else
      console.log(
        `nginx differs in ${differs.length} of ${wanted.length} cases; FAIRWAY_SHOW_DIFFERENCES=1 lists them`,
      );
    expect(differs.length).toBeLessThan(wanted.length / 2);
  });
});
