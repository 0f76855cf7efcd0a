/** A random UUID; also where `crypto.randomUUID` is missing (React Native, pages without TLS). */
export function newId(): string {
  const source = globalThis.crypto as Partial<typeof globalThis.crypto> | undefined;
  if (source?.randomUUID) return source.randomUUID();
  const random = (): number => source?.getRandomValues?.(new Uint8Array(1))[0] ?? Math.random() * 256;
  // Version 4; of the 8, the upper two bits stay.
  return '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
    (Number(digit) ^ (random() & (15 >> (Number(digit) / 4)))).toString(16),
  );
}
