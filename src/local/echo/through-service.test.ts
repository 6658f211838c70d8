/** The way of a request in the local cluster without Ingress or Gateway: ClusterIP, forwarding, echo Pod. */
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createStore } from '../../kube/store/store.ts';
import { type BindPolicy, createBindPolicy, probeBinding } from '../../service/bind.ts';
import { endpointSliceResource } from '../../service/endpoints.ts';
import { createServiceForwarder, type ServiceForwarder } from '../../service/forward/forwarder.ts';
import { service, slice } from '../../service/testing.ts';
import { echoPod, hasTool, runTool, startRuntime, type TestRuntime } from './testing.ts';

let echo: TestRuntime;
let forwarder: ServiceForwarder;

/** Two echo Pods behind `127.78.15.100:80`. */
async function cluster(policy: BindPolicy): Promise<void> {
  const store = createStore();
  echo = startRuntime({ policy, store });
  const containers = [{ name: 'main', ports: [{ containerPort: 80 }] }];
  await echo.run(echoPod('web-1', '127.78.15.1', { containers }), echoPod('web-2', '127.78.15.2', { containers }));
  store.put('services', service('web', { clusterIP: '127.78.15.100', ports: [{ port: 80 }] }));
  store.put(endpointSliceResource, slice('web', ['127.78.15.1', '127.78.15.2'], [{ port: 80 }]));
  forwarder = createServiceForwarder({ store, policy, nodeAddresses: [] });
  await forwarder.start();
}

describe('a Service with real ports', () => {
  let native = false;
  beforeAll(async () => {
    const policy = await probeBinding({ probeAddress: '127.78.15.254' });
    native = policy.mode === 'native';
    if (native) await cluster(policy);
  });
  afterAll(async () => {
    if (!native) return;
    forwarder.stop();
    await echo.runtime.close();
  });

  it('takes curl to the Pods in turn', async (context) => {
    if (!native) context.skip('this user may not bind port 80');
    if (!hasTool('curl')) context.skip('curl is not installed');
    const pods = [];
    for (let i = 0; i < 4; i++)
      pods.push(JSON.parse((await runTool('curl', ['-s', 'http://127.78.15.100/'])).stdout).pod);
    expect([...pods].sort()).toEqual(['web-1', 'web-1', 'web-2', 'web-2']);
    expect(pods[0]).toBe(pods[2]);
  });

  it('carries WebSockets', async (context) => {
    if (!native) context.skip('this user may not bind port 80');
    const socket = new WebSocket('ws://127.78.15.100/ws');
    await once(socket, 'open');
    socket.send('through');
    expect(String((await once(socket, 'message'))[0])).toBe('through');
    socket.close();
    await once(socket, 'close');
  });

  it('survives whatever bytes come', async (context) => {
    if (!native) context.skip('this user may not bind port 80');
    const start = fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01');
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (first, rest) => {
        const socket = connect({ host: '127.78.15.100', port: 80 });
        socket.on('error', () => undefined);
        socket.resume();
        socket.end(Buffer.concat([Buffer.from(first, 'latin1'), rest]));
        await once(socket, 'close');
      }),
      { numRuns: 60 },
    );
    expect((await fetch('http://127.78.15.100/health')).status).toBe(200);
    expect(forwarder.load().connections).toBeLessThanOrEqual(2);
  });
});

describe('a Service without the right to bind low ports', () => {
  it.each(['high-ports', 'single-address'] as const)('is found at its moved place (%s)', async (mode) => {
    const policy = createBindPolicy(mode, { portRange: [21_800, 21_900] });
    await cluster(policy);
    const { address, port } = policy.map('127.78.15.100', 80, 'TCP');
    expect(port).toBeGreaterThan(1024);
    const answer = await (await fetch(`http://${address}:${port}/`)).json();
    expect(answer).toMatchObject({ httpPort: '80', pod: expect.stringMatching(/^web-[12]$/) });
    forwarder.stop();
    await echo.runtime.close();
  });
});
