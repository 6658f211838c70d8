/** What one client can do much of (RFC 9113 section 10.5), each bounded in count. */
import { ask, END, get, open, post, pseudo } from './case.ts';
import {
  code,
  continuation,
  data,
  flag,
  headers,
  MAX_WINDOW,
  padded,
  ping,
  priority,
  reset,
  setting,
  settings,
  windowUpdate,
} from './frames.ts';
import { block, FIRST_DYNAMIC, indexed, literal, remembered } from './hpack.ts';

export interface Flood {
  readonly rfc: string;
  readonly name: string;
  /** What comes before. */
  readonly first?: readonly Buffer[];
  /** The frames of round `n`, from 0. */
  readonly round: (n: number) => Buffer;
  readonly rounds: number;
  /** How it ends: with one of these codes, or it is absorbed and the connection still works. */
  readonly ends?: readonly number[];
  readonly absorbed?: boolean;
  /** The client does not read what comes back. */
  readonly deaf?: boolean;
  /** Whole requests that the backend may get of it. */
  readonly mostRequests: number;
}

const stream = (n: number) => 2 * n + 1;
const never = block(pseudo({ ':path': '/never' }));
const both = (...frames: readonly Buffer[]) => Buffer.concat(frames);
const { none, calm, protocol, flowControl, streamClosed, compression } = code;

/** Requests before a client is taken for one that floods: `http2.maxResets` of the test, and what one read may hold. */
export const MAX_RESETS = 100;
const FEW = 2 * MAX_RESETS;

const resetting: readonly Flood[] = [
  {
    ...{ rfc: '9113 10.5', name: 'streams that the client resets at once (CVE-2023-44487)' },
    ...{ round: (n) => both(headers(stream(n), never, END), reset(stream(n))), rounds: 4_000 },
    ...{ ends: [calm], mostRequests: FEW },
  },
  {
    ...{ rfc: '9113 10.5', name: 'uploads that the client resets at once' },
    ...{ round: (n) => both(open(stream(n)), data(stream(n), 'x'), reset(stream(n))), rounds: 4_000 },
    ...{ ends: [calm], mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 8.1.1', name: 'streams that the server resets for their length (CVE-2025-8671)' },
    round: (n) =>
      both(
        headers(stream(n), block([...pseudo({ ':path': '/never' }), ['content-length', '1']])),
        data(stream(n), 'xx', flag.endStream),
      ),
    ...{ rounds: 4_000, ends: [calm, protocol], mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 6.9.1', name: 'streams that the server resets for their window (CVE-2025-8671)' },
    ...{ round: (n) => both(headers(stream(n), never, END), windowUpdate(stream(n), MAX_WINDOW)), rounds: 4_000 },
    ...{ ends: [calm, flowControl], mostRequests: FEW },
  },
  {
    ...{ rfc: '9113 6.9', name: 'streams that the server resets for an increment of 0 (CVE-2025-8671)' },
    ...{ round: (n) => both(headers(stream(n), never, END), windowUpdate(stream(n), 0)), rounds: 4_000 },
    ...{ ends: [calm, protocol], mostRequests: FEW },
  },
  {
    ...{ rfc: '9113 5.1', name: 'streams that the server resets for DATA behind their end (CVE-2025-8671)' },
    ...{ round: (n) => both(headers(stream(n), never, END), data(stream(n), 'x')), rounds: 4_000 },
    ...{ ends: [calm, streamClosed], mostRequests: FEW },
  },
  {
    ...{ rfc: '9113 8.1.1', name: 'malformed requests' },
    ...{ round: (n) => ask(stream(n), ['connection', 'close']), rounds: 4_000 },
    ...{ ends: [calm, protocol], absorbed: true, mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 8.1.1', name: 'requests that are refused' },
    ...{ round: (n) => headers(stream(n), block(pseudo({ ':path': 'no-slash' })), END), rounds: 1_000 },
    ...{ ends: [calm, protocol], absorbed: true, mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 5.1.2', name: 'more streams than are allowed' },
    ...{ round: (n) => headers(stream(n), never, END), rounds: 2_000 },
    ...{ ends: [calm, protocol], absorbed: true, mostRequests: 128 },
  },
];

const blocks: readonly Flood[] = [
  {
    ...{
      rfc: '9113 10.5',
      name: 'CONTINUATION without an end (CVE-2024-28182)',
      first: [headers(1, get(), flag.endStream)],
    },
    ...{ round: () => continuation(1, literal('x-a', 'b'.repeat(1_000)), 0), rounds: 4_000 },
    ...{ ends: [calm], mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 10.5', name: 'empty CONTINUATION', first: [headers(1, get(), flag.endStream)] },
    ...{ round: () => continuation(1, Buffer.alloc(0), 0), rounds: 20_000 },
    ...{ ends: [calm], mostRequests: 0 },
  },
  {
    ...{
      rfc: '9113 10.5.1',
      name: 'a large field, referred to thousands of times',
      first: [headers(1, both(get(), remembered('x-a', 'b'.repeat(4_000))), END)],
    },
    ...{
      round: (n) => headers(stream(n + 1), both(get(), Buffer.alloc(8_000, indexed(FIRST_DYNAMIC))), END),
      rounds: 100,
    },
    ...{ ends: [calm, none, protocol, compression], absorbed: true, mostRequests: 1 },
  },
  {
    ...{ rfc: '9113 10.5.1', name: 'thousands of empty fields' },
    ...{ round: (n) => headers(stream(n), both(get(), Buffer.alloc(15_000, literal('', ''))), END), rounds: 100 },
    ...{ ends: [calm, none, protocol], absorbed: true, mostRequests: 100 },
  },
  {
    ...{ rfc: '9113 10.5.1', name: 'thousands of short fields' },
    ...{ round: (n) => headers(stream(n), both(get(), Buffer.alloc(15_000, literal('x', ''))), END), rounds: 100 },
    ...{ ends: [calm, none, protocol], absorbed: true, mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 10.5.1', name: 'field blocks as large as a frame' },
    ...{ round: (n) => headers(stream(n), both(get(), literal('x-a', 'b'.repeat(16_000))), END), rounds: 100 },
    ...{ ends: [calm, protocol], absorbed: true, mostRequests: 100 },
  },
];

const small: readonly Flood[] = [
  {
    ...{ rfc: '9113 10.5', name: 'empty DATA', first: [open(1)] },
    ...{ round: () => data(1), rounds: 20_000, ends: [calm, protocol], absorbed: true, mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 10.5', name: 'DATA of padding', first: [open(1)] },
    ...{ round: () => data(1, padded(Buffer.alloc(0), 255), flag.padded), rounds: 10_000 },
    ...{ ends: [calm, protocol], absorbed: true, mostRequests: 0 },
  },
  {
    ...{ rfc: '9113 10.5', name: 'HEADERS of padding', first: [] },
    ...{ round: (n) => headers(stream(n), padded(post(), 255), END | flag.padded), rounds: 100 },
    ...{ absorbed: true, mostRequests: 100 },
  },
  ...[false, true].flatMap((deaf): Flood[] => [
    {
      ...{ rfc: '9113 10.5', name: `SETTINGS${deaf ? ', acknowledged to nobody' : ''}`, deaf },
      ...{
        round: () => settings([setting.window, 65_535]),
        rounds: 20_000,
        ends: [calm],
        absorbed: true,
        mostRequests: 0,
      },
    },
    {
      ...{ rfc: '9113 10.5', name: `PING${deaf ? ', answered to nobody' : ''}`, deaf },
      ...{ round: () => ping('12345678'), rounds: 20_000, ends: [calm], absorbed: true, mostRequests: 0 },
    },
  ]),
  {
    ...{ rfc: '9113 10.5', name: 'PRIORITY of streams that are never opened' },
    ...{
      round: (n) => priority(stream(n), stream(n + 1)),
      rounds: 20_000,
      ends: [calm],
      absorbed: true,
      mostRequests: 0,
    },
  },
  {
    ...{ rfc: '9113 10.5', name: 'WINDOW_UPDATE' },
    ...{ round: () => windowUpdate(0, 1), rounds: 20_000, ends: [calm], absorbed: true, mostRequests: 0 },
  },
];

export const floods: readonly Flood[] = [...resetting, ...blocks, ...small];
