/** HAProxy in front, which announces its clients by the PROXY protocol. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend } from '../../../src/proxy/testing/backend.ts';
import { createFront } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import { absence, startJudge } from './judges.ts';
import { dialFrom, laneAddress, type Target } from './run.ts';

const ours: Target = { address: '127.83.5.11', port: 8080 };
const front = createFront({ proxyProtocol: { from: ['127.0.0.0/8'] } });
let app: RecordingBackend;

beforeAll(async () => {
  app = await recordingBackend(ours.address, 8081);
  await front.endpoints({ app: [endpoint(ours.address, 8081)] });
  await front.plan(planOf([listener(ours.address, ours.port, [host('*', [route()])])]));
});

afterAll(async () => {
  await front.close();
  await app.close();
});

const reason = absence('haproxy');
if (reason) console.warn(reason);

describe.skipIf(reason)('what HAProxy announces', () => {
  it.each([
    ['send-proxy', 8082],
    ['send-proxy-v2', 8083],
    ['send-proxy-v2 proxy-v2-options unique-id,crc32c', 8084],
  ])('with %s is believed', async (more, port) => {
    const judge = await startJudge('haproxy', { address: ours.address, port }, ours, more);
    app.requests.length = 0;
    const client = await dialFrom(laneAddress(7), judge);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.closed()).toMatch(/\r\n\r\nok$/);
    client.socket.destroy();
    await judge.close();
    expect(app.requests[0]?.lines).toContain(`X-Forwarded-For: ${laneAddress(7)}`);
  });
});
