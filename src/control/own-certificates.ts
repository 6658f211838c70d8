/** Certificates that the process makes for itself: each when a plan first needs it, so that most processes make none. */
import type { TranslateInput } from '../routing/translate.ts';
import { createProofs, type Proofs } from './acme/open-challenges.ts';
import { createLater } from './later.ts';
import { createSelfSigned } from './self-signed.ts';

export interface OwnCertificates {
  readonly selfSigned: NonNullable<TranslateInput['selfSigned']>;
  readonly proofs: Proofs;
  /** Resolves when those are made that were asked for in vain; undefined: none was. Never rejects. */
  awaited(): Promise<unknown> | undefined;
}

/** Of one process: there is one self-signed certificate. */
const only = {};

export function createOwnCertificates(onError: (error: unknown) => void): OwnCertificates {
  const selfSigned = createLater((_: typeof only) => createSelfSigned(), onError);
  const proofs = createProofs(onError);
  return {
    selfSigned: () => selfSigned.of(only),
    proofs,
    awaited: () => selfSigned.awaited() ?? proofs.awaited(),
  };
}
