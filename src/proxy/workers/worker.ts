/** A worker process: the data plane of one process, fed by another one, on sockets that the other one holds. */
import type { Server } from 'node:net';
import { createMetricsRegistry, type MetricsRegistry } from '../../base/metrics.ts';
import { addProcessMetrics } from '../../base/process-metrics.ts';
import type { AccessRecord } from '../access.ts';
import type { ProxyChannel } from '../channel.ts';
import { type Listen, listening } from '../listener/listen.ts';
import { createProxy } from '../proxy.ts';
import type { StreamRecord } from '../stream/record.ts';
import { createSpanFamilies } from '../trace/otlp/families.ts';
import type { SpanRecord } from '../trace/span.ts';
import { type Delta, decodeDelta } from './delta.ts';
import { type FromWorker, noPlan, type PlanState, type ToWorker } from './messages.ts';
import { unpack } from './packing.ts';
import { createRecordBatches } from './record-batches.ts';
import type { SocketHandle } from './sockets.ts';

type Message<K extends ToWorker['kind']> = Extract<ToWorker, { kind: K }>;

/** What is left of a data plane whose control process is gone, milliseconds. */
const ORPHAN_GRACE_MS = 1_000;

/**
 * Runs until the control process says `close` or is gone. Resolves when all is closed; the caller ends the process.
 * Signals for the whole group of processes are the control process's to act on.
 */
export function runProxyWorker(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  return new Promise((resolve) => {
    const worker = createWorker(resolve);
    process.on('message', (message: ToWorker, socket) => worker.hear(message, socket as SocketHandle | undefined));
    process.once('disconnect', () => worker.close(ORPHAN_GRACE_MS));
    tell({ kind: 'online' });
  });
}

/** `sent` is called when it is on its way, or cannot be. */
function tell(message: FromWorker, sent: () => void = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, sent);
  else sent();
}

function createWorker(ended: () => void) {
  const sockets = createSocketRequests();
  const registry = createMetricsRegistry();
  const records = createRecords(registry);
  let proxy: ProxyChannel | undefined;
  let state: PlanState = noPlan;
  let owned: ReadonlySet<string> = new Set();
  /** Answers to commands that are only a part of the first message. */
  let unasked = 0;
  let closing = false;

  function applyPlan(generation: number): void {
    proxy?.send({ type: 'plan', generation, plan: ownPart(state.plan, owned), bindings: state.bindings });
  }

  function start(message: Message<'start'>): void {
    const { options, wants } = message;
    if (wants.metrics) addProcessMetrics(registry);
    proxy = createProxy({
      ...options,
      listen: sockets.listen,
      onDiagnostic: (finding) => tell({ kind: 'finding', finding }),
      ...(wants.metrics && { metrics: registry }),
      ...(wants.access && { onAccess: records.access.add }),
      ...(wants.stream && { onStream: records.stream.add }),
      ...(wants.span && { onSpan: records.span.add }),
    });
    proxy.onReport(({ generation, listeners }) => {
      if (unasked > 0) unasked--;
      else tell({ kind: 'applied', generation, listeners });
    });
    owned = new Set(message.owned);
    if (message.generation === 0) return;
    // Endpoints first: no request may find its backend empty.
    proxy.send({ type: 'endpoints', generation: message.generation, changed: message.endpoints });
    if (!message.state) return;
    unasked = 1;
    state = unpack(message.state) as PlanState;
    applyPlan(message.generation);
  }

  async function close(graceMs: number): Promise<void> {
    if (closing) return;
    closing = true;
    await proxy?.close(graceMs);
    records.access.flush();
    records.stream.flush();
    records.span.flush();
    // The channel keeps the order: what was told before is on its way when this is.
    tell({ kind: 'finished' }, ended);
  }

  const hearers: { readonly [K in ToWorker['kind']]: (message: Message<K>, socket?: SocketHandle) => void } = {
    start,
    plan(message) {
      state = decodeDelta(state, unpack(message.delta) as Delta | undefined) as PlanState;
      owned = new Set(message.owned);
      applyPlan(message.generation);
    },
    endpoints: ({ generation, changed }) => proxy?.send({ type: 'endpoints', generation, changed }),
    own(message) {
      owned = new Set(message.owned);
      applyPlan(message.generation);
    },
    socket: sockets.answer,
    metrics: ({ id }) => tell({ kind: 'metrics', id, text: registry.expose() }),
    ping: () => tell({ kind: 'pong' }),
    close: ({ graceMs }) => void close(graceMs),
  };

  return {
    hear<K extends ToWorker['kind']>(message: Message<K>, socket: SocketHandle | undefined): void {
      const hearer = hearers[message.kind as K];
      hearer(message, socket);
    },
    close: (graceMs: number) => void close(graceMs),
  };
}

/** A plan without the UDP listeners that others open. */
function ownPart(plan: PlanState['plan'], owned: ReadonlySet<string>): PlanState['plan'] {
  const { streams } = plan;
  if (!streams?.some(({ protocol }) => protocol === 'UDP')) return plan;
  return { ...plan, streams: streams.filter(({ id, protocol }) => protocol !== 'UDP' || owned.has(id)) };
}

function createRecords(registry: MetricsRegistry) {
  const dropped = registry.counter(
    'fairway_proxy_access_log_dropped_total',
    'Lines dropped because the log could not be written (in time).',
  );
  const drop = () => dropped.with().inc();
  const spans = createSpanFamilies(registry);
  return {
    access: createRecordBatches<AccessRecord>((records, sent) => tell({ kind: 'access', records }, sent), drop),
    stream: createRecordBatches<StreamRecord>((records, sent) => tell({ kind: 'stream', records }, sent), drop),
    span: createRecordBatches<SpanRecord>(
      (records, sent) => tell({ kind: 'span', records }, sent),
      () => spans.dropped.with('queue_full').inc(),
    ),
  };
}

/** Gets bound sockets from the control process. */
function createSocketRequests() {
  const waiting = new Map<number, (answer: Message<'socket'>, socket: SocketHandle | undefined) => void>();
  let lastId = 0;

  const listen: Listen = (server, { address, port, backlog }) => {
    const id = ++lastId;
    return listening(server, () => {
      let isClosed = false;
      server.once('close', () => {
        isClosed = true;
      });
      waiting.set(id, ({ error }, socket) => {
        waiting.delete(id);
        if (isClosed) socket?.close();
        else if (socket) server.listen(socket as unknown as Server, backlog);
        else server.emit('error', new Error(error ?? 'the control process gave no socket'));
      });
      tell({ kind: 'listen', id, address, port });
    });
  };

  return {
    listen,
    answer: (message: Message<'socket'>, socket?: SocketHandle) => waiting.get(message.id)?.(message, socket),
  };
}
