/** Sessions over several worker processes: one knows those of the other, and one that takes another's place knows them too. */
import { afterAll, expect, it } from 'vitest';
import { askFront } from '../testing/ask.ts';
import { recordingBackend } from '../testing/backend.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { bundleWorker, createWorkersFront, removeBundles, until } from '../workers/testing.ts';

const address = '127.77.16.30';
const PORT = 8080;
const ends: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const end of ends.reverse()) await end();
  removeBundles();
});

it('sessions are those of all workers, and outlast each of them', async () => {
  for (const last of [31, 32, 33]) {
    const app = await recordingBackend(
      `127.77.16.${last}`,
      PORT,
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${last}`,
    );
    ends.push(app.close);
  }
  const front = createWorkersFront({}, { count: 2, command: await bundleWorker() });
  ends.push(() => front.proxy.close(0));
  await front.endpoints({ app: [31, 32, 33].map((last) => endpoint(`127.77.16.${last}`, PORT)) });
  const affinity = {
    scope: 'Test/test',
    carrier: { type: 'cookie', name: 'sid', secure: 'https' },
    mode: 'persistent',
    absoluteTimeoutMs: 60_000,
  } as const;
  await front.plan(planOf([listener(address, PORT, [host('*', [route({ affinity })])])]));

  const ask = (lines: string[] = []) => askFront(address, PORT, { lines });
  const begun = await ask();
  const pair = begun.headers['set-cookie']!.split(';')[0]!;
  const seen = new Set<string>();
  const askAll = async () => {
    // A connection each, which any of the workers may take.
    for (let i = 0; i < 24; i++) {
      const { body, headers } = await ask([`Cookie: ${pair}`]);
      seen.add(`${body} ${headers['set-cookie'] ?? 'kept'}`);
    }
  };
  await askAll();
  for (const pid of front.proxy.pids()) {
    process.kill(pid, 'SIGKILL');
    await until(() => front.proxy.pids().length === 2 && !front.proxy.pids().includes(pid), 'a worker in its place');
    await askAll();
  }
  expect([...seen]).toEqual([`${begun.body} kept`]);
}, 30_000);
