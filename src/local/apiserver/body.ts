/** Request bodies: bounded in size and depth, in JSON, YAML or (built-in kinds only) protobuf. */
import type { IncomingMessage } from 'node:http';
import { isNestedTooDeep } from '../../base/nesting.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { readYaml } from '../../kube/manifests/yaml.ts';
import { isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import type { ApiLimits } from './limits.ts';
import { decodeProtobuf } from './protobuf-objects.ts';
import { badRequest, type Refusal, unsupportedMediaType } from './status.ts';

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
const objectTypes = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

const tooLarge = (limit: number): Refusal => ({
  code: 413,
  reason: 'RequestEntityTooLarge',
  message: `Request entity too large: limit is ${limit}`,
});

/** Media type of the body, without parameters; '' when the request names none. */
export function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** The whole body, or a refusal as soon as it is longer than the limit. */
export function readBody(request: IncomingMessage, limit: number): Promise<Result<Buffer, Refusal>> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve(err(tooLarge(limit)));
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= limit) {
        pieces.push(piece);
        return;
      }
      request.pause();
      request.removeAllListeners('data');
      resolve(err(tooLarge(limit)));
    });
    request.on('end', () => resolve(ok(Buffer.concat(pieces))));
    request.on('error', (error) => resolve(err(badRequest(`the body could not be read: ${error.message}`))));
    request.on('close', () => resolve(err(badRequest('the body ended early'))));
  });
}

/** Depth of brackets outside of strings: what a recursive reader of the value would need. */
export function nestingOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

function parseJson(text: string, limits: ApiLimits): Result<Json, Refusal> {
  if (nestingOf(text) > limits.bodyDepth) return err(badRequest('the body nests too deep'));
  try {
    return ok(JSON.parse(text) as Json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return err(badRequest(`couldn't parse the body as JSON: ${error.message}`));
  }
}

function parseYaml(text: string, limits: ApiLimits): Result<Json, Refusal> {
  const read = readYaml(text);
  if ('fault' in read) {
    const line = text.slice(0, read.fault.offset).split('\n').length;
    return err(badRequest(`couldn't parse the body as YAML: line ${line}: ${read.fault.message}`));
  }
  if (isNestedTooDeep(read.value, limits.bodyDepth)) return err(badRequest('the body nests too deep'));
  // Aliases share nodes; a copy by way of text is what a client would have sent as JSON.
  const json = JSON.stringify(read.value) ?? 'null';
  return json.length > limits.bodyBytes ? err(tooLarge(limits.bodyBytes)) : ok(JSON.parse(json) as Json);
}

export function parseValue(body: Buffer, type: string, limits: ApiLimits): Result<Json, Refusal> {
  const text = body.toString('utf8');
  return type === YAML_TYPE || type.endsWith('+yaml') ? parseYaml(text, limits) : parseJson(text, limits);
}

/** The object that a create or update carries. */
export async function readObject(request: IncomingMessage, limits: ApiLimits): Promise<Result<JsonObject, Refusal>> {
  const type = contentTypeOf(request) || JSON_TYPE;
  if (!objectTypes.includes(type)) return err(unsupportedMediaType(objectTypes, type));
  const body = await readBody(request, limits.bodyBytes);
  if (!body.ok) return body;
  if (type === PROTOBUF_TYPE) {
    const object = decodeProtobuf(body.value, limits.bodyDepth);
    return object.ok ? object : err({ code: 415, reason: 'UnsupportedMediaType', message: object.error });
  }
  const value = parseValue(body.value, type, limits);
  if (!value.ok) return value;
  return isObject(value.value) ? ok(value.value) : err(badRequest('the body must be an object'));
}
