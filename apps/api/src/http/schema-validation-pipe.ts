import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { toFieldErrors } from '@parley/contracts';
import { DomainError } from '@parley/domain';
import type { z } from 'zod';

interface SchemaMetadata extends Omit<ArgumentMetadata, 'schema'> {
  schema?: unknown;
}

/**
 * Validates what `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })` name. Unlike Nest's own pipe it does
 * not strip fields before it looks: a field that nobody asked for is refused, not forgotten.
 *
 * @throws DomainError `validation_failed`, one entry of `errors` for each thing that is wrong
 */
@Injectable()
export class SchemaValidationPipe implements PipeTransform {
  transform(value: unknown, { schema }: SchemaMetadata): unknown {
    if (!schema) return value;
    const result = (schema as z.ZodType).safeParse(value);
    if (result.success) return result.data;
    throw new DomainError('validation_failed', undefined, { errors: toFieldErrors(result.error) });
  }
}
