/** docs/conformance.md says what the kept runs of the official suite say, and no more. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { supportedFeatures } from '../src/routing/gateway/kinds.ts';

const root = new URL('..', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');
const json = (path: string) => JSON.parse(text(path));
const reports = 'conformance/reports/v1.6.1/';

interface Facts {
  readonly claimed: readonly string[];
  readonly command: string;
  readonly runs: readonly { readonly exit: number; readonly passed: number; readonly failed: number }[];
}

interface Catalog {
  readonly tests: readonly { readonly name: string; readonly features: readonly string[] }[];
}

describe('the kept runs of the official suite', () => {
  const facts = json(`${reports}runs.json`) as Facts;
  const catalog = json(`${reports}catalog.json`) as Catalog;
  const lines = text(`${reports}test-lines.txt`).split('\n');
  const wanted = catalog.tests.filter(({ features }) => !features.some((feature) => feature.startsWith('Mesh')));

  it('are three, each of which go test called good', () => {
    expect(facts.runs.map(({ exit, failed }) => ({ exit, failed }))).toEqual(Array(3).fill({ exit: 0, failed: 0 }));
  });

  it('have a line that says PASS for every test but those of a mesh, in every run', () => {
    for (const { name } of wanted) {
      const own = lines.filter((line) => line.startsWith('    --- ') && line.includes(` TestConformance/${name} `));
      expect(own.map((line) => line.slice(0, 12))).toEqual(Array(3).fill('    --- PASS'));
    }
  });

  it('are of the features that the GatewayClass claims today', () => {
    expect([...facts.claimed].sort()).toEqual([...supportedFeatures].sort());
  });

  it('are what docs/conformance.md is made of (npm run docs)', async () => {
    const generator = '../conformance/lib/document.mjs';
    const { conformanceDocument } = (await import(generator)) as {
      conformanceDocument(given: object): string;
    };
    const peers = json('conformance/peers.json');
    expect(text('docs/conformance.md')).toBe(conformanceDocument({ facts, catalog, lines, peers }));
  });

  it('can be run again by a command that exists', () => {
    expect(facts.command).toMatch(/^npm run conformance -- /);
    expect(json('package.json').scripts.conformance).toBe('node conformance/run.mjs');
    expect(existsSync(new URL('conformance/run.mjs', root))).toBe(true);
  });
});
