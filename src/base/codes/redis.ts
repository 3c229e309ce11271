import type { CodeInfo } from './code-info.ts';

export const redisCodes = {
  SLUICE_REDIS_UNREACHABLE: {
    retry: 'backoff',
    fix: 'Flags go on: replicas read the rulesets from the API server, and only the counts in `status.propagation` wait. See that Redis runs, that `redis.url` names it, and that NetworkPolicies let the operator reach it.',
  },
  SLUICE_REDIS_REFUSED: {
    retry: 'backoff',
    fix: 'Redis answers, and refuses: see the message. Check password and user (`redis.existingSecret`), their rights on keys and the channel under `redis.keyPrefix`, and `maxmemory`. Redis 6 or later is needed.',
  },
  SLUICE_REDIS_DAMAGED: {
    retry: 'backoff',
    fix: 'Nothing at once: what is damaged is left aside and written anew. If it comes back, somebody else writes under `redis.keyPrefix`: give Sluice a prefix, or a Redis, of its own.',
  },
} as const satisfies Record<string, CodeInfo>;
