/** The arithmetic of cluster-proportional-autoscaler, with its own tables, and its parameters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SlimNode, sizeOf, slimNode } from './cluster-size.ts';
import { parseCpu, wholeCores } from './cpu.ts';
import { replicasFor } from './formula.ts';
import { parseDefaultParams, parseParams } from './params.ts';
import { parseTargets } from './targets.ts';

const size = (nodes: number, cores: number, totalNodes = nodes, totalCores = cores) => ({
  ...{ schedulableNodes: nodes, schedulableCores: cores, totalNodes, totalCores },
});

function replicas(mode: 'linear' | 'ladder', params: object, of: ReturnType<typeof size>): number {
  const parsed = parseParams({ [mode]: JSON.stringify(params) });
  if (!parsed.ok) throw new Error(parsed.error);
  return replicasFor(parsed.value, of);
}

describe('linear', () => {
  it.each([
    ...[
      [0, 2],
      [1, 2],
      [2, 2],
      [3, 2],
      [4, 2],
      [6, 3],
      [10, 5],
      [11, 6],
      [19, 10],
      [20, 10],
      [21, 11],
      [30, 15],
      [40, 20],
    ],
    ...[
      [200, 100],
      [201, 100],
      [100_000, 100],
    ],
  ])('%i cores need %i replicas at 2 cores each, from 2 to 100', (cores, expected) => {
    expect(replicas('linear', { coresPerReplica: 2, min: 2, max: 100 }, size(0, cores!))).toBe(expected);
  });

  const both = { coresPerReplica: 2, nodesPerReplica: 2.5, min: 1, max: 100, preventSinglePointFailure: true };
  it.each([
    ...[
      [0, 0, 1],
      [1, 2, 2],
      [2, 3, 2],
      [3, 4, 2],
      [4, 4, 2],
      [6, 4, 3],
      [6, 5, 3],
      [8, 5, 4],
      [8, 15, 6],
      [8, 16, 7],
    ],
    ...[
      [19, 21, 10],
      [23, 20, 12],
      [26, 38, 16],
      [30, 49, 20],
      [40, 20, 20],
    ],
  ])('%i cores and %i Nodes need %i replicas', (cores, nodes, expected) => {
    expect(replicas('linear', both, size(nodes!, cores!))).toBe(expected);
  });

  const all = {
    coresPerReplica: 2,
    nodesPerReplica: 2,
    max: 100,
    preventSinglePointFailure: true,
    includeUnschedulableNodes: true,
  };
  it.each([
    ...[
      [0, 0, 0, 1],
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [4, 4, 4, 2],
      [2, 4, 4, 2],
      [8, 8, 8, 4],
      [6, 8, 8, 4],
      [21, 210, 210, 100],
    ],
  ])('with cordoned Nodes: %i of %i Nodes (%i cores) need %i', (nodes, totalNodes, totalCores, expected) => {
    expect(replicas('linear', all, size(nodes!, nodes!, totalNodes!, totalCores!))).toBe(expected);
  });

  it.each<[string, object, ReturnType<typeof size>, number]>([
    ['a side that is not given asks for one, whatever min is', { nodesPerReplica: 10, min: 3 }, size(1, 100), 3],
    [
      'the second replica comes after max',
      { nodesPerReplica: 10, max: 1, preventSinglePointFailure: true },
      size(2, 2),
      2,
    ],
    ['one Node needs no second replica', { nodesPerReplica: 10, preventSinglePointFailure: true }, size(1, 8), 1],
    [
      'cordoned Nodes do not call for a second replica',
      { nodesPerReplica: 10, preventSinglePointFailure: true },
      size(1, 8, 5, 40),
      1,
    ],
    [
      'the addon’s defaults, small',
      { coresPerReplica: 256, nodesPerReplica: 16, preventSinglePointFailure: true },
      size(3, 12),
      2,
    ],
    [
      'the addon’s defaults, 5,000 Nodes of 4 cores',
      { coresPerReplica: 256, nodesPerReplica: 16 },
      size(5000, 20_000),
      313,
    ],
    ['the addon’s defaults, few large Nodes', { coresPerReplica: 256, nodesPerReplica: 16 }, size(20, 1900), 8],
    ['min 0 is 1', { nodesPerReplica: 1, min: 0 }, size(0, 0), 1],
    ['max 0 is none', { nodesPerReplica: 1, max: 0 }, size(1000, 0), 1000],
    ['more than an API can take is cut', { nodesPerReplica: 1e-9 }, size(1000, 0), 2 ** 31 - 1],
  ])('%s', (_, params, of, expected) => {
    expect(replicas('linear', params, of)).toBe(expected);
  });

  it('never goes below min, and above max only for the second replica', () => {
    const params = fc.record({
      coresPerReplica: fc.double({ min: 0.1, max: 1000, noNaN: true }),
      nodesPerReplica: fc.double({ min: 0.1, max: 1000, noNaN: true }),
      min: fc.integer({ min: 1, max: 20 }),
      max: fc.integer({ min: 20, max: 200 }),
      preventSinglePointFailure: fc.boolean(),
    });
    fc.assert(
      fc.property(params, fc.nat(10_000), fc.nat(100_000), (given, nodes, cores) => {
        const found = replicas('linear', given, size(nodes, cores));
        return found >= given.min && found <= Math.max(given.max, 2) && Number.isInteger(found);
      }),
    );
  });
});

describe('ladder', () => {
  const steps = [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [10, 10],
    [20, 20],
  ];
  it.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [6, 4],
    [10, 10],
    [11, 10],
    [19, 10],
    [20, 20],
    [21, 20],
    [40, 20],
  ])('%i cores are on the step of %i replicas', (cores, expected) => {
    expect(replicas('ladder', { coresToReplicas: steps }, size(0, cores!))).toBe(expected);
    expect(replicas('ladder', { coresToReplicas: [...steps].reverse() }, size(0, cores!))).toBe(expected);
  });

  it.each([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 3],
    [4, 3],
  ])('%i Nodes may need %i replicas, also none', (nodes, expected) => {
    expect(
      replicas(
        'ladder',
        {
          nodesToReplicas: [
            [0, 0],
            [3, 3],
          ],
        },
        size(nodes!, 0),
      ),
    ).toBe(expected);
    expect(
      replicas(
        'ladder',
        {
          nodesToReplicas: [
            [1, 0],
            [3, 3],
          ],
        },
        size(nodes!, 0),
      ),
    ).toBe(expected);
  });

  it('takes the larger of both, of all Nodes when told so', () => {
    const params = {
      nodesToReplicas: [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      coresToReplicas: [
        [0, 0],
        [4, 1],
        [8, 2],
        [12, 3],
      ],
    };
    expect(replicas('ladder', { ...params, includeUnschedulableNodes: true }, size(2, 8, 3, 12))).toBe(3);
    expect(replicas('ladder', params, size(1, 4, 3, 12))).toBe(1);
    expect(
      replicas(
        'ladder',
        {
          coresToReplicas: [
            [1, 1],
            [64, 3],
            [512, 5],
          ],
          nodesToReplicas: [
            [1, 1],
            [2, 2],
          ],
        },
        size(100, 400),
      ),
    ).toBe(3);
    expect(replicas('ladder', {}, size(100, 400))).toBe(0);
  });
});

describe('parameters', () => {
  it('have defaults, and names in any case as Go reads them', () => {
    expect(parseParams({ linear: '{"CORESPERREPLICA": 2, "min": null, "other": 1}' })).toEqual({
      ok: true,
      value: {
        ...{ mode: 'linear', coresPerReplica: 2, nodesPerReplica: 0, min: 1, max: 0 },
        ...{ preventSinglePointFailure: false, includeUnschedulableNodes: false },
      },
    });
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'expected one key, linear or ladder, and found 0'],
    [{ linear: '{}', ladder: '{}' }, 'found 2'],
    [{ cubic: '{}' }, 'not a supported control mode: cubic'],
    [{ linear: '{ "coresPerReplica": 2, }' }, 'linear: could not parse parameters'],
    [{ linear: '[]' }, 'parameters are no JSON object'],
    [{ linear: '{"coresPerReplica": "2"}' }, 'coresPerReplica must be a number: "2"'],
    [{ linear: '{"nodesPerReplica": -20}' }, 'invalid negative value for nodesPerReplica: -20'],
    [{ linear: '{"nodesPerReplica": 1, "coresPerReplica": -1}' }, 'invalid negative value for coresPerReplica'],
    [{ linear: '{"nodesPerReplica": 1, "min": -1}' }, 'invalid negative value for min'],
    [{ linear: '{"nodesPerReplica": 1, "min": 1.5}' }, 'min must be a whole number'],
    [{ linear: '{"nodesPerReplica": 1, "min": 100, "max": 50}' }, 'max replicas count 50 should be greater than'],
    [{ linear: '{"min": 1, "max": 100}' }, 'at least one of coresPerReplica and nodesPerReplica'],
    [{ linear: '{"nodesPerReplica": 1, "preventSinglePointFailure": "yes"}' }, 'must be true or false'],
    [{ ladder: '{"coresToReplicas": [[1, "a"]]}' }, 'coresToReplicas must be a list'],
    [{ ladder: '{"nodesToReplicas": [[1, -1]]}' }, 'nodesToReplicas must be a list'],
    [{ ladder: '{"nodesToReplicas": [[1]]}' }, 'nodesToReplicas must be a list'],
  ])('%j are refused', (data, expected) => {
    const parsed = parseParams(data);
    expect(parsed.ok ? '' : parsed.error).toContain(expected);
  });

  it('become a ConfigMap’s data from --default-params', () => {
    const parsed = parseDefaultParams('{"linear":{"nodesPerReplica":16,"preventSinglePointFailure":true}}');
    expect(parsed).toEqual({ ok: true, value: { linear: '{"nodesPerReplica":16,"preventSinglePointFailure":true}' } });
    expect(parseDefaultParams('[1]').ok).toBe(false);
    expect(parseDefaultParams('{').ok).toBe(false);
  });

  it('of any text never throw', () => {
    const value = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(fc.string(), fc.json()).map((d) => JSON.stringify(d)),
    );
    fc.assert(
      fc.property(fc.constantFrom('linear', 'ladder'), value, (mode, text) => {
        const parsed = parseParams({ [mode]: text });
        return parsed.ok ? replicasFor(parsed.value, size(10, 40)) >= 0 : parsed.error.length > 0;
      }),
    );
  });
});

describe('the size of a cluster', () => {
  it.each<[string, number]>([
    ...([
      ['4', 4],
      ['3920m', 4],
      ['0.5', 1],
      ['.', NaN],
      ['1e3', 1000],
      ['2k', 2000],
      ['1Ki', 1024],
      ['100n', 1],
    ] as [string, number][]),
    ...([
      ['', NaN],
      ['4 ', NaN],
      ['1.5Gi', 1_610_612_736],
      ['x', NaN],
      ['0', 0],
      ['1.0000000001', 2],
    ] as [string, number][]),
  ])('takes %j for %d cores, rounded up', (text, expected) => {
    const nanos = parseCpu(text);
    expect(nanos === undefined ? NaN : wholeCores(nanos)).toBe(expected);
  });

  const node = (cpu: string, ready = 'True', unschedulable = false): SlimNode =>
    slimNode({
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: { unschedulable, podCIDR: '10.0.0.0/24' } },
      status: {
        allocatable: { cpu, memory: '1Gi' },
        conditions: [{ type: 'Ready', status: ready, ...{ reason: 'x' } }],
      },
    } as SlimNode);

  it('adds cores exactly, and leaves out Nodes that are cordoned or not Ready', () => {
    const nodes = [node('3920m'), node('3920m'), node('4', 'False'), node('4', 'True', true), node('nonsense')];
    expect(sizeOf(nodes)).toEqual({ totalNodes: 5, schedulableNodes: 3, totalCores: 16, schedulableCores: 8 });
    expect(sizeOf([])).toEqual({ totalNodes: 0, schedulableNodes: 0, totalCores: 0, schedulableCores: 0 });
  });

  it('keeps of a Node only what is counted', () => {
    expect(node('2')).toEqual({
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } },
      status: { allocatable: { cpu: '2' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
  });
});

describe('targets', () => {
  it('may be several, in any case, and in other namespaces', () => {
    const parsed = parseTargets(
      'Deployment/CoreDNS, replicationcontroller/rc,replicaset/rs,other/deployment/x',
      'kube-system',
    );
    expect(
      parsed.ok && parsed.value.map(({ namespace, group, resource, name }) => [namespace, group, resource, name]),
    ).toEqual([
      ['kube-system', 'apps', 'deployments', 'coredns'],
      ['kube-system', '', 'replicationcontrollers', 'rc'],
      ['kube-system', 'apps', 'replicasets', 'rs'],
      ['other', 'apps', 'deployments', 'x'],
    ]);
  });

  it.each(['', ',', 'coredns', 'daemonset/x', 'deployment/', 'deployment/a b', 'a/b/c/d', 'deployment/../x'])(
    '%j is none',
    (text) => {
      expect(parseTargets(text, 'kube-system').ok).toBe(false);
    },
  );
});
