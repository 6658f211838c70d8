/** One page of the pages that several processes have at the same path. */
import { type GaugeRules, processGauges, sumMetrics } from '../../base/sum-metrics.ts';
import type { PageAnswer } from '../plugins/setup.ts';
import { mergeWaste, type WastePage } from '../waste/page.ts';

const gauges: GaugeRules = { ...processGauges, coredns_cache_entries: 'sum' };

/** Any process that is not well decides, with the reasons of all; each reason once. */
function worst(answers: readonly PageAnswer[]): PageAnswer {
  const bad = answers.filter(({ status }) => status !== 200);
  if (bad.length === 0) return answers[0]!;
  const lines = new Set(bad.flatMap(({ text }) => text.split('\n')).filter((line) => line !== ''));
  return { ...bad[0]!, text: [...lines].join('\n') };
}

const mergers: Readonly<Record<string, (answers: readonly PageAnswer[]) => PageAnswer>> = {
  '/metrics': (answers) => ({
    ...answers[0]!,
    text: sumMetrics(
      answers.map(({ text }) => text),
      gauges,
    ),
  }),
  '/fairway/dns-waste': (answers) => ({
    ...answers[0]!,
    text: `${JSON.stringify(mergeWaste(answers.map(({ text }) => JSON.parse(text) as WastePage)))}\n`,
  }),
};

/** `answers`: of the processes that answered, in their order. */
export function mergePages(path: string, answers: readonly PageAnswer[]): PageAnswer {
  if (answers.length === 0) return { status: 503, text: 'no worker process answers\n' };
  const merger = mergers[path];
  return merger && answers.every(({ status }) => status === 200) ? merger(answers) : worst(answers);
}
