/** What the kernel says of processes. */
import { readFileSync } from 'node:fs';

export function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
