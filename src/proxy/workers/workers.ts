/**
 * The data plane in several processes: one channel in, the same data plane in each of the workers behind it. This
 * process holds the listening sockets, tells workers what changed, and puts together what they say; it serves nobody
 * and is in nobody's way.
 */
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import { freshSecret } from '../affinity/ids.ts';
import type { ProxyChannel, ProxyCommand, ProxyReport } from '../channel.ts';
import { defaults, type ProxyOptions } from '../options.ts';
import { checkOptions } from '../proxy.ts';
import { createTickets } from '../tls/tickets.ts';
import { createAgreement } from './agreement.ts';
import { type CrewLimits, createCrew, crewLimits, type Worker, type WorkerCommand } from './crew.ts';
import { encodeDelta } from './delta.ts';
import { createFindingsOnce } from './findings-once.ts';
import { createWorkerFamilies } from './gauges.ts';
import { type Endpoints, type FromWorker, noPlan, type PlanState, type Wants, type WorkerOptions } from './messages.ts';
import { pack } from './packing.ts';
import { createScrape } from './scrape.ts';
import { createSockets, type Place } from './sockets.ts';
import { createUdpOwners } from './udp-owners.ts';

export type { WorkerCommand } from './crew.ts';

export interface WorkersOptions extends Partial<CrewLimits> {
  /** Processes, at least 1. */
  readonly count: number;
  /** What runs `runProxyWorker` in each of them. */
  readonly command: WorkerCommand;
  /** For the metrics of one worker. Milliseconds; default 500. */
  readonly metricsTimeoutMs?: number;
}

export interface ProxyWorkers extends ProxyChannel {
  /** One page of metrics: this process's own, and what all workers count. */
  metricsPage(own: string): Promise<string>;
  /** Processes that serve. */
  pids(): readonly number[];
}

/** Ends in a row after which nobody waits for a worker that would serve. */
const hopelessFailures = 2;

/** Starts the processes; they accept connections once they have a plan. Throws as createProxy does. Send it commands like any data plane. */
export function createProxyWorkers(options: ProxyOptions, workersOptions: WorkersOptions): ProxyWorkers {
  checkOptions(options);
  const { count, command, metricsTimeoutMs = 500, ...more } = workersOptions;
  const limits: CrewLimits = { ...crewLimits, ...more };
  const { metrics, onAccess, onStream, onSpan, onDiagnostic = () => {}, listen: _own, ...data } = options;
  const wants: Wants = { access: !!onAccess, stream: !!onStream, span: !!onSpan, metrics: !!metrics };
  const families = metrics && createWorkerFamilies(metrics);
  const tickets = createTickets(data.tls?.ticketRotationMs ?? defaults.tls.ticketRotationMs, data.ticketSecret);
  const affinitySecret = data.affinitySecret ?? freshSecret();
  const sockets = createSockets();
  const owners = createUdpOwners();
  const scrape = createScrape(metricsTimeoutMs);
  const findings = createFindingsOnce(onDiagnostic);
  const reporters: ((report: ProxyReport) => void)[] = [];
  const agreement = createAgreement(agreed);
  const endpoints = new Map<string, NonNullable<Endpoints[string]>>();
  /** Told everything; what comes now reaches them as changes. */
  const told = new Map<number, Worker>();
  /** There from the start, and counted on before they have said anything. */
  const first = new Set<number>();
  /** Numbers of commands and questions that they have not answered. */
  const owed = new Map<number, number>();
  let state: PlanState | undefined;
  let generation = 0;
  let planGeneration = 0;
  let closing = false;

  const crew = createCrew(count, command, limits, { began, heard, ended });

  function agreed(report: ProxyReport): void {
    if (closing) return;
    // Workers that have this plan have closed what they do not need any more.
    if (state && report.generation >= planGeneration) sockets.keepOnly(placesOf(state));
    for (const reporter of reporters) reporter(report);
  }

  function began(worker: Worker, awaited: boolean): void {
    if (awaited) first.add(worker.id);
    agreement.join(worker.id, awaited);
  }

  function introduce(worker: Worker): void {
    told.set(worker.id, worker);
    shareUdp(worker);
    tickets.turn(Date.now());
    owed.set(worker.id, 0);
    worker.send({
      kind: 'start',
      options: { ...data, affinitySecret, ticketSecret: tickets.secret() } satisfies WorkerOptions,
      wants,
      generation,
      ...(state && { state: pack(state) }),
      endpoints: Object.fromEntries(endpoints),
      owned: owners.of(worker.id),
    });
    if (generation > 0) owe(worker);
    else worker.owes(false);
  }

  function owe(worker: Worker): void {
    const before = owed.get(worker.id) ?? 0;
    owed.set(worker.id, before + 1);
    if (before === 0) worker.owes(true);
  }

  /** One that hangs would not be noticed before the next change: those that owe nothing are asked. */
  function ask(): void {
    for (const worker of told.values()) {
      if ((owed.get(worker.id) ?? 0) > 0) continue;
      worker.send({ kind: 'ping' });
      owe(worker);
    }
  }

  function acknowledged(worker: Worker): void {
    const left = (owed.get(worker.id) ?? 1) - 1;
    owed.set(worker.id, left);
    worker.owes(left > 0);
  }

  /** Gives UDP listeners that have no owner to workers, and tells which workers have others now. */
  function assignUdp(): ReadonlySet<number> {
    const ids = (state?.plan.streams ?? []).filter(({ protocol }) => protocol === 'UDP').map(({ id }) => id);
    const able = [...crew.workers.keys()].filter((id) => told.has(id) || first.has(id));
    return owners.assign(ids, able);
  }

  /** The same for a plan that is in force: workers are told, but for `except`. */
  function shareUdp(except?: Worker): void {
    const changed = assignUdp();
    for (const worker of told.values()) {
      if (worker === except || !changed.has(worker.id)) continue;
      worker.send({ kind: 'own', generation: planGeneration, owned: owners.of(worker.id) });
      owe(worker);
    }
  }

  function ended(worker: Worker, how: string, failures: number): void {
    told.delete(worker.id);
    owed.delete(worker.id);
    scrape.left(worker.id);
    findings.left(worker.id);
    families?.ends.inc();
    onDiagnostic(diagnostic('FW5230', { message: `worker process ${worker.pid ?? '(none)'} ${how}` }));
    shareUdp();
    agreement.left(worker.id);
    if (told.size === 0 && failures >= hopelessFailures && state)
      agreement.nobody(listenerIdsOf(state.plan), `no worker process runs: the last ${how}`);
    showWorkers();
  }

  const serving = () => [...told.values()].filter(({ id }) => agreement.serves(id));
  const showWorkers = () => families?.workers.set(serving().length);

  function listen(worker: Worker, { id, ...place }: Extract<FromWorker, { kind: 'listen' }>): void {
    // One that is behind asks for what nobody would close again; its next plan is on the way.
    const isWanted = state && placesOf(state).some((one) => one.address === place.address && one.port === place.port);
    const socket = isWanted ? sockets.take(place) : 'the plan has moved on';
    if (typeof socket === 'string') worker.send({ kind: 'socket', id, error: socket });
    else worker.send({ kind: 'socket', id }, socket);
  }

  function heard(worker: Worker, message: FromWorker): void {
    if (message.kind === 'finding') findings.heard(worker.id, message.finding);
    else if (message.kind === 'access') for (const record of message.records) onAccess?.(record);
    else if (message.kind === 'stream') for (const record of message.records) onStream?.(record);
    else if (message.kind === 'span') for (const record of message.records) onSpan?.(record);
    else if (message.kind === 'metrics') scrape.heard(worker.id, message.id, message.text);
    if (closing || !crew.workers.has(worker.id)) return;
    if (message.kind === 'online') introduce(worker);
    else if (message.kind === 'listen') listen(worker, message);
    else if (message.kind === 'pong') acknowledged(worker);
    else if (message.kind === 'applied') {
      acknowledged(worker);
      agreement.acknowledged(worker.id, message.generation, message.listeners);
      showWorkers();
    }
  }

  function sendPlan(command: Extract<ProxyCommand, { type: 'plan' }>): void {
    const next: PlanState = { plan: command.plan, bindings: command.bindings };
    // The first plan is there before any worker, which is then told all of it at once.
    const delta = told.size > 0 ? pack(encodeDelta(state ?? noPlan, next)) : undefined;
    state = next;
    planGeneration = command.generation;
    assignUdp();
    for (const worker of told.values()) {
      worker.send({ kind: 'plan', generation, delta: delta!, owned: owners.of(worker.id) });
      owe(worker);
    }
  }

  function sendEndpoints({ changed }: Extract<ProxyCommand, { type: 'endpoints' }>): void {
    for (const [id, list] of Object.entries(changed)) {
      if (list) endpoints.set(id, list);
      else endpoints.delete(id);
    }
    for (const worker of told.values()) {
      worker.send({ kind: 'endpoints', generation, changed });
      owe(worker);
    }
  }

  crew.start();
  const asking = setInterval(ask, limits.hungMs / 2);
  asking.unref();
  return {
    send(command) {
      if (closing) return;
      generation = command.generation;
      agreement.sent(generation, command.type);
      if (command.type === 'plan') sendPlan(command);
      else sendEndpoints(command);
    },
    onReport: (reporter) => void reporters.push(reporter),
    async close(graceMs) {
      closing = true;
      clearInterval(asking);
      const ended = crew.close(graceMs);
      sockets.keepOnly([]);
      await ended;
    },
    metricsPage: (own) => scrape.page(own, [...told.values()]),
    pids: () => serving().flatMap(({ pid }) => pid ?? []),
  };
}

function listenerIdsOf({ listeners, streams = [] }: Plan): string[] {
  return [...listeners, ...streams].map(({ id }) => id);
}

/** Where the plan's listeners are bound. */
function placesOf({ plan, bindings }: PlanState): Place[] {
  return [...plan.listeners, ...(plan.streams ?? [])].map(
    ({ id, address, port }) => (Object.hasOwn(bindings, id) ? bindings[id] : undefined) ?? { address, port },
  );
}
