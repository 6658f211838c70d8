/** What lint says of an estate of ingress-nginx: examples/ingress-nginx, and Ingresses beside it that go wrong. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { locationsOf } from '../ingress-nginx/estate.ts';
import { estate, worseFile } from '../ingress-nginx/testing.ts';
import { openWorld } from '../sources.ts';
import type { World } from '../world.ts';
import { estateSummary, renderEstate } from './ingress-nginx.ts';
import { objectFindings } from './objects.ts';

const sslPassthrough = true;

describe('the estate', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ files: [estate], ingressNginx: { sslPassthrough } });
  });

  it('runs, with the differences that are stated', () => {
    const summary = estateSummary(world)!;
    const { ingresses, asTheyAre, withDifferences, withoutSome, withShutLocations, shut } = summary;
    expect(ingresses).toBe(20);
    expect(asTheyAre + withDifferences).toBe(20);
    expect({ withoutSome, withShutLocations, shut }).toEqual({ withoutSome: 0, withShutLocations: 0, shut: [] });
    expect(summary.differences).toMatchObject({ 'auth-tls-secret': 1, 'mirror-target': 1 });
    // What is refused of other values is no difference of these.
    expect(Object.keys(summary.differences)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:auth-type|auth-secret|auth-url|backend-protocol)$/)]),
    );
    expect(Object.values(summary.differences)).toEqual(Object.values(summary.differences).sort((a, b) => b - a));
    // A path of each rule, `/` where a host has none of its own, and an alias.
    expect(summary.locations).toBeGreaterThan(20);
  });

  it('has no errors, and remarks each with its place', () => {
    const findings = objectFindings(world);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const named = findings.map(({ code, object, fieldPath }) => `${code} ${object?.name} ${fieldPath?.split('/')[1]}`);
    expect(named).toEqual(
      expect.arrayContaining(['FW5507 reviews mirror-target"]', 'FW5504 chat proxy-send-timeout"]']),
    );
    expect(findings.every(({ position }) => position?.file.startsWith(estate))).toBe(true);
    const lines = findings.map(({ position }) => `${position?.file} ${String(position?.line).padStart(5)}`);
    expect(lines).toEqual([...lines].sort());
  });

  it('is without an annotation that its operator does not permit', async () => {
    const strict = await openWorld({ files: [estate] });
    expect(estateSummary(strict)).toMatchObject({ withoutSome: 1, leftOut: { 'ssl-passthrough': 1 } });
    const empty = join(mkdtempSync(join(tmpdir(), 'empty-')), 'map.yaml');
    writeFileSync(empty, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: else, namespace: ingress-nginx }\n');
    const flags = { configMap: 'ingress-nginx/else' };
    const other = await openWorld({ files: [estate, empty], ingressNginx: flags });
    // With an empty ConfigMap, snippets are not permitted, and no header is.
    const shut = estateSummary(other)?.shut.map(({ hostname, path, shut: why }) => `${hostname}${path} ${why}`);
    const why = 'the annotation nginx.ingress.kubernetes.io/configuration-snippet cannot be honoured';
    const hooks = ['/', '/github', '/gitlab/'].map((path) => `hooks.tools.example.com${path} ${why}`);
    const headers = 'shop.example.com/ the annotation nginx.ingress.kubernetes.io/custom-headers cannot be honoured';
    expect(shut?.sort()).toEqual([...hooks, headers]);
  });

  it('is shut as a whole where the ConfigMap that is named is not there', async () => {
    const other = await openWorld({ files: [estate], ingressNginx: { configMap: 'ingress-nginx/else' } });
    const { shut } = estateSummary(other)!;
    expect(new Set(shut.map((each) => each.shut))).toEqual(new Set(['the ConfigMap of the controller cannot be read']));
    const open = locationsOf(other).filter((each) => each.shut === null);
    // It leads to the other name, and lets nobody in.
    expect(open.map(({ hostname, path }) => `${hostname}${path}`)).toEqual(['www.shop.example.com/']);
  });
});

describe('an estate with things that go wrong', () => {
  let world: World;
  let file: string;
  beforeAll(async () => {
    file = worseFile();
    world = await openWorld({ files: [estate, file], ingressNginx: { sslPassthrough } });
  });

  it('names each annotation that is refused, unknown or no value, with its place', () => {
    const told = objectFindings(world)
      .filter(({ position, severity }) => position?.file === file && severity !== 'info')
      .map(({ code, severity, object, message }) => `${severity} ${code} ${object?.name}: ${message}`);
    expect(told).toEqual([
      expect.stringMatching(/^error FW5501 digest: .*auth-type: digest is not spoken/),
      expect.stringMatching(/^error FW5502 wrong: .*proxy-body-size is "huge"/),
      expect.stringMatching(/^warning FW5505 wrong: .*proxy-bodysize; .*proxy-body-size may be meant/),
      expect.stringMatching(/^error FW5505 wrong: .*auth-ulr; .*auth-url may be meant/),
      expect.stringMatching(
        /^error FW5501 scripted: .*configuration-snippet: line 2: access_by_lua_block: Lua is not run/,
      ),
      expect.stringMatching(/^warning FW2011 late: .*belongs to Ingress shop\/api/),
      expect.stringMatching(/^error FW5501 firewall: .*no web application firewall/),
    ]);
  });

  it('says what the annotation is about where it cannot be honoured', () => {
    const found = objectFindings(world).find(({ code, object }) => code === 'FW5501' && object?.name === 'scripted');
    expect(found?.hint).toMatch(/^Mend what the message names.* "What snippets may say" in docs\/ingress-nginx\.md\.$/);
  });

  it('counts every Ingress once, and lists what is shut', () => {
    const summary = estateSummary(world)!;
    const { ingresses, asTheyAre, withDifferences, withoutSome, withShutLocations } = summary;
    expect(ingresses).toBe(29);
    expect(asTheyAre + withDifferences + withoutSome + withShutLocations).toBe(29);
    expect(withoutSome).toBe(1);
    expect(summary.leftOut).toEqual({ 'auth-ulr': 1, 'proxy-body-size': 1, 'proxy-bodysize': 1 });
    const shut = summary.shut.map(
      ({ hostname, path, owner, shut: why }) => `${hostname}${path} ${owner} ${why?.split('/')[1]}`,
    );
    expect(shut.sort()).toEqual([
      'digest.example.com/ Ingress shop/digest auth-type cannot be honoured',
      'digest.example.com/in Ingress shop/digest auth-type cannot be honoured',
      'firewall.example.com/ Ingress tools/firewall enable-modsecurity cannot be honoured',
      'scripted.example.com/ Ingress shop/scripted configuration-snippet cannot be honoured',
    ]);
  });

  it('says it in a few lines', () => {
    const lines = renderEstate(estateSummary(world)!).split('\n');
    expect(lines[0]).toBe('Ingresses of ingress-nginx: 29');
    expect(lines[3]).toBe('   1 run without some annotation: auth-ulr (1), proxy-body-size (1), proxy-bodysize (1)');
    expect(lines[4]).toMatch(/^ {3}3 with locations that answer 503, 4 of \d+ in all$/);
    expect(lines).toHaveLength(9);
  });
});

it('has nothing to say where there is no Ingress of ingress-nginx', async () => {
  expect(estateSummary(await openWorld({ files: [`${estate}/apps.yaml`] }))).toBeUndefined();
});
