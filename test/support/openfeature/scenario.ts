import { readFileSync } from 'node:fs';
import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { type GherkinDocument, IdGenerator } from '@cucumber/messages';

const FOLDER = 'test/conformance/openfeature';
export const FEATURES = ['contextMerging', 'evaluation', 'evaluation_v2', 'hooks', 'metadata'] as const;

export interface Step {
  readonly text: string;
  readonly table: readonly (readonly string[])[];
}

/** One run of a scenario: of an outline there is one for each row. */
export interface Scenario {
  /** Feature, name and row, such as `hooks: Type error` or `evaluation_v2: Resolve values [boolean-flag | Boolean | false | true]`. */
  readonly id: string;
  readonly steps: readonly Step[];
}

export function scenariosOf(feature: string): Scenario[] {
  const newId = IdGenerator.incrementing();
  const path = `${FOLDER}/${feature}.feature`;
  const document = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher()).parse(
    readFileSync(path, 'utf8'),
  );
  const rows = rowsOf(document);
  return compile(document, path, newId).map(({ name, astNodeIds, steps }) => {
    const row = rows.get(astNodeIds.at(-1) ?? '');
    return {
      id: `${feature}: ${name}${row ? ` [${row.join(' | ')}]` : ''}`,
      steps: steps.map(({ text, argument }) => ({
        text,
        table: argument?.dataTable?.rows.map(({ cells }) => cells.map(({ value }) => value)) ?? [],
      })),
    };
  });
}

/** Cells of the rows of examples by their id. */
function rowsOf({ feature }: GherkinDocument): Map<string, string[]> {
  const rows = (feature?.children ?? [])
    .flatMap(({ scenario }) => scenario?.examples ?? [])
    .flatMap(({ tableBody }) => tableBody);
  return new Map(rows.map(({ id, cells }) => [id, cells.map(({ value }) => value)]));
}
