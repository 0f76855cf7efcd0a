import { ParleyError, type Media, type ParleyClient } from '@parley/sdk';
import { expect, it, vi } from 'vitest';
import { Attachments, ATTACHMENTS_MAX } from './attachments.js';

type Upload = ParleyClient['media']['upload'];

const media = (mediaId: string): Media => ({
  mediaId,
  url: `/v1/media/${mediaId}`,
  thumbnailUrl: null,
  mimeType: 'text/plain',
  sizeBytes: 3,
  width: null,
  height: null,
  fileName: 'a.txt',
});

const files = (count: number): File[] => Array.from({ length: count }, (_, index) => new File(['abc'], `${index}.txt`));
const attachmentsWith = (upload: Upload) => new Attachments({ media: { upload } } as Pick<ParleyClient, 'media'>);

it('uploads each file at once, and shows how far it is', async () => {
  const attachments = attachmentsWith(async (_file, options) => {
    options?.onProgress?.(0.5);
    expect(attachments.all[0]?.progress).toBe(0.5);
    return media('m1');
  });
  expect(attachments.add(files(1))).toBe(0);
  await vi.waitFor(() => expect(attachments.all[0]?.media?.mediaId).toBe('m1'));
});

it('takes as many as a message can carry, and says how many were left', () => {
  const attachments = attachmentsWith(() => new Promise(() => {}));
  expect(attachments.add(files(8))).toBe(0);
  expect(attachments.add(files(5))).toBe(3);
  expect(attachments.all).toHaveLength(ATTACHMENTS_MAX);
});

it('cancels the upload of one that is taken away', () => {
  let signal: { readonly aborted: boolean } | undefined;
  const attachments = attachmentsWith((_file, options) => {
    signal = options?.signal;
    return new Promise(() => {});
  });
  attachments.add(files(1));
  attachments.remove(attachments.all[0]?.id ?? 0);
  expect(signal?.aborted).toBe(true);
  expect(attachments.all).toEqual([]);
});

it('says why one was refused, and tries it again when asked to', async () => {
  const upload = vi
    .fn<Upload>()
    .mockRejectedValueOnce(new ParleyError('media_quota_exceeded', 'full'))
    .mockResolvedValueOnce(media('m2'));
  const attachments = attachmentsWith(upload);
  attachments.add(files(1));
  await vi.waitFor(() => expect(attachments.all[0]?.fault).toBe('Your storage for files is full.'));
  attachments.retry(attachments.all[0]?.id ?? 0);
  await vi.waitFor(() => expect(attachments.all[0]?.media?.mediaId).toBe('m2'));
  expect(attachments.all[0]?.fault).toBe('');
});
