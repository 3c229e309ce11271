import type { BaseHook, EvaluationContext } from '@openfeature/core';
import { expect } from 'vitest';
import type { Step } from './scenario.ts';
import { mergedEntries, seenKey } from './scenario-flags.ts';
import type { Details, Level, Question, State, World } from './world.ts';

/** What a scenario has come to. */
interface Course {
  readonly world: World;
  question: Question;
  details: Details | undefined;
  invocation: EvaluationContext;
  before: EvaluationContext | undefined;
  levels: readonly Level[];
  seen: ReadonlySet<string>;
  hooks: readonly BaseHook[];
  /** In the order in which they ran: stage and name. */
  readonly ran: string[];
  readonly hookDetails: Map<string, Details>;
  wasPending: boolean;
}

type Run = (course: Course, groups: string[], table: Step['table']) => unknown;

const TYPES: Readonly<Record<string, Question['type']>> = {
  boolean: 'boolean',
  string: 'string',
  integer: 'number',
  float: 'number',
  object: 'object',
};

/** Texts of a scenario as values: `false`, `0.1`, `{\"a\": 1}`. */
function parsed(type: string, text: string) {
  switch (type.toLowerCase()) {
    case 'boolean':
      return text === 'true';
    case 'integer':
    case 'float':
      return Number(text);
    case 'object':
      return JSON.parse(text.replaceAll('\\"', '"'));
    default:
      return text;
  }
}

const question = (type: string, key: string, fallback: string): Question => ({
  type: TYPES[type.toLowerCase()] ?? 'string',
  key,
  fallback: parsed(type, fallback),
});

async function ask(course: Course, asked: Question): Promise<void> {
  course.question = asked;
  course.world.addContext(course.world.isAsynchronous ? 'Invocation' : 'API', course.invocation);
  const answer = course.world.evaluate(asked, course.hooks);
  course.wasPending = await Promise.race([answer.then(() => false), Promise.resolve(true)]);
  course.details = await answer;
}

const details = ({ details }: Course): Details => {
  if (!details) throw new Error('nothing was evaluated');
  return details;
};

/** A hook that writes down what ran. */
const recorder = ({ ran, hookDetails }: Course, name: string): BaseHook => ({
  before: () => void ran.push(`before ${name}`),
  after: (_, given) => {
    ran.push(`after ${name}`);
    hookDetails.set('after', given);
  },
  error: () => void ran.push(`error ${name}`),
  finally: (_, given) => {
    ran.push(`finally ${name}`);
    hookDetails.set('finally', given);
  },
});

const providerSteps: [RegExp, Run][] = [
  [/^a (stable|not ready|error|fatal|stale) provider$/, ({ world }, [state]) => world.register(state as State)],
  [/^a stable provider with retrievable context is registered$/, ({ world }) => world.register('stable')],
  [/^the provider status should be "(.*)"$/, ({ world }, [status]) => expect(world.status()).toBe(status)],
];

const mergingSteps: [RegExp, Run][] = [
  [
    /^A context entry with key "(.*)" and value "(.*)" is added to the "(.*)" level$/,
    ({ world }, [key = '', value = '', level]) => world.addContext(level as Level, { [key]: value }),
  ],
  [
    /^A table with levels of increasing precedence$/,
    (course, _, table) => {
      course.levels = table.map(([level]) => level as Level);
    },
  ],
  [
    /^Context entries for each level from API level down to the "(.*)" level, with key "(.*)" and value "(.*)"$/,
    ({ world, levels }, [last, key = '']) => {
      for (const level of levels.slice(0, levels.indexOf(last as Level) + 1)) world.addContext(level, { [key]: level });
    },
  ],
  [
    /^Some flag was evaluated$/,
    async (course) => {
      const seen = new Set<string>();
      for (const entry of mergedEntries()) {
        const { value } = await course.world.evaluate({ type: 'boolean', key: seenKey(entry), fallback: false });
        if (value) seen.add(seenKey(entry));
      }
      course.seen = seen;
    },
  ],
  [
    /^The merged context contains an entry with key "(.*)" and value "(.*)"$/,
    ({ seen }, [key = '', value = '']) => expect([...seen]).toContain(seenKey({ key, value })),
  ],
];

const evaluationSteps: [RegExp, Run][] = [
  [
    /^an? (\w+)-flag with key "(.*?)" and a fallback value "(.*)"$/,
    (course, [type = '', key = '', fallback = '']) => {
      course.question = question(type, key, fallback);
    },
  ],
  [
    /^a context containing a key "(.*)", with type "(.*)" and with value "(.*)"$/,
    ({ invocation }, [key = '', type = '', value = '']) => {
      invocation[key] = parsed(type, value);
    },
  ],
  [
    /^a context containing a key "(.*)" with null value$/,
    ({ invocation }, [key = '']) => {
      invocation[key] = null;
    },
  ],
  [
    /^an evaluation context with modifiable data$/,
    (course) => {
      course.invocation = { targetingKey: 'u', list: ['a'], inner: { email: 'a@b.example' } };
      course.before = structuredClone(course.invocation);
    },
  ],
  [/^the flag was evaluated with details$/, (course) => ask(course, course.question)],
  [/^the flag was evaluated with details using the evaluation options$/, (course) => ask(course, course.question)],
  [
    /^the flag was evaluated with details asynchronously$/,
    (course) => {
      if (!course.world.isAsynchronous) throw new Error('the SDK answers at once');
      return ask(course, course.question);
    },
  ],
  [/^the evaluation should complete without blocking$/, ({ wasPending }) => expect(wasPending).toBe(true)],
];

const answerSteps: [RegExp, Run][] = [
  [
    /^the resolved details value should be "(.*)"$/,
    (course, [text = '']) => {
      const { value } = details(course);
      const type = typeof course.question.fallback;
      expect(value).toEqual(type === 'number' ? Number(text) : parsed(type, text));
    },
  ],
  [/^the reason should be "(.*)"$/, (course, [reason]) => expect(details(course).reason).toBe(reason)],
  [/^the error-code should be "(.*)"$/, (course, [code]) => expect(details(course).errorCode).toBe(code)],
  [/^the flag key should be "(.*)"$/, (course, [key]) => expect(details(course).flagKey).toBe(key)],
  [/^the variant should be "([^"]*)"$/, (course, [variant]) => expect(details(course).variant).toBe(variant)],
  [
    /^the resolved metadata should contain$/,
    (course, _, [, ...rows]) => {
      const wanted = rows.map(([key = '', type = '', value = '']) => [key, parsed(type, value)]);
      expect(details(course).flagMetadata).toMatchObject(Object.fromEntries(wanted));
    },
  ],
  [/^the resolved metadata is empty$/, (course) => expect(details(course).flagMetadata).toEqual({})],
  [
    /^the original evaluation context should remain unmodified$/,
    ({ invocation, before }) => expect(invocation).toEqual(before),
  ],
  [
    /^the evaluation details should be immutable$/,
    (course) => expect(Object.isFrozen(details(course).flagMetadata)).toBe(true),
  ],
];

const hookSteps: [RegExp, Run][] = [
  [/^a client with added hook$/, (course) => course.world.addHook(recorder(course, 'client'))],
  [
    /^evaluation options containing specific hooks$/,
    (course) => {
      course.hooks = [recorder(course, 'first'), recorder(course, 'second')];
    },
  ],
  [/^the specified hooks should execute during evaluation$/, ({ ran }) => expect(ran).toHaveLength(6)],
  [
    /^the hook order should be maintained$/,
    ({ ran }) =>
      expect(ran).toEqual([
        ...['before first', 'before second', 'after second', 'after first', 'finally second', 'finally first'],
      ]),
  ],
  [
    /^the "(\w+)" hook should have been executed$/,
    ({ ran }, [stage]) => expect(ran.filter((one) => one === `${stage} client`)).toHaveLength(1),
  ],
  [
    /^the "(.*)" hooks should be called with evaluation details$/,
    ({ hookDetails }, [stages = ''], [, ...rows]) => {
      const fields: Readonly<Record<string, keyof Details>> = { flag_key: 'flagKey', error_code: 'errorCode' };
      for (const stage of stages.split(', ')) {
        const given = hookDetails.get(stage);
        for (const [type = '', key = '', value = ''] of rows) {
          const wanted = value === 'null' ? undefined : parsed(type, value);
          expect([stage, key, given?.[fields[key] ?? (key as keyof Details)]]).toEqual([stage, key, wanted]);
        }
      }
    },
  ],
];

/** The deprecated feature says in one step what the others say in several. */
const TYPE = '(boolean|string|integer|float|object)';
const deprecatedSteps: [RegExp, Run][] = [
  [
    new RegExp(`^an? ${TYPE} flag with key "(.*)" is evaluated with (?:details and )?default value "?(.*?)"?$`),
    (course, [type = '', key = '', fallback = '']) => ask(course, question(type, key, fallback)),
  ],
  [
    /^an object flag with key "(.*)" is evaluated with (?:details and )?a null default value$/,
    (course, [key = '']) => ask(course, { type: 'object', key, fallback: null }),
  ],
  [
    /^a flag with key "(.*)" is evaluated with default value "(.*)"$/,
    (course, [key = '', fallback = '']) => ask(course, question('string', key, fallback)),
  ],
  [
    /^a non-existent string flag with key "(.*)" is evaluated with details and a fallback value "(.*)"$/,
    (course, [key = '', fallback = '']) => ask(course, question('string', key, fallback)),
  ],
  [
    /^a string flag with key "(.*)" is evaluated as an integer, with details and a fallback value (.*)$/,
    (course, [key = '', fallback = '']) => ask(course, question('integer', key, fallback)),
  ],
  [
    /^context contains keys "(.*)", "(.*)", "(.*)", "(.*)" with values "(.*)", "(.*)", (\d+), "(.*)"$/,
    (course, [a = '', b = '', c = '', d = '', ...values]) => {
      const [first = '', second = '', third, fourth] = values;
      course.invocation = { [a]: first, [b]: second, [c]: Number(third), [d]: fourth === 'true' };
    },
  ],
  [
    new RegExp(`^the resolved ${TYPE} (?:details )?(?:value|response) should be "?([^"]*)"?$`),
    (course, [type = '', value = '']) => expect(details(course).value).toBe(parsed(type, value)),
  ],
  [
    new RegExp(
      `^the resolved ${TYPE} details value should be "?([^"]*?)"?, the variant should be "(.*)", and the reason should be "(.*)"$`,
    ),
    (course, [type = '', value = '', variant, reason]) =>
      expect(details(course)).toMatchObject({ value: parsed(type, value), variant, reason }),
  ],
  [
    /^the resolved object (?:details )?value should be contain fields "(.*)", "(.*)", and "(.*)", with values "(.*)", "(.*)" and (\d+), respectively$/,
    (course, [a = '', b = '', c = '', first, second, third]) =>
      expect(details(course).value).toEqual({ [a]: first === 'true', [b]: second, [c]: Number(third) }),
  ],
  [
    /^the variant should be "(.*)", and the reason should be "(.*)"$/,
    (course, [variant, reason]) => expect(details(course)).toMatchObject({ variant, reason }),
  ],
  [
    /^the resolved flag value is "(.*)" when the context is empty$/,
    async (course, [value]) => {
      const emptied = Object.fromEntries(Object.keys(course.invocation).map((key) => [key, undefined]));
      Object.assign(course.invocation, emptied);
      await ask(course, course.question);
      expect(details(course).value).toBe(value);
    },
  ],
  [
    /^the default (?:string|integer) value should be returned$/,
    (course) => expect(details(course).value).toBe(course.question.fallback),
  ],
  [
    /^the reason should indicate an error and the error code should indicate .* with "(.*)"$/,
    (course, [errorCode]) => expect(details(course)).toMatchObject({ reason: 'ERROR', errorCode }),
  ],
];

const all = [
  ...[...providerSteps, ...mergingSteps, ...evaluationSteps, ...answerSteps, ...hookSteps, ...deprecatedSteps],
];

/** Runs a scenario; rejects at the first step that does not hold. */
export async function runSteps(world: World, steps: readonly Step[]): Promise<void> {
  const course: Course = {
    ...{ world, details: undefined, invocation: {}, before: undefined, levels: [], seen: new Set(), hooks: [] },
    ...{ ran: [], hookDetails: new Map(), wasPending: false, question: question('string', '', '') },
  };
  for (const { text, table } of steps) {
    const found = all.flatMap(([pattern, run]) => {
      const match = pattern.exec(text);
      return match ? [{ run, groups: match.slice(1) }] : [];
    });
    const [step, other] = found;
    if (!step || other) throw new UnknownStep(`${found.length} meanings of the step: ${text}`);
    await step.run(course, step.groups, table);
  }
}

/** A scenario says what nobody has taught us: no reason to leave it out. */
export class UnknownStep extends Error {}
