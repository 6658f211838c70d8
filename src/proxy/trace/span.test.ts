import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../options.ts';
import { type OneRoute, oneRoute } from '../testing/one-route.ts';
import { until } from '../workers/testing.ts';
import type { SpanRecord } from './span.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

const sent = (world: OneRoute) =>
  world.app.requests
    .at(-1)!
    .lines.filter((line) => /^trace/i.test(line))
    .map((line) => line.replace(/^\S+/, (name) => name.toLowerCase()));

async function open(last: number, options: ProxyOptions): Promise<OneRoute> {
  const world = await oneRoute(`127.77.17.${last}`, `127.77.17.${last + 1}`, options);
  await world.use([]);
  return world;
}

describe('spans of requests', () => {
  let world: OneRoute;
  const spans: SpanRecord[] = [];
  beforeAll(async () => {
    world = await open(10, { onSpan: (span) => spans.push(span), forwarded: { trustedProxies: ['127.0.0.1'] } });
  });
  beforeEach(() => void spans.splice(0));
  afterAll(() => world.close());

  async function ask(...lines: string[]): Promise<SpanRecord | undefined> {
    const before = world.front.records.length;
    await world.ask({ lines });
    await until(() => world.front.records.length > before, 'the request is over');
    return spans.at(-1);
  }

  it('stand between those of the client and of the backend', async () => {
    const span = await ask(`traceparent: 00-${trace}-${parent}-01`, 'tracestate: congo=t61');
    expect(span!.context).toMatchObject({ traceId: trace, parentId: parent, flags: 1, traceState: 'congo=t61' });
    expect(span!.context.spanId).not.toBe(parent);
    expect(sent(world).sort()).toEqual([
      `traceparent: 00-${trace}-${span!.context.spanId}-01`,
      'tracestate: congo=t61',
    ]);
    expect(span!.request).toMatchObject({ status: 200, traceId: trace, route: 'Test/test/rules/0' });
    expect(world.front.records.at(-1)!.traceId).toBe(trace);
  });

  it('speak version 00, and pass on the flags that are known', async () => {
    const span = await ask(`traceparent: cc-${trace}-${parent}-ff-what-comes`);
    expect(sent(world)).toEqual([`traceparent: 00-${trace}-${span!.context.spanId}-03`]);
  });

  it.each([`00-${trace}-${parent}-00`, `00-${trace}-${parent}-02`])('are not made for %s', async (traceparent) => {
    expect(await ask(`traceparent: ${traceparent}`)).toBeUndefined();
    expect(sent(world)).toEqual([`traceparent: ${traceparent}`]);
  });

  it.each([[[]], [[`traceparent: 00-${trace}-${parent}-01x`]]])('are not made for %j', async (lines) => {
    expect(await ask(...lines)).toBeUndefined();
    expect(sent(world)).toEqual([]);
  });

  it('know the client behind trusted proxies', async () => {
    const span = await ask(`traceparent: 00-${trace}-${parent}-01`, 'X-Forwarded-For: 9.9.9.9, 203.0.113.7');
    expect(span!.context.client).toBe('203.0.113.7');
    expect(span!.request.client).toBe('127.0.0.1');
  });
});

describe('spans of traces that begin here', () => {
  it.each([1, 0])('with a share of %s', async (traceSampleRate) => {
    const spans: SpanRecord[] = [];
    const telemetry = { startTraces: true, traceSampleRate };
    const world = await open(12, { onSpan: (span) => spans.push(span), telemetry });
    await world.ask();
    await world.front.record(1);
    const [line] = sent(world);
    expect(line).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(spans).toHaveLength(traceSampleRate);
    for (const { context } of spans) {
      expect(context.parentId).toBeUndefined();
      expect(line).toBe(`traceparent: 00-${context.traceId}-${context.spanId}-01`);
    }
    await world.close();
  });

  it('are the parent even where a broken traceparent came', async () => {
    const spans: SpanRecord[] = [];
    const world = await open(14, { onSpan: (span) => spans.push(span), telemetry: { startTraces: true } });
    await world.ask({ lines: ['traceparent: broken', 'tracestate: a=1'] });
    await world.front.record(1);
    const { traceId, spanId, parentId, traceState } = spans[0]!.context;
    expect([parentId, traceState]).toEqual([undefined, undefined]);
    expect(sent(world)).toEqual([`traceparent: 00-${traceId}-${spanId}-01`]);
    await world.close();
  });
});

it('traceparent stays as it came when nobody takes spans', async () => {
  const world = await open(16, {});
  await world.ask({ lines: [`traceparent: cc-${trace}-${parent}-01-x`] });
  expect(sent(world)).toEqual([`traceparent: cc-${trace}-${parent}-01-x`]);
  await world.close();
});
