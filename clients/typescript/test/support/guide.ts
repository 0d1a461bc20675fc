// docs/migration.md: its blocks of code, by the name in their first line.
import {readFileSync} from 'node:fs';

const text = () => readFileSync('../../docs/migration.md', 'utf8');

export function guide(): Map<string, string> {
  return new Map([...text().matchAll(/^```tsx?\n([^]*?)^```$/gm)].map(([, code]) => {
    const name = /^\/\/ (\S+\.tsx?)\n/.exec(code!)?.[1];
    if (!name) throw new Error(`a block of code begins without the name of a file: ${code}`);
    return [name, code!];
  }));
}

/** What the guide says in YAML. */
export const settings = (): string => /^```yaml\n([^]*?)^```$/m.exec(text())![1]!;
