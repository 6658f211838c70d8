/** The rooms of docs/architecture.md are stacked: a room imports only from rooms below it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Top to bottom. */
const rooms = ['cli', 'dashboard', 'insight', 'local', 'control', 'dns', 'proxy', 'routing', 'service', 'kube', 'base'];
/** Neighbours that must not know each other although one stands above the other. */
const strangers: readonly [string, string][] = [
  ['dns', 'proxy'],
  ['dns', 'routing'],
];

const source = resolve(import.meta.dirname, '../src');

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const path = join(folder, item.name);
    return item.isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => resolve(file, '..', match[1]!));
}

const roomOf = (path: string) => relative(source, path).split('/')[0]!;

/** Import edges that leave a room, except from tests, which may reach for anything. */
const edges = filesBelow(source)
  .filter((file) => !file.endsWith('.test.ts'))
  .flatMap((file) =>
    importsOf(file).map((target) => ({ file: relative(source, file), from: roomOf(file), to: roomOf(target) })),
  )
  .filter(({ from, to }) => from !== to);

describe('rooms', () => {
  it('finds the imports it judges', () => {
    expect(edges.length).toBeGreaterThan(20);
    expect(new Set(edges.flatMap(({ from, to }) => [from, to])).size).toBeGreaterThanOrEqual(6);
  });

  it('import downwards only', () => {
    const upward = edges.filter(({ from, to }) => {
      const [upper, lower] = [rooms.indexOf(from), rooms.indexOf(to)];
      return (
        lower < upper || lower < 0 || strangers.some(([a, b]) => (from === a && to === b) || (from === b && to === a))
      );
    });
    expect(upward).toEqual([]);
  });

  it('keep Kubernetes objects out of the data plane', () => {
    expect(edges.filter(({ from, to }) => from === 'proxy' && to === 'kube')).toEqual([]);
  });
});
