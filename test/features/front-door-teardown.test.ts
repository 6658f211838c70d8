/** A front door that cannot start leaves nothing open: the next one finds every port free. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DataPlaneFile } from '../../src/local/data-plane-file.ts';
import { ask, canBind, eventually, openDoor } from '../support/door.ts';
import { app, gateway, stream } from '../support/manifests.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

it.skipIf(!canBind)('closes what it opened when something throws at the end of its start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'teardown-'));
  const options = {
    ...{ paths: ['-'], stdin: stream(...app('web'), gateway('door')), apiPort: 18_129, dnsPort: 18_130 },
    ...{ watch: true, stateFolder: join(folder, 'state'), telemetry: { metrics: { host: '127.0.0.1', port: 18_131 } } },
  };
  // Findings are put together when all sockets are open.
  const broken = {
    options: {},
    get diagnostics(): never {
      throw new Error('no findings');
    },
  } as DataPlaneFile;
  const open = () => process.getActiveResourcesInfo().filter((name) => /Server|UDP/.test(name));
  const before = open();
  await expect(openDoor(-7, { ...options, dataPlane: broken })).rejects.toThrow('no findings');
  expect(await eventually(open, (now) => now.length === before.length)).toEqual(before);
  const door = await openDoor(-7, options);
  try {
    expect(door.summary).toMatchObject({
      diagnostics: [],
      api: 'http://127.0.0.1:18129',
      metrics: 'http://127.0.0.1:18131/metrics',
    });
    expect((await ask({ address: door.summary.gateways[0]!.addresses[0]! })).status).toBe(404);
  } finally {
    await door.close();
    rmSync(folder, { recursive: true });
  }
});
