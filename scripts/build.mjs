// Bundles the command line into dist/ (a fraction of a second), so that a start pays for no module resolution.
// `--if-stale` does nothing when dist/ is newer than every source file.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = join(root, 'src/cli/main.ts');
const target = join(root, 'dist/main.js');

/** Newest modification time below a folder, in milliseconds since the epoch. */
function newest(folder) {
  let latest = 0;
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    latest = Math.max(latest, item.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

function isFresh() {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  const inputs = [
    newest(join(root, 'src')),
    newest(join(root, 'data')),
    statSync(join(root, 'package-lock.json')).mtimeMs,
  ];
  return inputs.every((time) => time <= built);
}

if (!(process.argv.includes('--if-stale') && isFresh())) {
  const { build } = await import('esbuild');
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await build({
    // Threads and processes are started from files of their own.
    entryPoints: { main: entry, 'password-thread': join(root, 'src/proxy/filters/basic-auth/password-thread.js') },
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    minifySyntax: true,
    legalComments: 'none',
    // Libraries written as CommonJS call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
