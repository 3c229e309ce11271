import { type AdmissionSpec, type ConditionSpec, NEVER, type Note, Refusal } from '../imported.ts';
import { networkCondition } from './constraint.ts';
import type { Strategy } from './state.ts';

/** What a strategy asks beside its constraints and segments. */
export interface Ask {
  readonly conditions: readonly ConditionSpec[];
  readonly admissions: readonly AdmissionSpec[];
}

const EVERYONE: Ask = { conditions: [], admissions: [] };
const NOBODY: Ask = { conditions: [NEVER], admissions: [] };

/** Throws a Refusal for strategies that draw at random, know the host, or are somebody's own. */
export function strategyAsk(strategy: Strategy, featureName: string, note: Note): Ask {
  const parameter = (name: string) => String(strategy.parameters?.[name] ?? '');
  const group = parameter('groupId') || featureName;
  switch (strategy.name) {
    case 'default':
      return EVERYONE;
    case 'userWithId':
      return asking(listed('userId', parameter('userIds')));
    case 'remoteAddress':
      return asking(networkCondition('remoteAddress', split(parameter('IPs')), note));
    case 'gradualRolloutUserId':
      return share(parameter('percentage'), group, 'userId');
    case 'gradualRolloutSessionId':
      return share(parameter('percentage'), group, 'sessionId');
    case 'gradualRolloutRandom':
      return share(parameter('percentage'), group, 'random');
    case 'flexibleRollout':
      return share(parameter('rollout'), group, parameter('stickiness') || 'default');
    default:
      throw new Refusal(['name'], `the strategy ${strategy.name} has no counterpart`);
  }
}

/**
 * The attribute that a stickiness draws by. `default` is the user, else the session, in Unleash: the targeting key here.
 */
export function unitOf(stickiness: string): string {
  if (stickiness === 'random') {
    throw new Refusal(
      ['parameters', 'stickiness'],
      'a draw that is random at each call has no counterpart: name what it should stick to',
    );
  }
  return stickiness === 'default' ? 'targetingKey' : stickiness;
}

function share(percentText: string, groupId: string, stickiness: string): Ask {
  const percent = Math.min(100, Math.max(0, Math.floor(Number(percentText) || 0)));
  if (percent === 0) return NOBODY;
  // A unit of one's own that is absent: off. The default one: drawn at random there, so all are in at 100 only.
  const conditions: ConditionSpec[] = isOwn(stickiness) ? [{ attr: stickiness, op: 'exists' }] : [];
  if (percent === 100) return { conditions, admissions: [] };
  return { conditions, admissions: [{ percent, unit: unitOf(stickiness), hash: 'unleash/1', salt: groupId }] };
}

const isOwn = (stickiness: string) => stickiness !== 'default' && stickiness !== 'random';

const asking = (condition: ConditionSpec): Ask => ({ conditions: [condition], admissions: [] });

function listed(attr: string, text: string): ConditionSpec {
  const values = split(text);
  return values.length > 0 ? { attr, op: 'in', value: values } : NEVER;
}

const split = (text: string) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
