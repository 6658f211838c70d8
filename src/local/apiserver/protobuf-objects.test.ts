import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthField } from './protobuf.ts';
import { decodeProtobuf } from './protobuf-objects.ts';

const magic = Buffer.from('k8s\0');
/** runtime.Unknown: typeMeta = 1, raw = 2. */
const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
  Buffer.concat([
    magic,
    lengthField(1, Buffer.concat([lengthField(1, apiVersion), lengthField(2, kind)])),
    lengthField(2, raw),
  ]);

function decode(apiVersion: string, kind: string, ...fields: Buffer[]): unknown {
  const result = decodeProtobuf(envelope(apiVersion, kind, Buffer.concat(fields)), 100);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const entry = (key: string, value: string | Buffer) => Buffer.concat([lengthField(1, key), lengthField(2, value)]);

describe('objects in protobuf', () => {
  // Field numbers: k8s.io/api/core/v1/generated.proto.
  it('reads a Secret: metadata, a map of bytes, strings', () => {
    const metadata = Buffer.concat([lengthField(1, 'tls'), lengthField(2, ''), lengthField(11, entry('a', 'b'))]);
    expect(
      decode(
        'v1',
        'Secret',
        lengthField(1, metadata),
        lengthField(2, entry('k', Buffer.from([0, 255]))),
        lengthField(3, 'Opaque'),
      ),
    ).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'tls', labels: { a: 'b' } },
      data: { k: 'AP8=' },
      type: 'Opaque',
    });
  });

  it('reads a Service: a list of messages, numbers, int-or-string', () => {
    // targetPort {type = 1: string, strVal = 3}; port 80.
    const port = Buffer.concat([
      Buffer.from([0x18, 80]),
      lengthField(4, Buffer.concat([Buffer.from([0x08, 1]), lengthField(3, 'web')])),
    ]);
    expect(decode('v1', 'Service', lengthField(2, lengthField(1, port)))).toMatchObject({
      spec: { ports: [{ port: 80, targetPort: 'web' }] },
    });
  });

  it('keeps a zero that is set, and flattens embedded messages', () => {
    // DeploymentSpec.replicas = 1 is a pointer; Volume.volumeSource = 2 is inline, emptyDir = 2 within it.
    expect(decode('apps/v1', 'Deployment', lengthField(2, Buffer.from([0x08, 0])))).toMatchObject({
      spec: { replicas: 0 },
    });
    const volume = Buffer.concat([lengthField(1, 'tmp'), lengthField(2, lengthField(2, Buffer.alloc(0)))]);
    expect(decode('v1', 'Pod', lengthField(2, lengthField(1, volume)))).toMatchObject({
      spec: { volumes: [{ name: 'tmp', emptyDir: {} }] },
    });
  });

  it('refuses kinds that it has no description of', () => {
    expect(decodeProtobuf(envelope('example.com/v1', 'Thing', Buffer.alloc(0)), 100)).toEqual({
      ok: false,
      error: 'Thing in version "example.com/v1" cannot be read from protobuf',
    });
  });

  it('never throws, whatever the bytes', () => {
    const kind = fc.constantFrom(['v1', 'Pod'], ['v1', 'Secret'], ['apps/v1', 'Deployment'], ['v1', 'Event']);
    const tree: fc.Memo<Buffer> = fc.memo((depth) =>
      fc
        .array(
          fc.tuple(
            fc.integer({ min: 1, max: 12 }),
            depth > 1 ? fc.oneof(tree(), fc.uint8Array().map(Buffer.from)) : fc.uint8Array().map((b) => Buffer.from(b)),
          ),
          { maxLength: 4 },
        )
        .map((fields) => Buffer.concat(fields.map(([number, value]) => lengthField(number, Buffer.from(value))))),
    );
    fc.assert(
      fc.property(
        kind,
        fc.oneof(
          tree(4),
          fc.uint8Array().map((b) => Buffer.from(b)),
        ),
        ([apiVersion, name], raw) => {
          expect(typeof decodeProtobuf(envelope(apiVersion!, name!, raw), 50).ok).toBe('boolean');
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(typeof decodeProtobuf(Buffer.concat([magic, bytes]), 50).ok).toBe('boolean');
      }),
    );
  });
});
