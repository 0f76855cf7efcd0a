const POLL_MS = 50;

/** Waits until `holds` is true; while it throws or is false it is asked again. @throws its last error, or a time-out */
export async function eventually(holds: () => Promise<boolean>, withinMs = 90_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; ;) {
    let last: unknown = new Error(`It did not come true within ${withinMs} ms.`);
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw last;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
