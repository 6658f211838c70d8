/** Advice on search-path waste, and pages as programs may send them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeWaste, type WasteGroup, type WastePage } from '../../dns/waste/page.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { adviceFor, autopathFix } from './advice.ts';
import { withOwners } from './owners.ts';
import { readWaste } from './read.ts';
import { fixesText, headline, wasteRows } from './render.ts';

const group = (more: Partial<WasteGroup> = {}): WasteGroup => ({
  ...{ namespace: 'shop', workload: 'Deployment/web', address: '', queries: 30, error: 0 },
  ...{ stages: [10, 10, 10], dots: [0, 6, 24, 0, 0, 0] },
  names: [
    { name: 'www.example.com.', kind: 'external', queries: 24, error: 0 },
    { name: 'example.org.', kind: 'external', queries: 6, error: 0 },
  ],
  ...more,
});
const page = (groups: readonly WasteGroup[]): WastePage => ({
  ...{ since: '2026-01-01T00:00:00.000Z', queries: 30, stages: [10, 10, 10], dots: [0, 6, 24, 0, 0, 0] },
  ...{ limits: { groups: 100, names: 10 }, floor: 0, groups },
});

describe('advice', () => {
  it('counts three of four queries of a name with two dots as saved', () => {
    const { wasted, sent, fixes } = adviceFor(group());
    expect([wasted, sent]).toEqual([30, 40]);
    expect(fixes).toEqual([
      {
        ...{ kind: 'ndots', saves: 24, where: 'spec.template.spec of Deployment web' },
        write: ['dnsConfig:', '  options:', '    - name: ndots', '      value: "2"'],
      },
      {
        ...{ kind: 'trailing dot', saves: 30, where: 'the configuration of the program' },
        write: ['www.example.com.', 'example.org.'],
      },
    ]);
    expect(autopathFix(page([group()])).saves).toBe(30);
  });

  it('does not promise what ndots:2 cannot do, nor autopath', () => {
    const single = group({ dots: [0, 30, 0, 0, 0, 0] });
    expect(adviceFor(single).fixes.map(({ kind }) => kind)).toEqual(['trailing dot']);
    expect(autopathFix({ ...page([]), stages: [0, 10, 10] }).saves).toBe(0);
  });

  it.each([
    ['Pod/tool', 'spec of Pod tool'],
    ['CronJob/backup', 'spec.jobTemplate.spec.template.spec of CronJob backup'],
    ['StatefulSet/db', 'spec.template.spec of StatefulSet db'],
    ['', 'the Pod template of whoever has the address'],
  ])('names the field of %s', (workload, where) => {
    expect(adviceFor(group({ workload, address: workload ? '' : '10.0.0.1' })).fixes[0]!.where).toBe(where);
  });

  it('says in text what is not certain and what is not listed', () => {
    const shown = page([group({ queries: 20, error: 3 })]);
    expect(headline(shown)).toBe(
      '30 queries in vain since 2026-01-01T00:00:00.000Z, 10 of them of clients that are not listed',
    );
    expect(wasteRows(shown, false)[1]).toEqual([
      ...['shop', 'Deployment/web', '20+', '~30', '24', 'www.example.com. (24) and 1 more'],
    ]);
    expect(wasteRows(shown, true)[1]!.at(-1)).toBe('www.example.com. (24) example.org. (6)');
    expect(fixesText(shown)).toContain('autopath @kubernetes');
  });
});

it('puts workloads in the place of addresses, and adds up those of one workload', () => {
  const store = createStore();
  for (const [name, podIP] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ] as const)
    store.put('pods', {
      ...{ apiVersion: 'v1', kind: 'Pod', spec: {}, status: { podIP } },
      metadata: {
        ...{ name, namespace: 'dev' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'u', controller: true }],
      },
    } as unknown as KubeObject);
  const from = (address: string) => group({ workload: '', namespace: '', address });
  const named = withOwners(page([from('10.0.0.1'), from('10.0.0.2'), from('10.0.0.3')]), store);
  expect(
    named.groups.map(({ namespace, workload, address, queries }) => [namespace, workload, address, queries]),
  ).toEqual([
    ['dev', 'DaemonSet/agent', '', 60],
    ['', '', '10.0.0.3', 30],
  ]);
});

describe('a page', () => {
  const said = { status: 200, text: '' };
  const server = createServer((_, response) => response.writeHead(said.status).end(said.text));
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.82.7.12', resolve));
    url = `http://127.82.7.12:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());
  const reads = (text: string, status = 200) => {
    Object.assign(said, { text, status });
    return readWaste(url);
  };

  it('is read when it is one', async () => {
    expect(await reads(JSON.stringify(page([group()])))).toEqual({ ok: true, value: page([group()]) });
    expect(await reads(JSON.stringify(mergeWaste([])))).toMatchObject({ ok: true });
  });

  it.each([
    ['', 200, 'has no page'],
    ['404 page not found', 404, 'has no page'],
    ['{"error":"not today"}', 404, 'not today'],
    ['[]', 200, 'no count'],
    ['null', 200, 'no count'],
    ['{"since":1}', 200, 'no count'],
    [JSON.stringify(page([{ ...group(), dots: [1] }])), 200, 'no count'],
    [JSON.stringify(page([{ ...group(), names: [null as never] }])), 200, 'no count'],
    ['x'.repeat(17 * 1024 * 1024), 200, 'too large'],
  ])('%.20s with status %i is refused with a reason', async (text, status, reason) => {
    expect(await reads(text, status)).toEqual({ ok: false, error: expect.stringContaining(reason) });
  });
});
