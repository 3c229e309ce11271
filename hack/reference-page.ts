import { DURATION_PATTERN } from '../src/api/duration.ts';
import { GROUP, VERSION } from '../src/api/names.ts';
import type { Resource } from '../src/api/resource.ts';
import type { StructuralSchema } from '../src/api/structural-schema.ts';

/** The reference page of a resource in Markdown: a section for each object, a row for each field. */
export function referencePage(resource: Resource, root: StructuralSchema): string {
  const { kind, plural, shortName } = resource;
  const sections = new Sections();
  sections.add('spec', root.properties?.spec);
  sections.add('status', root.properties?.status);
  const examples = `examples/${plural.replace('feature', '')}`;
  const columns = resource.columns.filter(({ priority }) => priority === undefined);
  return [
    `# ${kind}`,
    '<!-- Made from src/api by `npm run gen`. Do not edit. -->',
    root.description,
    `\`apiVersion: ${GROUP}/${VERSION}\`, \`kind: ${kind}\`, namespaced. Short name: \`kubectl get ${shortName}\`, which shows ${columns.map(({ name }) => name.toUpperCase()).join(', ')}. Examples: [${examples}](../../${examples}).`,
    'Durations are texts such as `90s`, `1h30m` or `14d`, with the units `ms`, `s`, `m`, `h` and `d`, up to `365d`. Times are RFC 3339.',
    ...rulesOf(root),
    ...sections.texts,
    '',
  ].join('\n\n');
}

/** Sections in order of appearance. An object that appears again is described once. */
class Sections {
  readonly texts: string[] = [];
  private readonly pathByShape = new Map<string, string>();

  add(path: string, schema: StructuralSchema | undefined): void {
    if (!schema?.properties || Object.keys(schema.properties).length === 0) return;
    const shape = shapeOf(schema);
    if (this.pathByShape.has(shape)) return;
    this.pathByShape.set(shape, path);
    const children = Object.entries(schema.properties).map(
      ([name, child]) =>
        [`${path}.${name}${suffixOf(child)}`, child.items ?? child.additionalProperties ?? child] as const,
    );
    const index = this.texts.push('') - 1;
    for (const [childPath, child] of children) this.add(childPath, child);
    this.texts[index] = [`## ${path}`, schema.description, this.table(schema), ...rulesOf(schema)]
      .filter((text) => text !== undefined)
      .join('\n\n');
  }

  private table({ properties = {}, required = [] }: StructuralSchema): string {
    const rows = Object.entries(properties).map(([name, field]) => {
      const absent = required.includes(name) ? 'required' : defaultOf(field);
      return `| \`${name}\` | ${this.typeOf(field)} | ${absent} | ${inCell(meaningOf(field))} |`;
    });
    return ['| field | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
  }

  private typeOf(field: StructuralSchema): string {
    if (field.items) {
      const count = boundsText(field.minItems, field.maxItems);
      return `list of ${this.typeOf(field.items)}${count && `, ${count} entries`}`;
    }
    if (field.additionalProperties) {
      const count = boundsText(field.minProperties, field.maxProperties);
      return `map of names to ${this.typeOf(field.additionalProperties)}${count && `, ${count} entries`}`;
    }
    if (field['x-kubernetes-preserve-unknown-fields']) return 'any';
    if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
    const path = field.properties && this.pathByShape.get(shapeOf(field));
    if (path !== undefined) return `[${path}](#${path.toLowerCase().replace(/[^a-z0-9]/g, '')})`;
    if (field.pattern === DURATION_PATTERN.source) return 'duration';
    if (field.format === 'date-time') return 'time';
    if (field.format === 'date') return 'date';
    const range = boundsText(field.minimum, field.maximum);
    const length = boundsText(undefined, field.maxLength);
    return [field.type, range, length && `${length} characters`].filter(Boolean).join(', ');
  }
}

const suffixOf = (child: StructuralSchema): string =>
  child.type === 'array' ? '[]' : child.additionalProperties ? '.*' : '';

const shapeOf = ({ properties }: StructuralSchema): string => JSON.stringify(properties);

function boundsText(min: unknown, max: unknown): string {
  if (min === undefined && max === undefined) return '';
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

/** Defaults of objects stand at their fields. */
function defaultOf({ default: value, type }: StructuralSchema): string {
  return value === undefined || type === 'object' ? '' : `\`${JSON.stringify(value)}\``;
}

/** The rules of objects stand under their own tables. */
function meaningOf(field: StructuralSchema): string {
  const rules = field.properties ? [] : (field['x-kubernetes-validations'] ?? []);
  const meaning = [field.description, ...rules.map(({ message }) => sentence(message))].join(' ');
  const { items } = field;
  const itemRules = items?.properties ? [] : (items?.['x-kubernetes-validations'] ?? []);
  return [meaning, ...itemRules.map(({ message }) => sentence(message))].join(' ');
}

function rulesOf(schema: StructuralSchema): string[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return [];
  return [rules.map(({ message, fieldPath }) => `- ${ruleText(message, fieldPath)}`).join('\n')];
}

const ruleText = (message: string, fieldPath: string | undefined): string =>
  fieldPath === undefined ? sentence(message) : `\`${fieldPath.slice(1)}\`: ${message}.`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const inCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
