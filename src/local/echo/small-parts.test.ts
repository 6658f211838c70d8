import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGoDuration } from './go-duration.ts';
import { canonicalHeader, headerMap } from './headers.ts';
import { createLogRing } from './log-ring.ts';
import { podPorts } from './pod-ports.ts';
import { classify } from './sniff.ts';
import { echoPod } from './testing.ts';

describe('Go durations', () => {
  it.each([
    ['1s', 1000],
    ['1.5h', 5_400_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['10us', 0.01],
    ['0', 0],
    ['.5s', 500],
    ['-1s', -1000],
  ])('%s is %d ms', (text, milliseconds) => expect(parseGoDuration(text)).toBeCloseTo(milliseconds));
  it.each(['', '1', 's', '1 s', '1d', '1s2', '--1s', '1e3s'])('%j is none', (text) =>
    expect(parseGoDuration(text)).toBeUndefined(),
  );
});

describe('headers as Go shows them', () => {
  it.each([
    ['x-forwarded-for', 'X-Forwarded-For'],
    ['CONTENT-TYPE', 'Content-Type'],
    ['x--y', 'X--Y'],
    ['foo bar', 'foo bar'],
    ['x_y-z', 'X_y-Z'],
  ])('%s is %s', (name, canonical) => expect(canonicalHeader(name)).toBe(canonical));

  it('are grouped by name and sorted, without what the server consumes', () => {
    const map = headerMap([
      ['x-b', '1'],
      ['Host', 'h'],
      ['X-A', '2'],
      ['X-B', '3'],
      ['Transfer-Encoding', 'chunked'],
    ]);
    expect(JSON.stringify(map)).toBe('{"X-A":["2"],"X-B":["1","3"]}');
  });
});

describe('first bytes', () => {
  const of = (text: string) => classify(Buffer.from(text, 'latin1'));

  it.each([
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['M-SEARCH * HTTP/1.1\r\n', 'http1'],
    ['POST /x HTTP/1.0\n', 'http1'],
    [`GET /${'x'.repeat(9000)}`, 'http1'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0', 'http2'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\nX', 'tcp'],
    ['\x16\x03\x01', 'tls'],
    ['\x16\x04', 'tcp'],
    ['GET key\r\n', 'tcp'],
    ['GET / HTTP/2\r\n', 'tcp'],
    ['HELLO', 'tcp'],
    ['\0', 'tcp'],
    ['', undefined],
    ['\x16', undefined],
    ['P', undefined],
    ['GET', undefined],
    ['GET /', undefined],
  ])('%j begin %s', (bytes, speech) => expect(of(bytes)).toBe(speech));

  it('are judged alike however few come first', () => {
    const beginning = fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01',
      'hello\n',
      'PUT x\n',
    );
    fc.assert(
      fc.property(beginning, fc.string(), (start, rest) => {
        const whole = of(start + rest);
        const decisions = Array.from(start, (_, i) => of(start.slice(0, i + 1))).filter((it) => it !== undefined);
        expect(new Set(decisions)).toEqual(new Set([whole]));
      }),
    );
  });
});

describe('log ring', () => {
  it('keeps the newest lines within both bounds, each on one line', () => {
    const ring = createLogRing({ maxLines: 3, maxChars: 10, now: () => 7 });
    for (const text of ['a', 'b', 'c\nd', 'e']) ring.append(text);
    expect(ring.lines().map(({ text }) => text)).toEqual(['b', 'c d', 'e']);
    ring.append('1234567');
    expect(ring.lines().map(({ text }) => text)).toEqual(['e', '1234567']);
    ring.append('x'.repeat(5000));
    expect(ring.lines()).toEqual([{ time: 7, text: 'x'.repeat(4096) }]);
  });
});

describe('ports of a Pod', () => {
  const list = (...args: Parameters<typeof podPorts>) =>
    podPorts(...args).map(({ port, protocol, container, speech }) => `${container} ${port}/${protocol} ${speech}`);
  const none = () => [];
  const pod = (spec: Parameters<typeof echoPod>[2]) => echoPod('p', '127.78.1.1', spec);
  const image = 'registry.k8s.io/gateway-api/conformance/echo-basic:v0.1.0';

  it('are those declared by containers and sidecars, once each', () => {
    const spec = {
      containers: [
        {
          name: 'a',
          ports: [{ containerPort: 80 }, { containerPort: 80 }, { containerPort: 53, protocol: 'UDP' as const }],
        },
        {
          name: 'b',
          ports: [{ containerPort: 80 }, { containerPort: 9, protocol: 'SCTP' as const }, { containerPort: 70_000 }],
        },
      ],
      initContainers: [
        { name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 81 }] },
        { name: 'init', ports: [{ containerPort: 82 }] },
      ],
    };
    expect(list(pod(spec), () => [{ port: 99, protocol: 'TCP' as const }], 64)).toEqual([
      'a 80/TCP any',
      'a 53/UDP udp-echo',
      'side 81/TCP any',
    ]);
    expect(list(pod(spec), none, 2)).toHaveLength(2);
  });

  it('are the defaults of the conformance echo server, by its environment', () => {
    const of = (env: Record<string, string>) =>
      list(
        pod({ containers: [{ name: 'm', image, env: Object.entries(env).map(([name, value]) => ({ name, value })) }] }),
        none,
        64,
      );
    expect(of({})).toEqual(['m 3000/TCP any', 'm 3001/TCP h2c-only']);
    expect(of({ TLS_SERVER_CERT: '/c' })).toEqual(['m 3000/TCP any', 'm 8443/TCP any', 'm 3001/TCP h2c-only']);
    expect(of({ GRPC_ECHO_SERVER: '1', HTTP_PORT: '50051' })).toEqual(['m 50051/TCP any']);
    expect(of({ TCP_ECHO_SERVER: '1', TLS_SERVER_CERT: '/c' })).toEqual(['m 3000/TCP tcp-test', 'm 8443/TCP tls-test']);
    expect(of({ UDP_ECHO_SERVER: '1' })).toEqual(['m 8080/UDP udp-json']);
    expect(of({ HTTP_PORT: 'abc' })).toEqual(['m 3001/TCP h2c-only']);
  });

  it('are those that Services name, when none is declared', () => {
    const guessed = () => [
      { port: 53, protocol: 'UDP' as const },
      { port: 9000, protocol: 'TCP' as const },
    ];
    expect(list(pod({ containers: [{ name: 'm' }] }), guessed, 64)).toEqual(['m 53/UDP udp-echo', 'm 9000/TCP any']);
    expect(list(pod({ containers: [] }), guessed, 64)).toEqual([]);
  });
});
