/** The table of path types in the Kubernetes documentation of Ingress, row by row. */
import { expect, it } from 'vitest';
import { fairwayClass, ingressYaml, reach, serviceYaml, translateYaml } from './test-helpers.ts';

type Path = readonly [type: 'Prefix' | 'Exact', path: string];

/** Kind and paths, request paths, and the path that answers; null for none. */
const table: readonly (readonly [paths: readonly Path[], requests: readonly string[], answer: Path | null])[] = [
  [[['Prefix', '/']], ['/', '/foo', '/foo/bar', '//'], ['Prefix', '/']],
  [[['Exact', '/foo']], ['/foo'], ['Exact', '/foo']],
  [[['Exact', '/foo']], ['/bar'], null],
  [[['Exact', '/foo']], ['/foo/'], null],
  [[['Exact', '/foo/']], ['/foo'], null],
  [[['Prefix', '/foo']], ['/foo', '/foo/'], ['Prefix', '/foo']],
  [[['Prefix', '/foo/']], ['/foo', '/foo/'], ['Prefix', '/foo/']],
  [[['Prefix', '/aaa/bb']], ['/aaa/bbb'], null],
  [[['Prefix', '/aaa/bbb']], ['/aaa/bbb'], ['Prefix', '/aaa/bbb']],
  [[['Prefix', '/aaa/bbb/']], ['/aaa/bbb'], ['Prefix', '/aaa/bbb/']],
  [[['Prefix', '/aaa/bbb']], ['/aaa/bbb/'], ['Prefix', '/aaa/bbb']],
  [[['Prefix', '/aaa/bbb']], ['/aaa/bbb/ccc'], ['Prefix', '/aaa/bbb']],
  [[['Prefix', '/aaa/bbb']], ['/aaa/bbbxyz'], null],
  [
    [
      ['Prefix', '/'],
      ['Prefix', '/aaa'],
    ],
    ['/aaa/ccc'],
    ['Prefix', '/aaa'],
  ],
  [
    [
      ['Prefix', '/'],
      ['Prefix', '/aaa'],
      ['Prefix', '/aaa/bbb'],
    ],
    ['/aaa/bbb'],
    ['Prefix', '/aaa/bbb'],
  ],
  [
    [
      ['Prefix', '/'],
      ['Prefix', '/aaa'],
      ['Prefix', '/aaa/bbb'],
    ],
    ['/ccc'],
    ['Prefix', '/'],
  ],
  [[['Prefix', '/aaa']], ['/ccc'], null],
  [
    [
      ['Prefix', '/foo'],
      ['Exact', '/foo'],
    ],
    ['/foo'],
    ['Exact', '/foo'],
  ],
];

const serviceOf = (paths: readonly Path[], answer: Path) =>
  `s${paths.findIndex(([type, path]) => type === answer[0] && path === answer[1])}`;

it('has the eighteen rows of the documentation', () => {
  expect(table).toHaveLength(18);
});

for (const order of ['as written', 'reversed'] as const) {
  it.each(table)(`%j answer %j: %j, paths ${order}`, (paths, requests, answer) => {
    const rules = paths.map(([type, path]) => ['foo.bar.com', type, path, serviceOf(paths, [type, path])] as const);
    const services = paths.map((path) => serviceYaml(serviceOf(paths, path))).join('');
    const plain = translateYaml(fairwayClass + services + ingressYaml('web', order === 'reversed' ? rules.toReversed() : rules)); // biome-ignore format: one line
    const fallback = '  defaultBackend: { service: { name: default-backend, port: { number: 80 } } }';
    const withDefault = translateYaml(
      fairwayClass + services + serviceYaml('default-backend') + ingressYaml('web', rules, fallback),
    );
    for (const request of requests) {
      expect(reach(plain, 'foo.bar.com', request)).toBe(answer ? serviceOf(paths, answer) : 404);
      expect(reach(withDefault, 'foo.bar.com', request)).toBe(answer ? serviceOf(paths, answer) : 'default-backend');
    }
    expect(plain.diagnostics).toEqual([]);
  });
}
