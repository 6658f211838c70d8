/** gRPC of echo Pods, over node:http2; messages are read by a decoder of the test's own. */
import http2 from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusAnnotation } from './pod-identity.ts';
import { echoPod, startRuntime } from './testing.ts';

const { runtime, run } = startRuntime({ limits: { grpcMessageBytes: 1000 } });
beforeAll(() =>
  run(
    echoPod('grpc-1', '127.78.12.1', {
      containers: [{ name: 'main', ports: [{ containerPort: 8080 }], env: [{ name: 'GRPC_ECHO_SERVER', value: '1' }] }],
    }),
    echoPod('sick-1', '127.78.12.2', {}, { annotations: { [statusAnnotation]: '503' } }),
  ),
);
afterAll(() => runtime.close());

const echoService = '/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';

interface Call {
  status: string;
  message: string;
  body: Buffer;
}

async function call(path: string, headers: Record<string, string> = {}, message = Buffer.alloc(0), host = 1) {
  const session = http2.connect(`http://127.78.12.${host}:8080`);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const result: Call = { status: '', message: '', body: Buffer.alloc(0) };
  const note = (fields: http2.IncomingHttpHeaders) => {
    result.status = String(fields['grpc-status'] ?? result.status);
    result.message = String(fields['grpc-message'] ?? result.message);
  };
  stream.on('response', note);
  stream.on('trailers', note);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([frame, message]));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  result.body = Buffer.concat(chunks);
  return result;
}

/** Fields of a message by number: bytes, or numbers for varints. */
function decode(bytes: Buffer): Map<number, (Buffer | number)[]> {
  const fields = new Map<number, (Buffer | number)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const value = (key & 7) === 0 ? varint() : bytes.subarray(at + 0, 0);
    const field = typeof value === 'number' ? value : take(varint());
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), field]);
  }
  function take(length: number): Buffer {
    at += length;
    return bytes.subarray(at - length, at);
  }
  return fields;
}

const text = (fields: Map<number, (Buffer | number)[]>, number: number) => fields.get(number)?.map(String) ?? [];
const message = (fields: Map<number, (Buffer | number)[]>, number: number) => decode(fields.get(number)![0] as Buffer);

describe('gRPC echo service', () => {
  it.each(['Echo', 'EchoTwo'])('%s tells the method, the headers, the authority and the Pod', async (method) => {
    const answer = await call(`${echoService}/${method}`, { 'x-test': 'yes', ':authority': 'grpc.example.com' });
    expect(answer.status).toBe('0');
    expect(answer.body.readUInt32BE(1)).toBe(answer.body.length - 5);
    const assertions = message(decode(answer.body.subarray(5)), 1);
    expect(text(assertions, 1)).toEqual([`${echoService}/${method}`]);
    expect(text(assertions, 3)).toEqual(['grpc.example.com']);
    const headers = assertions.get(2)!.map((field) => decode(field as Buffer));
    const pairs = headers.map((header) => [text(header, 1)[0], text(header, 2)[0]]);
    expect(pairs).toContainEqual([':authority', 'grpc.example.com']);
    expect(pairs).toContainEqual(['x-test', 'yes']);
    expect(pairs.map(([name]) => name)).not.toContain('te');
    const context = message(assertions, 4);
    expect([text(context, 1), text(context, 3), text(context, 4)]).toEqual([['shop'], ['web'], ['grpc-1']]);
    expect(context.has(2)).toBe(false);
    expect(runtime.logs('shop/grpc-1')!.lines().at(-1)!.text).toMatch(/^Received over plaintext: .*\/Echo/);
  });

  it('has methods and services that are not implemented', async () => {
    expect(await call(`${echoService}/EchoThree`)).toMatchObject({
      status: '12',
      message: 'method EchoThree not implemented',
    });
    expect(await call('/hipstershop.CartService/GetCart')).toMatchObject({
      status: '12',
      message: 'unknown service hipstershop.CartService',
    });
  });

  it('is healthy', async () => {
    const { status, body } = await call('/grpc.health.v1.Health/Check');
    expect(status).toBe('0');
    expect(decode(body.subarray(5)).get(1)).toEqual([1]);
  });

  it('refuses messages beyond the limit', async () => {
    expect(await call(`${echoService}/Echo`, {}, Buffer.alloc(2000))).toMatchObject({ status: '8' });
  });

  it('answers with the code that belongs to a forced status', async () => {
    expect(await call(`${echoService}/Echo`, {}, undefined, 2)).toMatchObject({ status: '14' });
  });
});
