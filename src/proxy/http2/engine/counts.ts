/** What a client may do much of, counted: beyond its budget the connection ends. */
import { earn, spend } from './budget.ts';
import type { Connection } from './connection.ts';
import { fail } from './ends.ts';
import { errorCode } from './protocol.ts';

/** Counts a frame that moves nothing; false when there were too many. */
export function countIdle(connection: Connection): boolean {
  if (spend(connection.idleFrames)) return true;
  fail(connection, errorCode.enhanceYourCalm);
  return false;
}

/** A frame that moves something permits so many that do not: acknowledgements, updates of windows, priorities. */
const IDLE_PER_FRAME = 4;

export const countUseful = ({ idleFrames }: Connection): void => earn(idleFrames, IDLE_PER_FRAME);

/**
 * A client that has its streams reset as fast as it opens them makes us work for nothing (CVE-2023-44487); it does not
 * matter who resets them (CVE-2025-8671).
 */
export function countReset(connection: Connection): void {
  if (!spend(connection.resets)) fail(connection, errorCode.enhanceYourCalm);
}
