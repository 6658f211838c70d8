import { chunks } from './chunks.ts';
import { fields } from './fields.ts';
import { forwarding } from './forwarding.ts';
import { framing } from './framing.ts';
import { requestLines } from './request-line.ts';

/** All requests, by what is wrong or odd about them. */
export const requestTables = {
  'request line': requestLines,
  'fields and Host': fields,
  framing,
  chunks,
  forwarding,
} as const;

export const requestCases = Object.values(requestTables).flat();
