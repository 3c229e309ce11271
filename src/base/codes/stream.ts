import type { CodeInfo } from './code-info.ts';

export const streamCodes = {
  SLUICE_STREAM_TOKEN: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. Give the evaluator a projected service-account token of audience `sluice`; it is read anew at each try.',
  },
  SLUICE_STREAM_UNTRUSTED: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. Nothing, if it passes within minutes: the authorities come with the ConfigMap sluice-ruleset of the namespace. Otherwise look at --ca-file, and whether something between evaluator and operator answers in its place.',
  },
  SLUICE_STREAM_DENIED: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. Evaluators read the flags of their own namespace; for another, bind its account to a role with `get` on rulesets.sluice.dev there.',
  },
  SLUICE_STREAM_REQUEST: {
    retry: 'never',
    fix: 'Operator and evaluators differ in their version: upgrade the older one.',
  },
  SLUICE_STREAM_STANDBY: {
    retry: 'backoff',
    fix: 'Nothing, if it passes within seconds: without Redis only the leading replica of the operator has the stream, and with it those that the API server answers. Otherwise look why none leads.',
  },
  SLUICE_STREAM_OVERLOADED: {
    retry: 'backoff',
    fix: 'Nothing, if it passes: evaluators come back by themselves. Otherwise there are more of them than one operator can serve.',
  },
  SLUICE_STREAM_UNREACHABLE: {
    retry: 'backoff',
    fix: 'The last good ruleset goes on. See that the operator runs, and that NetworkPolicies let evaluators reach the Service sluice-rulesets.',
  },
} as const satisfies Record<string, CodeInfo>;
