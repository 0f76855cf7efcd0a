import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';

/** Whether a schema is read as what may be sent (defaults may be left out) or as what is answered. */
export type Direction = 'input' | 'output';

/** JSON Schema of one schema; what is registered under an id becomes a reference to its component. */
export function referenceTo(schema: z.ZodType, direction: Direction): JsonSchema {
  const id = z.globalRegistry.get(schema)?.id;
  if (id) return { $ref: COMPONENTS + id };
  const { $schema: _, $defs: __, ...own } = z.toJSONSchema(schema, { io: direction, override: tidy });
  return wrapReferences(pointToComponents(own)) as JsonSchema;
}

/** The components that `roots` reach, by id, in alphabetical order. */
export function componentsOf(roots: Iterable<unknown>, direction: Direction): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { io: direction, uri: (id) => COMPONENTS + id, override: tidy });
  const reached = new Map<string, JsonSchema>();
  const waiting = [...roots].flatMap(referencesIn);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (reached.has(id)) continue;
    const schema = (schemas as Record<string, JsonSchema>)[id];
    if (!schema) throw new Error(`No schema of the contract is called ${id}`);
    const { $schema: _, $id: __, ...own } = schema;
    reached.set(id, wrapReferences(own) as JsonSchema);
    waiting.push(...referencesIn(own));
  }
  return Object.fromEntries([...reached].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first example that a schema, or the component behind it, carries. */
export function exampleOf(schema: z.ZodType): unknown {
  return (z.globalRegistry.get(schema)?.['examples'] as unknown[] | undefined)?.[0];
}

/** Leaves out what zod adds and nobody said. */
function tidy({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: JsonSchema }): void {
  // The bounds of JavaScript's whole numbers say nothing about a field.
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
  // Answers may grow fields that a client does not know; only what is strict in the contract is closed.
  const { def } = zodSchema._zod;
  if (def.type === 'object' && def.catchall === undefined) delete jsonSchema['additionalProperties'];
}

function pointToComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointToComponents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === '$ref' && typeof inner === 'string') return [key, inner.replace('#/$defs/', COMPONENTS)];
      return [key, pointToComponents(inner)];
    }),
  );
}

/** AsyncAPI takes a reference only where it stands alone: what is said beside it moves around it. */
function wrapReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wrapReferences);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...beside } = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, wrapReferences(inner)]),
  );
  if ($ref === undefined) return beside;
  return Object.keys(beside).length === 0 ? { $ref } : { ...beside, allOf: [{ $ref }] };
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key !== '$ref' || typeof inner !== 'string') return referencesIn(inner);
    // Examples are referred to as well, and are no schemas.
    return inner.startsWith(COMPONENTS) ? [inner.slice(COMPONENTS.length)] : [];
  });
}
