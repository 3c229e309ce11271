import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const exec = promisify(execFile);
/** What an application has installed beside the SDK. */
const INSTALLED = ['@openfeature', '@types', 're2js', 'tslib', 'undici-types', 'zod'];

/** A folder outside the repository with the built package in it, as npm would install it, and files of the test. */
export function sdkProject(sdk: string, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-application-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules/@sluice'), { recursive: true });
  for (const name of INSTALLED) cpSyncOrLink(name, folder);
  cpSync(sdk, join(folder, 'node_modules/@sluice/sdk'), { recursive: true });
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable'] },
    ...{ strict: true, noEmit: true, types: ['node'] },
  };
  const all = {
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({ compilerOptions }),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Links would be followed to our own folder, where the SDK is not; so scopes are copied. */
function cpSyncOrLink(name: string, folder: string): void {
  const [from, to] = [resolve('node_modules', name), join(folder, 'node_modules', name)];
  if (name === '@openfeature') cpSync(from, to, { recursive: true });
  else symlinkSync(from, to);
}

/** What the compiler has to say about the files; empty where all is well. */
export async function typeProblems(folder: string): Promise<string> {
  const tsc = resolve('node_modules/typescript/bin/tsc');
  return exec(process.execPath, [tsc, '-p', folder]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
}

/** Names of what the package holds. */
export const filesOf = (sdk: string): string[] => readdirSync(sdk, { recursive: true, encoding: 'utf8' }).sort();
