import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** Flags with which the API server writes down every call of these users, once each, when it is answered. */
export function auditFlags(dir: string, users: readonly string[]): string[] {
  const policy = join(dir, 'audit-policy.yaml');
  const rules = [{ level: 'Metadata', users, omitStages: ['RequestReceived', 'ResponseStarted'] }, { level: 'None' }];
  writeFileSync(policy, stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog(dir)}`];
}

const auditLog = (dir: string) => join(dir, 'audit.log');

export interface Call {
  readonly user: string;
  readonly verb: string;
  /** Plural of what it was about; undefined for paths such as /readyz. */
  readonly resource: string | undefined;
  readonly receivedAtMs: number;
}

/** Calls that the audited users made within a time (ms since 1970), by when the API server received them. */
export function callsBetween(dir: string, fromMs: number, toMs: number): Call[] {
  const lines = readFileSync(auditLog(dir), 'utf8').trimEnd().split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map(({ user, verb, objectRef, requestReceivedTimestamp }) => ({
      user: user.username,
      verb,
      resource: objectRef?.resource,
      receivedAtMs: Date.parse(requestReceivedTimestamp),
    }))
    .filter(({ receivedAtMs }) => receivedAtMs >= fromMs && receivedAtMs < toMs);
}

/** What an idle controller has to do anyway: keep its watches open and its lease valid. */
export const isUpkeep = ({ verb, resource }: Call): boolean => verb === 'watch' || resource === 'leases';
