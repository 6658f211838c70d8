import { compression } from './compression.ts';
import { connection } from './connection.ts';
import { frames } from './frames.ts';
import { messages } from './messages.ts';
import { pseudoHeaders } from './pseudo.ts';
import { streams } from './streams.ts';

/** All cases, by what they are about. */
export const tables = {
  'the connection': connection,
  streams,
  frames,
  'header compression': compression,
  messages,
  'pseudo-header fields': pseudoHeaders,
} as const;

export const cases = Object.values(tables).flat();
