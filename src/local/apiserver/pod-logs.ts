/** pods/log: the lines of one container, as text. */
import type { ServerResponse } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { Pod } from '../../kube/types/index.ts';
import type { LogLine, PodLog } from '../runtime.ts';
import {
  type Call,
  flag,
  type Handler,
  keyOfTarget,
  refuse,
  type ServerContext,
  subjectOf,
  type Target,
} from './call.ts';
import { badRequest, objectNotFound, type Refusal, tooManyRequests } from './status.ts';
import { type PacedWriter, pacedWriter } from './stream.ts';

interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since the epoch; lines before are left out. */
  readonly since: number;
  readonly tailLines?: number;
  readonly limitBytes: number;
}

function wholeNumber(query: URLSearchParams, name: string, least: number): Result<number | undefined, Refusal> {
  const given = query.get(name);
  if (given === null || given === '') return ok(undefined);
  if (/^\d{1,15}$/.test(given) && Number(given) >= least) return ok(Number(given));
  return err(
    badRequest(`${name}: Invalid value: ${JSON.stringify(given)}: must be a whole number of at least ${least}`),
  );
}

/** The container asked for, or the only one there is. */
function containerOf(pod: Pod, query: URLSearchParams): Result<string, Refusal> {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name);
  const wanted = query.get('container') || pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (wanted) {
    if (containers.includes(wanted)) return ok(wanted);
    return err(badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`));
  }
  if (pod.spec.containers.length === 1) return ok(pod.spec.containers[0]!.name);
  return err(
    badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${containers.join(' ')}]`,
    ),
  );
}

function readOptions(call: Call, pod: Pod, now: number): Result<LogOptions, Refusal> {
  const { query } = call;
  const container = containerOf(pod, query);
  if (!container.ok) return container;
  if (flag(query, 'previous')) {
    const { name } = pod.metadata;
    return err(badRequest(`previous terminated container "${container.value}" in pod "${name}" not found`));
  }
  const tail = wholeNumber(query, 'tailLines', 0);
  if (!tail.ok) return tail;
  const seconds = wholeNumber(query, 'sinceSeconds', 1);
  if (!seconds.ok) return seconds;
  const bytes = wholeNumber(query, 'limitBytes', 1);
  if (!bytes.ok) return bytes;
  const sinceText = query.get('sinceTime');
  const sinceTime = sinceText ? Date.parse(sinceText) : undefined;
  if (Number.isNaN(sinceTime)) return err(badRequest(`sinceTime: Invalid value: ${JSON.stringify(sinceText)}`));
  if (sinceTime !== undefined && seconds.value !== undefined)
    return err(badRequest('at most one of sinceTime or sinceSeconds may be specified'));
  return ok({
    container: container.value,
    follow: flag(query, 'follow'),
    timestamps: flag(query, 'timestamps'),
    since: sinceTime ?? (seconds.value === undefined ? 0 : now - seconds.value * 1000),
    limitBytes: bytes.value ?? Number.POSITIVE_INFINITY,
    ...(tail.value !== undefined && { tailLines: tail.value }),
  });
}

/** Nine digits of a second, as the kubelet prints them. */
const timestamp = (time: number) => new Date(time).toISOString().replace('Z', '000000Z');

/** Lines that are there already. The tail is cut before the time, as the kubelet does. */
export function selectLines(
  lines: readonly LogLine[],
  { tailLines, since }: Pick<LogOptions, 'tailLines' | 'since'>,
): LogLine[] {
  const tail = tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - tailLines));
  return tail.filter(({ time }) => time >= since);
}

/** A writer of lines that ends after `limitBytes`; returns false at the end. */
function lineWriter(writer: PacedWriter, options: LogOptions): (line: LogLine) => boolean {
  let left = options.limitBytes;
  return ({ time, text }) => {
    const bytes = Buffer.from(`${options.timestamps ? `${timestamp(time)} ` : ''}${text}\n`);
    writer.write(bytes.subarray(0, Math.min(left, bytes.length)));
    left -= bytes.length;
    return left > 0;
  };
}

/** Follows until the client goes, the Pod goes, or the server closes. A reader that does not keep up is cut off. */
async function follow(
  context: ServerContext,
  target: Target,
  log: PodLog,
  response: ServerResponse,
  options: LogOptions,
  write: (line: LogLine) => boolean,
): Promise<void> {
  const end = () => response.end();
  const stop = log.follow((line) => {
    if (line.time >= options.since && !write(line)) end();
    if (response.writableLength > context.limits.responseBuffer) response.destroy();
  });
  const key = keyOfTarget(target);
  const unsubscribe = context.objects.store.subscribe(({ type, resource, object }) => {
    if (type === 'DELETED' && resource === 'pods' && `${object.metadata.namespace}/${object.metadata.name}` === key)
      end();
  });
  context.streams.add(end);
  await new Promise<void>((resolve) => response.once('close', resolve));
  stop();
  unsubscribe();
  context.streams.delete(end);
}

async function sendLines(
  writer: PacedWriter,
  lines: readonly LogLine[],
  write: (line: LogLine) => boolean,
): Promise<boolean> {
  for (const line of lines) {
    if (!write(line)) return false;
    if (!writer.ready) await writer.drained();
    if (!writer.open) return false;
  }
  return true;
}

export const getPodLog: Handler = (context, call, target) => {
  const pod = context.objects.store.get<Pod>('pods', keyOfTarget(target));
  if (!pod) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  const options = readOptions(call, pod, context.clock.now());
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const { container } = options.value;
  const log = context.podLogs(keyOfTarget(target), container);
  if (!log) {
    const message = `container "${container}" in pod "${target.name}" is waiting to start: ContainerCreating`;
    return refuse(badRequest(message), subjectOf(target));
  }
  if (options.value.follow && context.streams.size >= context.limits.watchers)
    return refuse(tooManyRequests('too many watches are open'));
  return {
    type: 'stream',
    async run(response) {
      response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
      response.flushHeaders();
      const writer = pacedWriter(response, context.limits);
      const write = lineWriter(writer, options.value);
      const before = log.lines();
      const goesOn = await sendLines(writer, selectLines(before, options.value), write);
      if (!goesOn || !options.value.follow) {
        response.end();
        return;
      }
      await follow(context, target, log, response, options.value, write);
    },
  };
};
