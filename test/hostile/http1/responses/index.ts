import { bodies } from './bodies.ts';
import { heads } from './heads.ts';

/** All responses, by what is wrong or odd about them. */
export const responseTables = { heads, bodies } as const;

export const responseCases = Object.values(responseTables).flat();
