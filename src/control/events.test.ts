import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import type { EventSeries, KubeEvent } from './events/event-object.ts';
import type { EventOutcome } from './events/event-sink.ts';
import { createEvents, type EventsOptions } from './events.ts';

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-01-02T03:04:05Z') }));
afterEach(() => vi.useRealTimers());

const ingressRef = (name: string) => ({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'default', name },
});
const broken = (name: string, message = 'no Service web', code: 'FW2010' | 'FW2001' | 'FW2003' = 'FW2010') =>
  diagnostic(code, { message, object: ingressRef(name), fieldPath: 'spec.rules[0]' });

function setUp(options: Partial<EventsOptions> = {}) {
  const store = createStore();
  const ingress = (name: string, uid = `uid-${name}`) =>
    store.put('ingresses.networking.k8s.io', {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { namespace: 'default', name, uid } },
    } as KubeObject);
  for (const name of ['a', 'b', 'c']) ingress(name);
  const created: KubeEvent[] = [];
  const series: [string, EventSeries][] = [];
  const stored = new Set<string>();
  const metrics = { written: 0, dropped: 0, failed: 0 };
  const errors: string[] = [];
  let answer: EventOutcome | undefined;
  const events = createEvents({
    store,
    instance: 'replica-1',
    sink: {
      create(event) {
        if (answer) return Promise.resolve(answer);
        if (stored.has(event.metadata.name)) return Promise.resolve({ type: 'there' });
        stored.add(event.metadata.name);
        created.push(event);
        return Promise.resolve({ type: 'written' });
      },
      repeat({ name }, next) {
        if (answer) return Promise.resolve(answer);
        if (!stored.has(name)) return Promise.resolve({ type: 'gone' });
        series.push([name, next]);
        return Promise.resolve({ type: 'written' });
      },
    },
    metrics: { written: () => metrics.written++, dropped: () => metrics.dropped++, failed: () => metrics.failed++ },
    onError: (message) => errors.push(message),
    ...options,
  });
  return {
    ...{ store, ingress, events, created, series, stored, metrics, errors },
    answers: (next: EventOutcome | undefined) => {
      answer = next;
    },
    /** Tells, and lets the look happen. */
    async tell(...findings: Diagnostic[]) {
      events.tell(findings);
      await vi.advanceTimersByTimeAsync(600);
    },
    notes: () => created.map(({ note }) => note.split(';')[0]),
  };
}

describe('createEvents', () => {
  it('writes what Kubernetes takes for an Event, about the object as it is stored', async () => {
    const { tell, created } = setUp();
    await tell(broken('a'));
    expect(created).toEqual([
      {
        ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', type: 'Warning', reason: 'FW2010', action: 'Translate' },
        metadata: { namespace: 'default', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) },
        eventTime: '2026-01-02T03:04:05.500000Z',
        note: 'spec.rules[0]: no Service web; fix: Mend the field named; the other rules and paths are served',
        regarding: { ...ingressRef('a'), uid: 'uid-a', fieldPath: 'spec.rules[0]' },
        ...{ reportingController: 'fairway.dev/gateway-controller', reportingInstance: 'replica-1' },
      },
    ]);
  });

  it('cuts a note at 1,024 bytes, and never within a character', async () => {
    const { tell, created } = setUp();
    await tell(...[0, 1, 2].map((pad) => broken('a', `${'x'.repeat(pad)}${'ü€😀'.repeat(300)}`)));
    expect(created).toHaveLength(3);
    for (const { note } of created) {
      expect(Buffer.byteLength(note)).toBeGreaterThan(1016);
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
      expect(note).toMatch(/^[\u0020-\u{10ffff}]+…$/u);
      expect(note).not.toContain('\ufffd');
    }
  });

  it('tells of a finding when it first appears, and not again while it stays', async () => {
    const { tell, notes, series } = setUp();
    await tell(broken('a'));
    // Every compilation makes findings anew.
    await tell(broken('a'), broken('b'));
    await tell(broken('b'), broken('a'), broken('a'));
    expect(notes()).toEqual(['spec.rules[0]: no Service web', 'spec.rules[0]: no Service web']);
    expect(series).toEqual([]);
  });

  it('counts one that went and came again in the series of its Event', async () => {
    const { tell, created, series, stored } = setUp();
    const again = async () => {
      await tell();
      await tell(broken('a'));
    };
    await tell(broken('a'));
    await again();
    await again();
    expect(created).toHaveLength(1);
    const [name] = created.map(({ metadata }) => metadata.name);
    expect(series.map(([of, { count }]) => [of, count])).toEqual([
      [name, 2],
      [name, 3],
    ]);
    expect(series[0]![1].lastObservedTime).toMatch(/^2026-01-02T03:04:06\.\d{6}Z$/);
    // The API keeps Events for an hour: one that it has let go is written anew.
    stored.clear();
    await again();
    expect(created).toHaveLength(2);
  });

  it('takes an object that was made anew for another one', async () => {
    const { tell, created, ingress, series } = setUp();
    const finding = broken('a');
    await tell(finding);
    ingress('a', 'uid-second');
    await tell(finding, broken('b'));
    expect(created.map(({ regarding }) => regarding.uid)).toEqual(['uid-a', 'uid-second', 'uid-b']);
    expect(series).toEqual([]);
  });

  it('says nothing of findings of a moment, mere information, others’ objects, and objects that are not there', async () => {
    const { events, tell, created } = setUp();
    events.tell([broken('a')]);
    await vi.advanceTimersByTimeAsync(100);
    await tell(broken('a', 'x', 'FW2001'), broken('b', 'x', 'FW2003'), broken('nowhere'));
    const service = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' };
    await tell(diagnostic('FW2010', { message: 'x', object: service }), diagnostic('FW2010', { message: 'x' }));
    expect(created).toEqual([]);
  });

  it('writes only while it may; the next to lead finds what was told and is still there', async () => {
    let isLeader = true;
    const { events, tell, created, series, stored } = setUp({ mayWrite: () => isLeader });
    await tell(broken('a'));
    isLeader = false;
    await tell(broken('a'), broken('b'));
    expect(created).toHaveLength(1);
    isLeader = true;
    events.refresh();
    await vi.advanceTimersByTimeAsync(600);
    expect(created.map(({ regarding }) => regarding.name)).toEqual(['a', 'b']);
    expect(series).toEqual([]);
    // Another process, after the same findings.
    const other = setUp({ mayWrite: () => isLeader });
    for (const name of stored) other.stored.add(name);
    await other.tell(broken('a'), broken('b'), broken('c'));
    expect(other.created.map(({ regarding }) => regarding.name)).toEqual(['c']);
  });

  it('bounds the Events of one object', async () => {
    const { tell, created, metrics } = setUp({ bounds: { objectBurst: 3, objectEveryMs: 10_000 } });
    const many = (from: number) => Array.from({ length: 5 }, (_, n) => broken('a', `number ${from + n}`));
    await tell(...many(0), broken('b'));
    expect(created.map(({ regarding }) => regarding.name)).toEqual(['a', 'a', 'a', 'b']);
    expect(metrics.dropped).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    await tell(...many(100));
    expect(created).toHaveLength(5);
  });

  it('bounds the rate in all, and what waits', async () => {
    const { tell, created, events, metrics } = setUp({ bounds: { burst: 2, qps: 1, waiting: 4 } });
    await tell(...Array.from({ length: 9 }, (_, n) => broken('a', `number ${n}`)));
    expect(created).toHaveLength(2);
    expect(metrics.dropped).toBe(5);
    await vi.advanceTimersByTimeAsync(1000);
    expect(created).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(5000);
    expect([created.length, events.pending]).toEqual([4, 0]);
  });

  it('tries a while when nobody answers, gives up on what is refused, and complains once a minute', async () => {
    const { tell, answers, created, metrics, errors, events } = setUp();
    answers({ type: 'later', message: 'away' });
    await tell(broken('a'));
    answers(undefined);
    await vi.advanceTimersByTimeAsync(1000);
    expect(created).toHaveLength(1);
    answers({ type: 'later', message: 'away' });
    await tell(broken('b'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect([metrics.failed, events.pending, errors.length]).toEqual([1, 0, 0]);
    answers({ type: 'refused', message: 'forbidden' });
    await tell(broken('c', 'one'), broken('c', 'two'));
    expect(errors).toEqual([expect.stringMatching(/^Event default\/c\.[0-9a-f]+: forbidden$/)]);
    expect(metrics).toEqual({ written: 1, dropped: 0, failed: 3 });
  });

  it('does not complain of what the stop has cut off', async () => {
    let giveUp: (outcome: EventOutcome) => void = () => undefined;
    const underWay = new Promise<EventOutcome>((resolve) => {
      giveUp = resolve;
    });
    const { events, tell, errors } = setUp({ sink: { create: () => underWay, repeat: () => underWay } });
    await tell(broken('a'));
    events.stop();
    giveUp({ type: 'refused', message: 'given up' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(errors).toEqual([]);
  });

  it('is still after a stop', async () => {
    const { events, created } = setUp();
    events.tell([broken('a')]);
    events.stop();
    await vi.advanceTimersByTimeAsync(1000);
    events.tell([broken('b')]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(created).toEqual([]);
  });
});
