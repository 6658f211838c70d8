// Prints docs/diagnostics.md from the registry in src/base/diagnostics. `npm run docs` writes it; a test compares.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = await build({
  entryPoints: [`${root}src/base/diagnostics/document.ts`],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const module = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].text).toString('base64')}`
);
writeFileSync(`${root}docs/diagnostics.md`, module.diagnosticsDocument());
