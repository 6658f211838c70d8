/** Pages of the plugins' HTTP doors. */
import type { Page, ProcessWishes } from './setup.ts';

/** Adds a page at an address; the same one twice is one. */
export function addPage(wishes: ProcessWishes, address: string, path: string, page: Page): void {
  const pages = wishes.pages.get(address) ?? new Map<string, Page>();
  pages.set(path, page);
  wishes.pages.set(address, pages);
}
