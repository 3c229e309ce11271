import type { Answer } from './provider.ts';

const MAX_TEXT_LENGTH = 300;
const MAX_REMARKS = 5;

/**
 * The answer as others may read it in a status: credentials that a server sent back are taken out, and each text is one
 * short line. In this order, for a credential that is cut in two would not be found.
 */
export function presentable(answer: Answer, secrets: readonly string[]): Answer {
  const clean = (text: string) => shorten(withoutSecrets(text, secrets));
  const cleanList = (texts: readonly string[]) => texts.slice(0, MAX_REMARKS).map(clean);
  return {
    ...answer,
    ...('message' in answer ? { message: clean(answer.message) } : {}),
    ...('remarks' in answer
      ? { remarks: { warnings: cleanList(answer.remarks.warnings), infos: cleanList(answer.remarks.infos) } }
      : {}),
  };
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
}

function shorten(text: string): string {
  const line = text.slice(0, MAX_TEXT_LENGTH + 1).replace(/\p{C}/gu, ' ');
  return line.length > MAX_TEXT_LENGTH ? `${line.slice(0, MAX_TEXT_LENGTH - 1)}…` : line;
}
