import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest, splitFieldPath } from './parse.ts';

const service = (name: string) =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  ports:\n    - port: 80\n    - port: 443\n`;

const good = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: good}\n';

describe('parseManifest', () => {
  it('reads many documents and says where each field stands', () => {
    const { objects, diagnostics } = parseManifest('a.yaml', `# first\n---\n${service('one')}---\n${service('two')}`);
    expect(diagnostics).toEqual([]);
    expect(objects.map(({ object }) => object.metadata.name)).toEqual(['one', 'two']);
    expect(objects[1]!.positionOf('spec.ports[1].port')).toEqual({ file: 'a.yaml', line: 19, column: 7 });
    expect(objects[1]!.positionOf('')).toEqual({ file: 'a.yaml', line: 12, column: 1 });
  });

  it('points at the nearest parent of a field that is missing', () => {
    const { objects } = parseManifest('a.yaml', service('one'));
    expect(objects[0]!.positionOf('spec.ports[0].targetPort')).toEqual({ file: 'a.yaml', line: 7, column: 7 });
    expect(objects[0]!.positionOf('spec.selector.app')).toEqual({ file: 'a.yaml', line: 5, column: 1 });
  });

  it('keeps the good documents of a file with a broken one', () => {
    const { objects, diagnostics } = parseManifest('a.yaml', `${service('one')}---\nkind: [\n---\n${service('two')}`);
    expect(objects).toHaveLength(2);
    expect(diagnostics).toMatchObject([{ code: 'FW1001', position: { file: 'a.yaml' } }]);
    expect(diagnostics[0]!.position!.line).toBeGreaterThanOrEqual(10);
    expect(diagnostics[0]!.position!.line).toBeLessThanOrEqual(12);
  });

  it('reads JSON, lists of objects, anchors and merge keys', () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }],
    });
    expect(parseManifest('a.json', list).objects[0]!.object.kind).toBe('Namespace');
    const anchors =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nbase: &b {x: "1"}\ndata:\n  <<: *b\n  y: "2"\n';
    expect(parseManifest('a.yaml', anchors).objects[0]!.object.data).toEqual({ x: '1', y: '2' });
  });

  it('places the items of a list', () => {
    const text =
      'apiVersion: v1\nkind: ServiceList\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n  spec:\n    type: Wrong\n';
    expect(parseManifest('l.yaml', text).objects[0]!.positionOf('spec.type')).toEqual({
      file: 'l.yaml',
      line: 9,
      column: 5,
    });
  });

  it('reads scalars as kubectl does: YAML 1.1 booleans and octals, dates stay text', () => {
    const text = 'apiVersion: v1\nkind: X\nmetadata: {name: x}\na: yes\nb: 0644\nc: 2020-01-01\nd: 12:30\n';
    expect(parseManifest('a.yaml', text).objects[0]!.object).toMatchObject({
      a: true,
      b: 420,
      c: '2020-01-01',
      d: '12:30',
    });
  });

  it.each([
    ['just text', 'FW1009'],
    ['kind: Service\nmetadata: {name: a}', 'FW1009'],
    ['apiVersion: v1\nkind: Service', 'FW1009'],
    ['apiVersion: v1\nkind: Service\nmetadata: {namespace: b}', 'FW1009'],
    ['a: 1\na: 2', 'FW1001'],
    ['\ta: 1', 'FW1001'],
  ])('refuses %j with %s', (text, code) => {
    const { objects, diagnostics } = parseManifest('a.yaml', text);
    expect(objects).toEqual([]);
    expect(diagnostics[0]).toMatchObject({ code, position: { file: 'a.yaml' } });
  });

  it.each([
    [12, 'too many aliases'],
    [10, 'few aliases that stand for billions of values'],
  ])('refuses anchors that multiply: %i levels, %s', (length) => {
    const levels = Array.from({ length }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`);
    const bomb = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\nl0: &l0 [x,x]\n${levels.join('\n')}\n`;
    const started = performance.now();
    expect(parseManifest('bomb.yaml', bomb).diagnostics).toMatchObject([{ code: 'FW1008' }]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('reads what follows an end marker', () => {
    const { objects } = parseManifest('a.yaml', `${service('one')}...\n${service('two')}`);
    expect(objects.map(({ object }) => object.metadata.name)).toEqual(['one', 'two']);
  });

  it('ignores empty documents', () => {
    expect(parseManifest('a.yaml', '---\n---\n# only a comment\n---\n')).toEqual({ objects: [], diagnostics: [] });
  });

  it.each([
    ['JSON', '{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":', '[', ']', 1],
    ['flow style', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ', '{a: ', '}', 4],
  ])('refuses what is nested too deep, at its place: %s', (_name, head, open, close, line) => {
    const text = head + open.repeat(3_000) + close.repeat(3_000) + (head.startsWith('{') ? '}' : '');
    const { objects, diagnostics } = parseManifest('deep', `${text}\n---\n${good}`);
    expect(objects).toHaveLength(1);
    expect(diagnostics).toMatchObject([{ code: 'FW1009', position: { line } }]);
    expect(diagnostics[0]!.message).toContain('more than 500 levels');
    expect(diagnostics[0]!.position!.column).toBeGreaterThan(500);
  });

  it('refuses what aliases put on top of each other too deep', () => {
    const layers = Array.from({ length: 60 }, (_, i) => {
      const inner = i === 0 ? '1' : `*a${i - 1}`;
      return `a${i}: &a${i} ${'{b: '.repeat(90)}${inner}${'}'.repeat(90)}\n`;
    });
    const { objects, diagnostics } = parseManifest('deep.yaml', `${good.trimEnd()}\n${layers.join('')}`);
    expect([objects, diagnostics.map(({ code }) => code)]).toEqual([[], ['FW1008']]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string({ unit: fc.constantFrom('-', ':', ' ', '\n', 'a', '&', '*', '[', '{', '"', '!', '|', '\t') }),
        ),
        (text) => {
          const { objects } = parseManifest('x.yaml', text);
          for (const manifest of objects) manifest.positionOf('spec.a[0].b');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('splitFieldPath', () => {
  it.each([
    ['spec.rules[0].host', ['spec', 'rules', 0, 'host']],
    ["metadata.annotations['a.b/c']", ['metadata', 'annotations', 'a.b/c']],
    ['metadata.labels[app.kubernetes.io/name]', ['metadata', 'labels', 'app.kubernetes.io/name']],
    ['', []],
  ])('%s', (path, segments) => {
    expect(splitFieldPath(path)).toEqual(segments);
  });
});
