import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '../../base/result.ts';
import type { ApiError } from './api-error.ts';
import type { ApiRequest, KubeClient } from './client.ts';
import { createLeaderElection, type LeaderElectionOptions, type Lease } from './leader-election.ts';
import type { Timing } from './timing.ts';

/** Time that passes only when it is told to. */
function createFakeTime() {
  let elapsed = 0;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  /** `skewMs`: how far the wall clock of this machine is from true time. */
  const timingOf = (skewMs: number): Timing => ({
    now: () => Date.parse('2030-01-01T00:00:00Z') + elapsed + skewMs,
    monotonic: () => elapsed,
    random: () => 0.5,
    sleep(milliseconds, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const sleeper = {
          at: elapsed + milliseconds,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake);
      });
    },
  });
  return {
    timingOf,
    async pass(milliseconds: number) {
      const end = elapsed + milliseconds;
      await settle();
      for (;;) {
        const next = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        elapsed = next.at;
        next.wake();
        await settle();
      }
      elapsed = end;
    },
  };
}

const refusal = (code: number, reason: string): Result<never, ApiError> =>
  err({ kind: 'status', code, reason, message: reason });

/** One Lease behind an API, as candidates see it. */
function createLeaseServer() {
  let lease: Lease | undefined;
  let version = 0;
  let writes = 0;
  const cutOff = new Set<string>();

  function write(given: Lease): Result<Lease, ApiError> {
    lease = { ...given, metadata: { ...given.metadata, resourceVersion: String(++version) } };
    writes++;
    return ok(lease);
  }

  const handlers: Partial<Record<string, (given: Lease) => Result<Lease, ApiError>>> = {
    GET: () => (lease ? ok(lease) : refusal(404, 'NotFound')),
    POST: (given) => (lease ? refusal(409, 'AlreadyExists') : write(given)),
    PUT: (given) =>
      given.metadata.resourceVersion === lease?.metadata.resourceVersion ? write(given) : refusal(409, 'Conflict'),
  };

  function clientFor(identity: string, timing: Timing): KubeClient {
    const never = (signal?: AbortSignal) =>
      new Promise<Result<never, ApiError>>((resolve) => {
        const give = () => resolve(err({ kind: 'aborted', message: 'given up' }));
        if (signal?.aborted) give();
        signal?.addEventListener('abort', give);
      });
    return {
      ...{ server: 'test', namespace: 'default', timing },
      request: async <T>({ method = 'GET', body, signal }: ApiRequest) => {
        if (cutOff.has(identity)) return never(signal);
        return handlers[method]!(body as Lease) as Result<T, ApiError>;
      },
      open: () => never(),
      read: () => never(),
      close: () => undefined,
    };
  }

  return {
    clientFor,
    cutOff,
    get spec() {
      return lease?.spec;
    },
    get writes() {
      return writes;
    },
    /** Somebody writes into the Lease. */
    touch(change: Partial<Lease>) {
      write({ ...lease!, ...change, metadata: { ...lease!.metadata, ...change.metadata } });
    },
  };
}

function createField() {
  const time = createFakeTime();
  const server = createLeaseServer();
  const told: string[] = [];
  const candidate = (identity: string, skewMs = 0, options: Partial<LeaderElectionOptions> = {}) => {
    const election = createLeaderElection({
      ...{
        client: server.clientFor(identity, time.timingOf(skewMs)),
        namespace: 'kube-system',
        name: 'lock',
        identity,
      },
      onStarted: () => told.push(`${identity} leads`),
      onStopped: () => told.push(`${identity} left`),
      ...options,
    });
    election.start();
    return election;
  };
  return { time, server, told, candidate };
}

describe('leader election', () => {
  it('has one leader, which renews and stays', async () => {
    const { time, server, told, candidate } = createField();
    const [one, two] = [candidate('one'), candidate('two')];
    await time.pass(120_000);
    expect([one.isLeader(), two.isLeader()]).toEqual([true, false]);
    expect(told).toEqual(['one leads']);
    expect(server.spec).toMatchObject({
      holderIdentity: 'one',
      leaseDurationSeconds: 15,
      acquireTime: '2030-01-01T00:00:00.000000Z',
      renewTime: '2030-01-01T00:02:00.000000Z',
      leaseTransitions: 0,
    });
    // A renewal every two seconds, and nobody else writes.
    expect(server.writes).toBe(61);
  });

  it('goes on when the leader is cut off: it leaves before another one comes', async () => {
    const { time, server, told, candidate } = createField();
    const one = candidate('one');
    await time.pass(1000);
    const two = candidate('two');
    await time.pass(9000);
    server.cutOff.add('one');
    await time.pass(9900);
    expect(one.isLeader()).toBe(true);
    await time.pass(2200);
    expect(told).toEqual(['one leads', 'one left']);
    await time.pass(9000);
    expect(told).toEqual(['one leads', 'one left', 'two leads']);
    expect([one.isLeader(), two.isLeader()]).toEqual([false, true]);
    expect(server.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
    server.cutOff.clear();
    await time.pass(60_000);
    expect(told).toHaveLength(3);
  });

  it.each([
    ['behind', -3_600_000],
    ['ahead', 3_600_000],
  ])('does not mind a candidate whose clock is an hour %s', async (_, skewMs) => {
    const { time, told, candidate } = createField();
    candidate('one');
    await time.pass(1000);
    candidate('two', skewMs);
    await time.pass(300_000);
    expect(told).toEqual(['one leads']);
  });

  it('takes no other change of the Lease for a sign of life', async () => {
    const { time, server, told, candidate } = createField();
    candidate('one');
    await time.pass(1000);
    candidate('two');
    await time.pass(1000);
    server.cutOff.add('one');
    for (let i = 0; i < 25; i++) {
      await time.pass(1000);
      server.touch({ metadata: { name: 'lock', labels: { round: String(i) } } });
    }
    expect(told).toContain('two leads');
  });

  it('steps down at once when the Lease is taken away', async () => {
    const { time, server, told, candidate } = createField();
    const one = candidate('one');
    await time.pass(5000);
    server.touch({ spec: { ...server.spec, holderIdentity: 'three' } });
    await time.pass(2100);
    expect(told).toEqual(['one leads', 'one left']);
    expect(one.isLeader()).toBe(false);
  });

  it('gives the Lease back when it stops, after the work has stopped', async () => {
    const { time, server, told, candidate } = createField();
    const leaders: string[] = [];
    const heldWhenLeft: (string | undefined)[] = [];
    const one = candidate('one', 0, { onStopped: () => heldWhenLeft.push(server.spec?.holderIdentity) });
    await time.pass(1000);
    candidate('two', 0, { onNewLeader: (identity) => leaders.push(identity) });
    await time.pass(1000);
    const stopped = one.stop();
    await time.pass(0);
    await stopped;
    expect(heldWhenLeft).toEqual(['one']);
    expect(server.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await time.pass(4400);
    expect(told).toEqual(['one leads', 'two leads']);
    expect(leaders).toEqual(['one', 'two']);
  });

  it('is not a leader whose time is over, even before it notices', async () => {
    const { time, server, candidate } = createField();
    const timing = time.timingOf(0);
    let asleepMs = 0;
    const client = server.clientFor('one', { ...timing, monotonic: () => timing.monotonic() + asleepMs });
    const one = candidate('one', 0, { client });
    await time.pass(1000);
    expect(one.isLeader()).toBe(true);
    asleepMs = 20_000;
    expect(one.isLeader()).toBe(false);
  });
});
