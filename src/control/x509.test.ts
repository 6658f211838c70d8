/** The library in the bundle: loaded by what needs it only, and able to run there. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const script = `
  import { createSelfSigned } from './src/control/self-signed.ts';
  const before = typeof Reflect.getMetadata;
  const { chain } = await createSelfSigned();
  console.log(JSON.stringify({ before, chain }));
`;

/** As scripts/build.mjs bundles. */
async function bundle() {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-x509-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: script, resolveDir: root, sourcefile: 'making.ts', loader: 'ts' },
    entryPoints: { main: 'src/cli/main.ts' },
    ...{ outdir: folder, bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...{ minifySyntax: true, metafile: true, logLevel: 'silent', outExtension: { '.js': '.mjs' } },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return { folder, outputs: metafile.outputs };
}

/** Files that a start of `entry` reads, without those behind `import()`. */
function loadedAtStart(outputs: Awaited<ReturnType<typeof bundle>>['outputs'], entry: string): string[] {
  const seen = new Set([entry]);
  for (const path of seen)
    for (const each of outputs[path]?.imports ?? []) if (each.kind === 'import-statement') seen.add(each.path);
  return [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

it('costs a start nothing, and makes a certificate when it is wanted', async () => {
  const { folder, outputs } = await bundle();
  const ofEntry = (name: string) => relative(root, join(folder, name));
  const isLibrary = (path: string) => /node_modules\/(@peculiar|reflect-metadata|tsyringe|asn1js|pvtsutils)/.test(path);
  const everything = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  expect(everything.some(isLibrary)).toBe(true);
  for (const entry of ['main.mjs', 'stdin.mjs']) {
    const start = loadedAtStart(outputs, ofEntry(entry));
    expect(start.length).toBeGreaterThan(1);
    expect(start.filter(isLibrary)).toEqual([]);
  }
  const told = JSON.parse(execFileSync(process.execPath, [join(folder, 'stdin.mjs')], { encoding: 'utf8' }));
  expect(told.before).toBe('undefined');
  expect(new X509Certificate(told.chain).subject).toBe('CN=Fairway self-signed certificate');
});
