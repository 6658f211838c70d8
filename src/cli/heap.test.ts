/** The flags work at run time: a process that asks for a small heap has one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';

const source = readFileSync(fileURLToPath(new URL('heap.ts', import.meta.url)), 'utf8');
const code = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node20' }).code;
/** Many objects that live for a while: by default V8 enlarges the space of new ones, and the old one far beyond them. */
const load = `
const held = [];
for (let i = 0; i < 3e6; i++) held[i % 200000] = { number: i, list: [i, i] };
const spaces = require('node:v8').getHeapSpaceStatistics();
console.log(JSON.stringify(['new_space', 'old_space'].map((name) => spaces.find((s) => s.space_name === name).space_size)));
`;

/** Bytes of the space of new objects and of the old one. */
function sizes(call: string, nodeOptions = ''): [number, number] {
  const folder = mkdtempSync(join(tmpdir(), 'heap-'));
  try {
    const file = join(folder, 'heap.cjs');
    writeFileSync(file, `${code}\n${call}\n${load}`);
    const env = { ...process.env, NODE_OPTIONS: nodeOptions };
    return JSON.parse(execFileSync(process.execPath, [file], { encoding: 'utf8', env })) as [number, number];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('keeps the heap small, unless the command line says otherwise', () => {
  const [freshSpace, oldSpace] = sizes('');
  const [smallFresh, smallOld] = sizes('keepHeapSmall();');
  expect(smallFresh).toBeLessThan(freshSpace / 2);
  expect(smallOld).toBeLessThan(oldSpace);
  const [ownFresh] = sizes('keepHeapSmall();', '--max-semi-space-size=16');
  expect(ownFresh).toBeGreaterThan(freshSpace / 2);
}, 20_000);

it('lets the old generation alone grow slowly where bursts are to be expected', () => {
  const [freshSpace, oldSpace] = sizes('');
  const [slowFresh, slowOld] = sizes('growHeapSlowly();');
  expect(slowFresh).toBeGreaterThan(freshSpace / 2);
  expect(slowOld).toBeLessThan(oldSpace);
}, 20_000);

/** What share of its heap a process holds that has made garbage half a second ago. */
function share(wishes: string, work = ''): number {
  const folder = mkdtempSync(join(tmpdir(), 'heap-'));
  try {
    const file = join(folder, 'heap.cjs');
    const program = `
      const { getHeapStatistics } = require('node:v8');
      let held = Array.from({ length: 5e5 }, (_, i) => ({ i }));
      const before = getHeapStatistics().total_heap_size;
      held = undefined;
      const stop = collectWhenIdle({ everyMs: 20, worthBytes: 1e6, ...${wishes} });
      ${work}
      setTimeout(() => { console.log(getHeapStatistics().total_heap_size / before); process.exit(); }, 500);`;
    writeFileSync(file, `${code}\n${program}`);
    return Number(execFileSync(process.execPath, [file], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('collects garbage when the process comes to rest, and gives its pages back', () => {
  expect(share('{}')).toBeLessThan(0.4);
}, 20_000);

it('collects nothing while there is work, when it is not worth it, or when it was stopped', () => {
  const work = 'setInterval(() => { const end = Date.now() + 10; while (Date.now() < end); }, 12);';
  expect(share('{}', work)).toBeGreaterThan(0.55);
  expect(share('{ worthBytes: 1e9 }')).toBeGreaterThan(0.55);
  expect(share('{}', 'stop();')).toBeGreaterThan(0.55);
}, 40_000);
