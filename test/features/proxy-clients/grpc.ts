/** `@grpc/grpc-js` as client and as server, through both doors (h2c, TLS) to both kinds of backend (h2c, TLS). */
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echoService } from './grpc-server.ts';
import { GRPC_HOST, GRPC_TLS_HOST, type Zoo } from './zoo.ts';

const doors = ['h2c', 'TLS'] as const;
const backends = [
  { backend: 'kubernetes.io/h2c', host: GRPC_HOST },
  { backend: 'grpcs', host: GRPC_TLS_HOST },
] as const;
const same = (value: Buffer) => value;

interface Unary {
  readonly answer: Buffer | undefined;
  readonly error: ServiceError | undefined;
  readonly initial: Metadata;
  readonly trailer: Metadata;
}

export function grpcSuite(zoo: () => Zoo): void {
  const combinations = doors.flatMap((door) => backends.map((one) => ({ door, ...one })));
  describe.each(combinations)('gRPC over $door to $backend', ({ door, host }) => {
    let client: Client;
    beforeAll(() => {
      const port = door === 'TLS' ? 443 : 80;
      client = new Client(`${zoo().address}:${port}`, credentialsFor(door), {
        'grpc.default_authority': host,
        'grpc.ssl_target_name_override': host,
        'grpc.max_receive_message_length': 4 << 20,
      });
    });
    afterAll(() => client?.close());

    const credentialsFor = (kind: (typeof doors)[number]): ChannelCredentials =>
      kind === 'TLS' ? credentials.createSsl(Buffer.from(zoo().certificate)) : credentials.createInsecure();

    function unary(said: string | Buffer, metadata = new Metadata(), options: CallOptions = {}): Promise<Unary> {
      return new Promise((resolve) => {
        let initial = new Metadata();
        let done: Pick<Unary, 'answer' | 'error'> | undefined;
        const { path } = echoService.unary;
        const call = client.makeUnaryRequest(
          path,
          same,
          same,
          Buffer.from(said),
          metadata,
          options,
          (error, answer) => {
            done = { answer, error: error ?? undefined };
          },
        );
        call.on('metadata', (lines: Metadata) => {
          initial = lines;
        });
        call.on('status', ({ metadata: trailer }) => setImmediate(() => resolve({ ...done!, initial, trailer })));
      });
    }

    it('unary: messages of all sizes, metadata both ways, trailers', async () => {
      for (const size of [0, 1, 70_000, 1_000_000]) {
        const { answer, error } = await unary(Buffer.alloc(size, 5));
        expect([error, answer?.length]).toEqual([undefined, size]);
      }
      const metadata = new Metadata();
      metadata.add('x-asked', 'one');
      metadata.add('x-asked', 'two');
      metadata.add('asked-bin', Buffer.from([0, 255, 10, 13]));
      const { initial, trailer } = await unary('hello', metadata);
      expect(initial.get('x-answered').join(', ')).toBe('one, two');
      expect(initial.get('answered-bin')).toEqual([Buffer.from([0, 255, 10, 13])]);
      expect([trailer.get('x-trailer'), trailer.get('details-bin')]).toEqual([['the end'], [Buffer.from([0, 1, 254, 255])]]); // biome-ignore format: one line
    });

    it('unary: an error comes with its details', async () => {
      const { error, trailer } = await unary('fail');
      expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'nicht möglich: 100 %' });
      expect(trailer.get('details-bin')).toEqual([Buffer.from([0, 1, 254, 255])]);
    });

    it('unary: deadlines and cancellations reach the server', async () => {
      const before = zoo().grpc.cancelled();
      const { error } = await unary('hang', new Metadata(), { deadline: Date.now() + 150 });
      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
      await expect.poll(() => zoo().grpc.cancelled()).toBeGreaterThan(before);
      const { path } = echoService.unary;
      const code = await new Promise<number | undefined>((resolve) => {
        const call = client.makeUnaryRequest(path, same, same, Buffer.from('hang'), (failure) =>
          resolve(failure?.code),
        );
        setTimeout(() => call.cancel(), 50);
      });
      expect(code).toBe(status.CANCELLED);
      await expect.poll(() => zoo().grpc.cancelled()).toBeGreaterThan(before + 1);
    });

    it('a message larger than the client takes is refused by the client', async () => {
      const { error } = await unary(Buffer.alloc((4 << 20) - 100));
      expect(error).toBeUndefined();
      const { error: tooLarge } = await unary(Buffer.alloc((4 << 20) + 1));
      expect(tooLarge?.code).toBe(status.RESOURCE_EXHAUSTED);
    });

    it('client streaming', async () => {
      const { path } = echoService.upload;
      const answer = await new Promise<string>((resolve, reject) => {
        const call = client.makeClientStreamRequest(path, same, same, (error, value) =>
          error ? reject(error) : resolve(String(value)),
        );
        for (let i = 0; i < 100; i++) call.write(Buffer.alloc(i * 200));
        call.end();
      });
      expect(answer).toBe('100 messages, 990000 bytes');
    });

    it('server streaming, to its end and cut short by the client', async () => {
      const { path } = echoService.download;
      const all = client.makeServerStreamRequest(path, same, same, Buffer.from('200 5000'));
      const sizes: number[] = [];
      for await (const message of all) sizes.push((message as Buffer).length);
      expect(sizes).toEqual(Array(200).fill(5_000));
      const before = zoo().grpc.cancelled();
      const endless = client.makeServerStreamRequest(path, same, same, Buffer.from('1000000 1000'));
      endless.on('error', () => undefined);
      await new Promise((resolve) => endless.once('data', resolve));
      endless.cancel();
      await expect.poll(() => zoo().grpc.cancelled()).toBeGreaterThan(before);
    });

    it('both ways at once: each message is answered before the next is sent', async () => {
      const { path } = echoService.chat;
      const call = client.makeBidiStreamRequest(path, same, same);
      const answers = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (let i = 0; i < 50; i++) {
        call.write(Buffer.from(`message ${i}`));
        expect(String((await answers.next()).value)).toBe(`message ${i}`);
      }
      call.end();
      expect((await answers.next()).done).toBe(true);
    });

    it('many calls at once', async () => {
      const all = await Promise.all(Array.from({ length: 100 }, (_, i) => unary(`call ${i}`)));
      expect(all.map(({ answer }) => String(answer))).toEqual(Array.from({ length: 100 }, (_, i) => `call ${i}`));
    });
  });
}
