import { z } from 'zod';

export const PAGE_ITEMS_DEFAULT = 50;
export const PAGE_ITEMS_MAX = 100;
/** A page ends early at about this many bytes of JSON, with at least one item. */
export const PAGE_BYTES_MAX = 1_000_000;
export const CURSOR_CHARS_MAX = 1_024;

export const CursorSchema = z
  .string()
  .min(1)
  .max(CURSOR_CHARS_MAX)
  .meta({ description: 'Opaque; from `nextCursor` of the same list of the same user' });

/** Query strings carry text: digits only, then the range. `1e9`, `-1`, `abc` and `0` are refused. */
export const QueryLimitSchema = z
  .string()
  .regex(/^[0-9]{1,9}$/, 'A whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(PAGE_ITEMS_MAX))
  .default(PAGE_ITEMS_DEFAULT)
  .meta({ description: `1 to ${PAGE_ITEMS_MAX}, ${PAGE_ITEMS_DEFAULT} unless given` });

export const LimitSchema = z.int().min(1).max(PAGE_ITEMS_MAX);

export const PageQuerySchema = z.strictObject({ cursor: CursorSchema.optional(), limit: QueryLimitSchema });
export type PageQuery = z.infer<typeof PageQuerySchema>;

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export function pageSchema<Item extends z.ZodType>(id: string, item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() }).meta({ id });
}
