import type { CodeInfo } from './code-info.ts';

/** Exposures and metric events: src/evaluator/events. */
export const eventCodes = {
  SLUICE_EVENTS_BODY: {
    retry: 'never',
    fix: 'Send one JSON object as application/json: {"exposures": [...]} or {"metrics": [...]}, at most 1,000 items.',
  },
  SLUICE_EVENTS_TOO_LARGE: { retry: 'never', fix: 'Send smaller batches: a body has at most 1 MiB.' },
  SLUICE_EVENTS_OVERLOADED: {
    retry: 'backoff',
    fix: 'Send the same batch again after Retry-After; send fewer and larger batches if it goes on.',
  },
  SLUICE_EVENTS_STORE: {
    retry: 'backoff',
    fix: 'Check that the directory for events can be written and its disk is not full; send the same batch again after Retry-After.',
  },
  SLUICE_EVENTS_NO_RULESET: {
    retry: 'backoff',
    fix: 'The evaluator has no ruleset yet, and with it the salt for units; send the same batch again after Retry-After.',
  },
  SLUICE_EVENTS_COLLECTOR: {
    retry: 'backoff',
    fix: 'Check the address of the collector (http or https?), its health and its NetworkPolicy; events wait on disk meanwhile.',
  },
  SLUICE_EVENTS_REFUSED: {
    retry: 'never',
    fix: 'The collector does not accept this event and it is dropped: check that the collector is not older than the evaluator.',
  },
  SLUICE_EVENT_INVALID: {
    retry: 'never',
    fix: 'Correct the field that the path names; docs/sidecar-events.md lists all.',
  },
  SLUICE_EVENT_TOKEN: { retry: 'never', fix: 'Send the exposureToken of an answer as it came.' },
  SLUICE_EVENT_FOREIGN: {
    retry: 'never',
    fix: 'Send the token to an evaluator of the namespace that the experiment belongs to.',
  },
  SLUICE_EVENT_TIME: {
    retry: 'never',
    fix: 'Give a time at most 90 days back and 1 day ahead, or none; check the clock of the sender.',
  },
} as const satisfies Record<string, CodeInfo>;
