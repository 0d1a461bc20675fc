/** What the application throws is its own: reported as an uncaught error, and nobody else suffers for it. */
export function protect(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
