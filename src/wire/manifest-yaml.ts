import type { Document, DocumentOptions, ParseOptions, ScalarTag, SchemaOptions, Tags } from 'yaml';

const INT = 'tag:yaml.org,2002:int';
const FLOAT = 'tag:yaml.org,2002:float';
/** Dates and base 60 stay text; sets, pairs and binary data have no form in JSON. */
const UNREAD = ['timestamp', 'omap', 'pairs', 'set', 'binary'].map((name) => `tag:yaml.org,2002:${name}`);
const MAX_ALIASES = 100;

/** Integers as Go writes them, besides those of YAML 1.1. */
const goInt: ScalarTag = {
  default: true,
  tag: INT,
  test: /^[-+]?0(?:[oO][0-7_]+|B[01_]+|X[0-9a-fA-F_]+)$/,
  resolve: (text) => Number(text.replace(/_|^[-+]/g, '').toLowerCase()) * (text.startsWith('-') ? -1 : 1),
};

/**
 * Reads a manifest as kubectl does (sigs.k8s.io/yaml): YAML 1.1 with merge keys, where a bare `off` is a boolean and 0777 is octal, but
 * no base 60 and no dates. For the functions of the package `yaml`.
 */
export const READ_AS_KUBECTL = {
  version: '1.1',
  schema: 'yaml-1.1', // whatever a %YAML directive says
  customTags: (tags: Tags): Tags => [...tags.filter(isRead).map(beginningAsNumber), goInt],
} as const satisfies ParseOptions & DocumentOptions & SchemaOptions;

/** Writes what every reader of YAML 1.1, kubectl too, reads as it was: text that looks like something else is quoted. */
export const WRITE_FOR_KUBECTL = {
  version: '1.1',
  customTags: (tags: Tags): Tags => [...tags, goInt],
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const;

/** The plain value of a document. Throws for what is no YAML, and for aliases that lead nowhere or are too many. */
export function plainOf(document: Document): unknown {
  const [error] = document.errors;
  if (error) throw error;
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

type Tag = Tags[number];

const isRead = (tag: Tag): boolean =>
  typeof tag !== 'object' || !(UNREAD.includes(tag.tag) || ('format' in tag && tag.format === 'TIME'));

/** The package takes `e1` and `.` for numbers that are none. */
function beginningAsNumber(tag: Tag): Tag {
  if (typeof tag !== 'object' || tag.tag !== FLOAT || !('test' in tag) || !tag.test || tag.test.test('.nan'))
    return tag;
  return { ...(tag as ScalarTag), test: new RegExp(tag.test.source.replace('^', '^(?=[-+]?[.]?[0-9])')) };
}
