/** Stands between the plugins of a traced query and writes down what each of them did. */
import {
  type Around,
  type MaybePromise,
  type Plugin,
  type QueryContext,
  type Reply,
  whenSettled,
} from '../plugins/plugin.ts';
import { answerIn, rcodeIn } from '../plugins/reply.ts';
import { foldCase } from '../wire/name.ts';
import { rcodeName, typeName } from '../wire/numbers.ts';
import { nameOf, type Query } from '../wire/query.ts';
import { recordText } from '../wire/records.ts';
import { cacheText } from './cache-text.ts';

export interface TraceStep {
  readonly plugin: string;
  /** `www.example.com. A`, when what came to it is not the client's question. */
  readonly asked?: string;
  /**
   * `passed`: the answer is that of the plugins behind it; `changed`: the same, altered; `answered`: by itself; `waits`:
   * it has not come back yet; `threw`: an exception.
   */
  readonly did: 'passed' | 'changed' | 'answered' | 'waits' | 'threw';
  /** Of its answer; absent when it gave none. */
  readonly rcode?: string;
  /** What it asked the plugins behind it for, when that is another question: `www.example.com. A`. */
  readonly askedFor: readonly string[];
  /** Why, in words; one finding each. */
  readonly why: readonly string[];
  /** With the plugins behind it. */
  readonly elapsedMs: number;
}

/** What a plugin asked behind it, and what it got. */
export interface Inner {
  readonly question: Query;
  reply?: Reply;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Recorder {
  /** `client`: the question as it came to the server. */
  around(client: Query): Around;
  steps(): TraceStep[];
}

const textOf = (query: Query): string => `${foldCase(nameOf(query))} ${typeName(query.type)}`;

/** What a client would see of a reply. */
function shown(reply: Reply): string {
  const answer = answerIn(reply);
  const sections = answer && [answer.answers, answer.authority, answer.additional];
  return `${reply.kind === 'silence'} ${rcodeIn(reply)} ${sections?.map((records) => records.map(recordText).join('\n')).join('\n\n')}`;
}

function didOf(plugin: Plugin, inner: readonly Inner[], reply: Reply): TraceStep['did'] {
  const last = inner.findLast((one) => one.reply !== undefined)?.reply;
  // A hit may also ask behind it, in the background.
  if (!last || (plugin.name === 'cache' && reply.by === 'cache')) return 'answered';
  return last === reply || shown(last) === shown(reply) ? 'passed' : 'changed';
}

/** Most steps that are kept: plugins that ask again and again must not fill the memory. */
const maxSteps = 500;

export function createRecorder(): Recorder {
  const steps: Mutable<TraceStep>[] = [];

  function finish(
    step: Mutable<TraceStep>,
    plugin: Plugin,
    context: QueryContext,
    inner: readonly Inner[],
    reply: Reply,
  ) {
    step.did = didOf(plugin, inner, reply);
    if (reply.kind !== 'silence') step.rcode = rcodeName(rcodeIn(reply));
    const state = plugin.name === 'cache' ? cacheText(inner, reply) : plugin.why?.(context);
    const error = reply.kind === 'unwritten' && step.did === 'answered' ? reply.error : undefined;
    step.why = [...(state ? [state] : []), ...step.why, ...(error && step.why.length === 0 ? [error] : [])];
  }

  const around =
    (client: Query): Around =>
    (plugin, context, next) => {
      if (steps.length >= maxSteps) return plugin.handle!(context, next);
      const startedAt = performance.now();
      const { query } = context;
      const own = textOf(query);
      const step: Mutable<TraceStep> = {
        plugin: plugin.name,
        ...(own !== textOf(client) && { asked: own }),
        ...{ did: 'waits', askedFor: [], why: [], elapsedMs: 0 },
      };
      steps.push(step);
      const inner: Inner[] = [];
      const watched = (asked: QueryContext): MaybePromise<Reply> => {
        const one: Inner = { question: asked.query };
        inner.push(one);
        const text = textOf(asked.query);
        if (text !== own) step.askedFor = [...step.askedFor, text];
        return whenSettled(next(asked), (reply) => {
          one.reply = reply;
          return reply;
        });
      };
      const note = (text: string): void => {
        step.why = [...step.why, text];
      };
      const settle = (reply: Reply): Reply => {
        step.elapsedMs = performance.now() - startedAt;
        finish(step, plugin, context, inner, reply);
        return reply;
      };
      const fail = (error: unknown): never => {
        step.did = 'threw';
        step.why = [...step.why, error instanceof Error ? error.message : String(error)];
        throw error;
      };
      try {
        const reply = plugin.handle!({ ...context, note }, watched);
        return reply instanceof Promise ? reply.then(settle, fail) : settle(reply);
      } catch (error) {
        return fail(error);
      }
    };

  return { around, steps: () => steps };
}
