import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MediaDirectory } from '../media-directory.port.js';
import type { MediaRecord } from '../media-record.js';
import type { MediaStorage } from '../media-storage.port.js';
import { picture } from '../testing/given-media.js';
import { GetMediaHandler } from './get-media.handler.js';
import { GetMedia, type MediaFile } from './get-media.query.js';

const SIZE_BYTES = 700;

describe('a smaller picture', () => {
  let medium: MediaRecord;
  beforeEach(() => {
    vi.useFakeTimers();
    medium = picture('ada');
  });
  afterEach(() => vi.useRealTimers());

  function asked(): Promise<MediaFile> {
    const directory: Pick<MediaDirectory, 'findFor'> = { findFor: async () => medium };
    const storage: Pick<MediaStorage, 'link' | 'size'> = { link: async () => null, size: async () => SIZE_BYTES };
    const handler = new GetMediaHandler(directory as MediaDirectory, storage as MediaStorage);
    const query = new GetMedia({ kind: 'user', userId: 'ada' }, medium.mediaId, 'thumbnail', false);
    const answer = handler.execute(query);
    // Looked at later, when time has passed.
    answer.catch(() => undefined);
    return answer;
  }

  it('that is not made yet is to be asked for again, and is there when it is made', async () => {
    const tooEarly = asked();
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(tooEarly).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 2_000 });
    const again = asked();
    await vi.advanceTimersByTimeAsync(3_000);
    medium = { ...medium, renditions: 'thumbnail' };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await again).toMatchObject({ variant: 'thumbnail', sizeBytes: SIZE_BYTES });
  });

  it.each(['none', 'failed'] as const)('that will never be made is not there: %s', async (renditions) => {
    medium = { ...medium, renditions };
    await expect(asked()).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that turns out not to be made is not there either', async () => {
    const answer = asked();
    await vi.advanceTimersByTimeAsync(3_000);
    medium = { ...medium, renditions: 'failed' };
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(answer).rejects.toMatchObject({ code: 'not_found' });
  });
});
