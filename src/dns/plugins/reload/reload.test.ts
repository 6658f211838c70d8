/** Several server blocks with `reload`, as in the Corefile of node-cache. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';

const address = '127.82.12.6';
let server: TestServer | undefined;
afterEach(() => server?.stop());

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 8000;
  while (!holds() && performance.now() < end) await new Promise((resume) => setTimeout(resume, 20));
}

describe('reload in several blocks', () => {
  it('looks at the Corefile once, as often as the last block says, and tells of a failure once', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'reload-')), 'Corefile');
    const text = 'a.test {\n reload 1h 0\n whoami\n}\nb.test {\n reload 2s 0\n whoami\n}\n';
    writeFileSync(file, text);
    // The text of a file, so that the server reads it again.
    server = await serveCorefile(text, { address, file, text: undefined });
    const lines = (part: string) => server!.logs.filter((line) => line.includes(part));
    expect(lines('Running configuration')).toHaveLength(1);
    writeFileSync(file, `${text}c.test {\n nonsense\n}\n`);
    await until(() => lines('reload failed').length > 0);
    // The others, if there were any, would look at the same moment.
    await new Promise((resume) => setTimeout(resume, 100));
    expect(lines('reload failed')).toEqual([expect.stringContaining("Unknown directive 'nonsense'")]);
    expect(server.server.metrics.expose()).toMatch(/^coredns_reload_failed_total 1$/m);
  }, 15_000);
});
