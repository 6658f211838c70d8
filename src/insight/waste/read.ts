/** Search-path waste as a running `fairway dns` has counted it. */
import { err, ok, type Result } from '../../base/result.ts';
import { wastePath } from '../../dns/trace/pages.ts';
import { dotCount, stageCount, type WasteGroup, type WasteName, type WastePage } from '../../dns/waste/page.ts';
import { fetchPage } from '../page.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0;
const isCounts = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every(isCount);
const areTexts = (value: Record<string, unknown>, keys: readonly string[]): boolean =>
  keys.every((key) => typeof value[key] === 'string');

function isName(value: unknown): value is WasteName {
  return isRecord(value) && areTexts(value, ['name', 'kind']) && isCount(value['queries']) && isCount(value['error']);
}

function isGroup(value: unknown): value is WasteGroup {
  if (!isRecord(value) || !areTexts(value, ['namespace', 'workload', 'address'])) return false;
  const { queries, error, stages, dots, names } = value;
  const counts = isCount(queries) && isCount(error) && isCounts(stages, stageCount) && isCounts(dots, dotCount);
  return counts && Array.isArray(names) && names.every(isName);
}

function isPage(value: unknown): value is WastePage {
  if (!isRecord(value) || !areTexts(value, ['since']) || !isRecord(value['limits'])) return false;
  const { queries, floor, stages, dots, groups, limits } = value;
  const { groups: most, names } = limits as Record<string, unknown>;
  const counts =
    [queries, floor, most, names].every(isCount) && isCounts(stages, stageCount) && isCounts(dots, dotCount);
  return counts && Array.isArray(groups) && groups.every(isGroup);
}

/** `server`: URL of the metrics door. The error is for people. */
export async function readWaste(server: string): Promise<Result<WastePage, string>> {
  const page = await fetchPage(server, wastePath);
  if (!page.ok) return page;
  return isPage(page.value) ? ok(page.value) : err(`${server}: the page is no count of search-path waste`);
}
