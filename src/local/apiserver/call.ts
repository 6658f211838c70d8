/** One request on its way through the server, and what every handler may use. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { ObjectApi } from '../../kube/objects.ts';
import type { JsonObject } from '../../kube/patch/json.ts';
import type { Resource } from '../../kube/resources.ts';
import type { PodLog } from '../runtime.ts';
import type { ApiLimits } from './limits.ts';
import type { Media } from './negotiate.ts';
import type { SchemaSource } from './schemas.ts';
import { type Refusal, type Subject, statusOf } from './status.ts';

export interface ServerContext {
  readonly objects: ObjectApi;
  readonly schemas: SchemaSource;
  readonly podLogs: (key: string, container?: string) => PodLog | undefined;
  readonly limits: ApiLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Open watches and followed logs. */
  readonly streams: Set<() => void>;
}

export interface Call {
  readonly method: string;
  /** Path without the query, split at `/` and decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly accept: Media;
}

/** The part of a request that names a resource or an object of it. */
export interface Target {
  readonly resource: Resource;
  /** The version in the path; one of `resource.versions`. */
  readonly version: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

export type Reply =
  | {
      readonly type: 'object';
      readonly code: number;
      readonly body: JsonObject;
      readonly contentType?: string;
      readonly warnings?: readonly string[];
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'bytes';
      readonly code: number;
      readonly contentType: string;
      readonly body: Buffer | string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Writes the response itself, in pieces. */
  | { readonly type: 'stream'; readonly run: (response: ServerResponse) => Promise<void> };

export type Handler = (context: ServerContext, call: Call, target: Target) => Reply | Promise<Reply>;

export function found(body: JsonObject, warnings: readonly string[] = [], code = 200): Reply {
  return { type: 'object', code, body, warnings };
}

export function refuse(refusal: Refusal, subject: Subject = {}): Reply {
  const { retryAfterSeconds } = refusal;
  return {
    type: 'object',
    code: refusal.code,
    body: statusOf(refusal, subject),
    contentType: 'application/json',
    ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
  };
}

export function text(body: string, code = 200): Reply {
  return { type: 'bytes', code, contentType: 'text/plain; charset=utf-8', body };
}

/** Key of the target in the store. */
export function keyOfTarget({ namespace, name }: Target): string {
  return namespace === undefined ? name! : `${namespace}/${name}`;
}

export function subjectOf({ resource, name }: Target): Subject {
  return { resource, ...(name !== undefined && { name }) };
}

/** `true`, `1`, `t`… as Go reads a boolean; a parameter without a value counts as true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !/^(0|f|false)$/i.test(value);
}
