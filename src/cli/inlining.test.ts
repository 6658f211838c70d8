/** The flag works at run time: V8 itself tells what it copies into what. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';

const source = readFileSync(fileURLToPath(new URL('inlining.ts', import.meta.url)), 'utf8');
const code = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node20' }).code;

/** A function that calls eight others, each of about 150 bytes of bytecode, until V8 has optimised it. */
const hot = `
const body = Array.from({ length: 12 }, (_, i) => \`x = (x * \${i + 3} + \${i}) % 1000003;\`).join('');
const parts = Array.from({ length: 8 }, (_, i) => new Function('x', body + \`return x + \${i};\`));
const caller = 'return function caller(x) { return a(b(c(d(e(f(g(h(x)))))))); }';
const call = new Function('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', caller)(...parts);
const end = Date.now() + 400;
let sum = 0;
while (Date.now() < end) for (let n = 0; n < 1000; n++) sum += call(n);
`;

function inlined(wish: string, options: readonly string[] = []): number {
  const folder = mkdtempSync(join(tmpdir(), 'inlining-'));
  try {
    const file = join(folder, 'inlining.cjs');
    writeFileSync(file, `${code}\n${wish}\n${hot}`);
    const told = execFileSync(process.execPath, ['--trace-turbo-inlining', ...options, file], { encoding: 'utf8' });
    return told.match(/^Inlining .*caller/gm)?.length ?? 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const isNode20 = process.versions.node.startsWith('20.');
if (!isNode20) console.log('inlining: a newer V8 inlines this example otherwise, its flag is not judged by it');

it.skipIf(!isNode20)(
  'keeps V8 from copying much into what it optimises, until it is ended',
  () => {
    const usual = inlined('');
    expect(usual).toBeGreaterThanOrEqual(3);
    expect(inlined('inlineLittle();')).toBeLessThan(usual);
    expect(inlined('inlineLittle()();')).toBe(usual);
  },
  20_000,
);

it('leaves a command line alone that sets it itself', () => {
  const own = ['--max-inlined-bytecode-size-cumulative=0'];
  expect(inlined('inlineLittle();', own)).toBe(0);
}, 20_000);
