/** The oracle's own tools: nginx beside nginx agrees with itself, and what differs is found and told. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oracleCases } from './cases/index.ts';
import { describeKind, kindsOf } from './harness/compare.ts';
import { location, nobody, rest, server } from './harness/lines.ts';
import { absence } from './harness/nginx.ts';
import { judge } from './harness/run.ts';
import { openStage, type Stage } from './harness/stage.ts';

const missing = absence();
if (missing) console.warn(`the oracle's tools are not tried: ${missing}`);

describe.skipIf(missing)('nginx beside nginx', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage('127.85.1');
  });
  afterEach(() => stage.strike());
  afterAll(() => stage?.close());

  it.each(oracleCases.map((one) => [one.name, one] as const))('agrees with itself on %s', async (_name, one) => {
    const [left, right] = await Promise.all([stage.nginx(one.nginx), stage.nginx(one.nginx, 'peer')]);
    const { asked, disagreements } = await judge({ ...one, share: Math.min(one.share ?? 1, 0.2) }, left, right);
    expect(asked + (one.play ? 1 : 0)).toBeGreaterThan(0);
    expect(kindsOf(disagreements).map(describeKind)).toEqual([]);
    if (one.play) expect(await one.play(right)).toEqual(await one.play(left));
  });

  it('differs where configurations do', async () => {
    const [known] = oracleCases;
    const other = { servers: nobody + server('a.test', location('"/foo/"', 'alpha', { host: 'other.test' }) + rest()) };
    const [left, right] = await Promise.all([stage.nginx(known!.nginx), stage.nginx(other, 'peer')]);
    const ask = (host: string, target: string) => ({ host, target });
    const always = [ask('a.test', '/foo/x'), ask('a.test', '/foo'), ask('a.test', '/slash'), ask('a.test', '/none')];
    const { disagreements } = await judge({ name: 'other', manifests: '', nginx: other, always }, left, right);
    const told = disagreements.map(({ ask: { target }, fields }) => `${target}: ${fields.join(', ')}`).sort();
    expect(told).toEqual([
      '/foo/x: header x-backend, body, backends',
      '/foo: status, header location, header x-backend, body, backends',
      '/slash: status, header location',
    ]);
  });
});
