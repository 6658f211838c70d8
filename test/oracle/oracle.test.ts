/** Fairway and nginx before the same requests: what ran on ingress-nginx gets the same answers. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { smallDifferences } from '../../src/routing/ingress-nginx/differences.ts';
import { oracleCases } from './cases/index.ts';
import { knownDifferences } from './differences.ts';
import { describeKind, kindsOf } from './harness/compare.ts';
import { absence } from './harness/nginx.ts';
import { judge } from './harness/run.ts';
import { openStage, type Stage } from './harness/stage.ts';

const missing = absence();
if (missing) console.warn(`oracle skipped: ${missing}`);

describe.skipIf(missing)('as nginx does', () => {
  let stage: Stage;
  /** Named differences that something showed. */
  const met = new Set<string>();
  beforeAll(async () => {
    // It takes long to load, which is not for the first case to pay.
    await import('./harness/fairway.ts');
    stage = await openStage('127.85.0');
  });
  afterEach(() => stage.strike());
  afterAll(() => stage?.close());

  it.each(oracleCases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const [nginx, fairway] = await Promise.all([stage.nginx(one.nginx), stage.fairway(one.manifests)]);
    const { disagreements, known } = await judge(one, nginx, fairway);
    for (const id of known.keys()) met.add(id);
    expect(kindsOf(disagreements).map(describeKind).join('\n')).toBe('');
    if (one.play) expect(await one.play(fairway)).toEqual(await one.play(nginx));
  });

  it('differs in nothing that is named and does not exist', () => {
    const ids: readonly string[] = knownDifferences.map(({ id }) => id);
    expect(ids.filter((id) => !met.has(id))).toEqual([]);
    expect(Object.keys(smallDifferences).filter((id) => !ids.includes(id))).toEqual([]);
  });
});
