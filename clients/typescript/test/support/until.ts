/** Waits until something holds; says what was there instead if it never does. */
export async function until(holds: () => boolean | Promise<boolean>, instead: () => string, patience = 120_000): Promise<void> {
  for (const end = Date.now() + patience; !(await holds()); await new Promise((next) => setTimeout(next, 10))) {
    if (Date.now() > end) throw new Error(`waited in vain: ${instead()}`);
  }
}
