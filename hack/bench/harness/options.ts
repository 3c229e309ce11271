/** Readers of a benchmark's options. What cannot be read is said with the benchmark's help, and ends the process with status 2. */
export function optionsWith(help: string) {
  const mistake = (text: string): never => {
    process.stderr.write(`${text}\n\n${help}`);
    process.exit(2);
  };
  const numberIn = (option: string, text: string): number => {
    const value = Number(text);
    return Number.isSafeInteger(value) && value > 0 ? value : mistake(`${option} takes a whole number above 0`);
  };
  return { mistake, numberIn };
}
