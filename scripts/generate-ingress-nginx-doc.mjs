// Prints docs/ingress-nginx.md from the table in src/routing/ingress-nginx/annotations. `npm run docs` writes it; a test compares.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairway-doc-'));
const outfile = join(folder, 'document.mjs');
try {
  await build({
    entryPoints: [`${root}src/routing/ingress-nginx/annotations/document.ts`],
    bundle: true,
    outfile,
    format: 'esm',
    platform: 'node',
  });
  const { nginxDocument } = await import(pathToFileURL(outfile).href);
  writeFileSync(`${root}docs/ingress-nginx.md`, nginxDocument());
} finally {
  rmSync(folder, { recursive: true });
}
