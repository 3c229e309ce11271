import type { LeftOut } from './run-scenarios.ts';

const NO_METADATA = 'a flag of Sluice has no metadata of its own';
const ALWAYS_METADATA = 'each answer says its flag set and revision';
const NO_CACHE = 'each answer is of now';

/** What no client can have of Sluice. */
export const everywhere: readonly LeftOut[] = [
  { id: 'metadata: Returns metadata', why: NO_METADATA },
  { id: 'evaluation_v2: Flag metadata in evaluation details', why: NO_METADATA },
  { id: 'metadata: Returns no metadata', why: ALWAYS_METADATA },
  { id: 'evaluation_v2: CACHED reason', why: NO_CACHE },
];

const STATELESS = 'the provider asks for each evaluation and is READY from the first moment';

/** OFREP's server provider has no states. */
export const stateless: readonly LeftOut[] = [
  { id: 'evaluation_v2: Provider not ready error', why: STATELESS },
  { id: 'evaluation_v2: Provider in fatal state error', why: STATELESS },
  ...['not ready', 'error', 'fatal', 'stale'].map((state) => ({
    id: `evaluation_v2: Provider status accessibility [${state} `,
    why: STATELESS,
  })),
];
